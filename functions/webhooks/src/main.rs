//! The program of this function.

use lambda_runtime::Error;
use postrider_api::{invocation, serve};
use webhooks::Webhooks;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Webhooks::from_env, async |webhooks, event| Ok(serve(webhooks, event).await)).await
}
