//! The program of this function.

use lambda_runtime::Error;
use portal::{Portal, serve};
use postrider_api::invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let from_env = |_: &_| Portal::from_env();
    invocation::start(from_env, async |portal, event| Ok(serve(portal, event).await)).await
}
