//! What AWS answers, written down beforehand: for what no emulator does, such as refusing a transaction's second try. Between
//! the script and the SDK stand the same `Wire` and the same time-outs as in a function.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::{Value, json};

use crate::wire::{UntilDeadline, Wire};

/// An answer, and how long it takes to come.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    status: u16,
    body: Value,
    after: Duration,
}

impl Said {
    pub(crate) fn done() -> Self {
        Self::body(json!({}))
    }

    /// A failure that the SDK tries again: for all that it can tell, the call was carried out.
    pub(crate) fn lost() -> Self {
        Self::of(500, json!({"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": "lost"}))
    }

    /// A transaction that these rows refuse, each as it stands there; a code of another kind stands for no row.
    pub(crate) fn cancelled(reasons: &[Result<Value, &str>]) -> Self {
        let reason = |reason: &Result<Value, &str>| match reason {
            Ok(row) => json!({"Code": "ConditionalCheckFailed", "Item": row}),
            Err(code) => json!({"Code": code}),
        };
        let reasons: Vec<_> = reasons.iter().map(reason).collect();
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        Self::of(400, json!({"__type": kind, "message": "cancelled", "CancellationReasons": reasons}))
    }

    /// An update that this row refuses.
    pub(crate) fn refused(row: &Value) -> Self {
        let kind = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        Self::of(400, json!({"__type": kind, "message": "refused", "Item": row}))
    }

    /// This body.
    pub(crate) fn body(body: Value) -> Self {
        Self::of(200, body)
    }

    fn of(status: u16, body: Value) -> Self {
        Self { status, body, after: Duration::ZERO }
    }

    pub(crate) fn after(self, seconds: u64) -> Self {
        Self { after: Duration::from_secs(seconds), ..self }
    }
}

/// An AWS that says this.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    answers: Arc<Mutex<VecDeque<Said>>>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Said>) -> Self {
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        Self { answers, requests: Arc::default() }
    }

    /// A client that hears it.
    pub(crate) fn client(&self) -> Client {
        let keys = Credentials::new("id", "key", None, None, "a test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(Wire(SharedHttpClient::new(self.clone())))
            .retry_config(RetryConfig::standard())
            .sleep_impl(UntilDeadline)
            .time_source(aws_smithy_async::time::SystemTimeSource::new());
        Client::new(&config.build())
    }

    /// The bodies of what was asked.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

impl HttpClient for Script {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.requests.lock().unwrap().push(asked);
        let said = self.answers.lock().unwrap().pop_front().expect("nothing more is to be asked");
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(said.after).await;
            let status = said.status.try_into().unwrap();
            Ok(HttpResponse::new(status, SdkBody::from(said.body.to_string())))
        })
    }
}
