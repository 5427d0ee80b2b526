//! The program of this function.

use catalogue::EventTypes;
use lambda_runtime::Error;
use postrider_api::{invocation, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(EventTypes::from_env, async |types, event| Ok(serve(types, event).await)).await
}
