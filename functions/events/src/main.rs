//! Events over HTTP: publish one, publish many, see one with its deliveries.

mod handler;
mod publish;
mod view;

use handler::Events;
use lambda_runtime::{Error, run, service_fn};
use postrider_aws::{http, sdk, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::start();
    let events = &Events::from_env(&sdk::load().await)?;
    run(service_fn(|event| async move { Ok::<_, Error>(http::serve(event, |request| events.handle(request)).await) }))
        .await
}
