//! The program of this function.

use events::Events;
use lambda_runtime::Error;
use postrider_api::invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Events::from_env, Events::answer).await
}
