//! The program of this function.

use lambda_runtime::Error;
use postrider_api::{invocation, serve};
use tenants::Operator;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Operator::from_env, async |operator, event| Ok(serve(operator, event).await)).await
}
