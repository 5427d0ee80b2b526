//! Between the SDK and the network: no write is begun without the time for it, every wait ends with the invocation's deadline,
//! and each answer's `Date` is compared with this machine's clock.

use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::config_bag::ConfigBag;
use postrider_host::{clock, deadline, metrics};

/// Calls that change nothing; every other one is a write.
const READS: [&str; 6] = ["GetItem", "BatchGetItem", "Query", "GetSecretValue", "ReceiveMessage", "GetQueueAttributes"];

/// An HTTP client that watches over another.
#[derive(Debug)]
pub(crate) struct Wire(pub(crate) SharedHttpClient);

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Watched(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Watched(SharedHttpConnector);

impl HttpConnector for Watched {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if is_write(request.headers().get("x-amz-target")) && !deadline::may_write() {
            // An error of the caller's, as the SDK calls it: it is not tried again.
            return HttpConnectorFuture::ready(Err(ConnectorError::user("too little time is left".into())));
        }
        let sent = SystemTime::now();
        let call = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let answer = call.await?;
            if answer.headers().get("date").is_some_and(|date| clock::learn(date, sent)) {
                metrics::emit_clock_difference();
            }
            Ok(answer)
        })
    }
}

fn is_write(target: Option<&str>) -> bool {
    let operation = target.and_then(|target| target.rsplit('.').next());
    operation.is_none_or(|operation| !READS.contains(&operation))
}

/// Sleeps, and so all of the SDK's time-outs, that end with the deadline at the latest.
#[derive(Debug)]
pub(crate) struct UntilDeadline;

impl AsyncSleep for UntilDeadline {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration.min(deadline::left())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_known_read_is_a_write() {
        for read in ["DynamoDB_20120810.GetItem", "AmazonSQS.ReceiveMessage", "secretsmanager.GetSecretValue"] {
            assert!(!is_write(Some(read)), "{read}");
        }
        for write in ["DynamoDB_20120810.TransactWriteItems", "AmazonSQS.SendMessageBatch", "AWSEvents.PutEvents"] {
            assert!(is_write(Some(write)), "{write}");
        }
        assert!(is_write(None), "Scheduler's calls have no target");
    }
}
