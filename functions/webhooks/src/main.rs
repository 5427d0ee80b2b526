//! Webhooks over HTTP: make, see, change, delete. Also the API's default route, since an unknown path needs an answer in
//! the default error shape.

mod handler;
mod input;
mod view;

use handler::Webhooks;
use lambda_runtime::Error;
use postrider_aws::{env, http, invocation, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    env::extra_dialects()?;
    let webhooks = &Webhooks::from_env(&sdk::load()?)?;
    invocation::run(|event| async move { Ok(http::serve(event, |request| webhooks.handle(request)).await) }).await
}
