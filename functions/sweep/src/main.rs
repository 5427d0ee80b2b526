//! The program of this function.

use lambda_runtime::Error;
use postrider_api::invocation;
use sweep::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Sweep::from_env, Sweep::answer).await
}
