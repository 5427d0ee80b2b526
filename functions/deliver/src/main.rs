//! The program of this function.

use deliver::Deliver;
use lambda_runtime::Error;
use postrider_api::invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Deliver::from_env, Deliver::answer).await
}
