//! The program of this function.

use jobs::Jobs;
use lambda_runtime::Error;
use postrider_api::invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Jobs::from_env, Jobs::answer).await
}
