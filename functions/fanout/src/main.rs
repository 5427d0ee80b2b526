//! The program of this function.

use fanout::Intake;
use lambda_runtime::Error;
use postrider_api::invocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Intake::from_env, Intake::answer).await
}
