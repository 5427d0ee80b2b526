//! The program of this function.

use lambda_runtime::Error;
use postrider_api::{invocation, serve};
use postrider_host::env::BadSetting;
use reference::Reference;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let from_env = |_: &_| Ok::<_, BadSetting>(Reference);
    invocation::start(from_env, async |reference, event| Ok(serve(reference, event).await)).await
}
