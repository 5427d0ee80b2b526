use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::*;

/// Notes the hosts that are called, and reaches none.
#[derive(Debug, Clone, Default)]
struct Hosts(Arc<Mutex<Vec<String>>>);

impl HttpClient for Hosts {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Hosts {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let url: url::Url = request.uri().parse().unwrap();
        self.0.lock().unwrap().push(url.authority().to_owned());
        HttpConnectorFuture::ready(Err(ConnectorError::user("nothing is sent".into())))
    }
}

const QUEUE: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/retry";

/// What a call of each client goes to.
async fn called(endpoints: Endpoints) -> Vec<String> {
    let hosts = Hosts::default();
    let credentials = Credentials::new("id", "key", None, None, "a test");
    let sdk = endpoints.of(over(SharedHttpClient::new(hosts.clone()), "us-east-1", credentials));
    let _ = aws_sdk_dynamodb::Client::new(&sdk).list_tables().send().await;
    let _ = aws_sdk_sqs::Client::new(&sdk).purge_queue().queue_url(QUEUE).send().await;
    let _ = aws_sdk_secretsmanager::Client::new(&sdk).list_secrets().send().await;
    let _ = aws_sdk_scheduler::Client::new(&sdk).list_schedules().send().await;
    let _ = aws_sdk_eventbridge::Client::new(&sdk).list_event_buses().send().await;
    let hosts = hosts.0.lock().unwrap();
    hosts.clone()
}

#[tokio::test]
async fn every_client_calls_the_endpoints_that_its_operator_wants() {
    let of_all = |suffix: &str, domain: &str| {
        ["dynamodb", "sqs", "secretsmanager", "scheduler", "events"]
            .map(|service| format!("{service}{suffix}.us-east-1.{domain}"))
    };
    let switched = |fips, dual_stack| Endpoints { own: None, fips, dual_stack };
    assert_eq!(called(switched(false, false)).await, of_all("", "amazonaws.com"));
    assert_eq!(called(switched(true, false)).await, of_all("-fips", "amazonaws.com"));
    // Secrets Manager has one name for both.
    let of_all_but_secrets = |suffix: &str| {
        let mut hosts = of_all(suffix, "api.aws");
        hosts[2] = format!("secretsmanager{suffix}.us-east-1.amazonaws.com");
        hosts
    };
    assert_eq!(called(switched(false, true)).await, of_all_but_secrets(""));
    assert_eq!(called(switched(true, true)).await, of_all_but_secrets("-fips"));
}

#[tokio::test]
async fn an_endpoint_of_ones_own_is_for_every_client() {
    let own = Endpoints { own: Some("http://127.0.0.1:4566".to_owned()), ..Endpoints::default() };
    assert_eq!(called(own).await, ["127.0.0.1:4566"; 5]);
}

#[tokio::test]
async fn one_that_may_lack_validated_cryptography_is_not_called_where_that_is_asked_for() {
    let own = Some("http://127.0.0.1:4566".to_owned());
    assert!(called(Endpoints { own, fips: true, dual_stack: false }).await.is_empty());
}
