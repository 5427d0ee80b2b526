//! The program of this function.

use lambda_runtime::Error;
use ledger::Ledger;
use postrider_api::{invocation, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    invocation::start(Ledger::from_env, async |ledger, event| Ok(serve(ledger, event).await)).await
}
