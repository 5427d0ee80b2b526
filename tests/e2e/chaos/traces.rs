//! Traces: what the functions send to X-Ray's daemon, where an operator has events traced, joined as X-Ray joins it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::chaos::{SHORT, alone, then, with_proxy, with_short_visibility};
use crate::support::api::text;
use crate::support::proxy::{Proxy, Spoil};
use crate::support::{Receiver, Reply, Tenant, World, canary, until};

const SENT_FOR: Duration = Duration::from_secs(90);
const FUNCTIONS: [&str; 3] = ["events", "fanout", "deliver"];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A daemon that keeps what it is sent. It stops when it is dropped.
struct Daemon {
    address: String,
    segments: Arc<Mutex<Vec<Value>>>,
    listening: JoinHandle<()>,
}

impl Daemon {
    async fn listen() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let address = socket.local_addr().expect("a bound socket has an address").to_string();
        let segments = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&segments);
        let listening = tokio::spawn(async move {
            let mut datagram = vec![0; 65_536];
            while let Ok(length) = socket.recv(&mut datagram).await {
                let sent = String::from_utf8(datagram[..length].to_vec()).expect("a datagram should be text");
                let (header, document) = sent.split_once('\n').expect("a header stands before a document");
                assert_eq!(
                    serde_json::from_str::<Value>(header).expect("its head should be JSON"),
                    json!({"format": "json", "version": 1})
                );
                kept.lock()
                    .expect("nobody panics with it")
                    .push(serde_json::from_str(document).expect("a document should be JSON"));
            }
        });
        Self { address, segments, listening }
    }

    /// What was sent of an event, by the function, once there is so much.
    async fn of_event(&self, event: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} segments of {event}"), SENT_FOR, || async {
            let all = self.segments.lock().expect("nobody panics with it").clone();
            let found: Vec<Value> =
                all.iter().filter(|segment| segment["annotations"]["event_id"] == event).cloned().collect();
            if found.len() >= count { Ok(found) } else { Err(format!("{all:?}")) }
        })
        .await
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Does the work while the functions on an event's way trace to this daemon.
async fn traced<T>(world: &World, daemon: &Daemon, work: impl Future<Output = T>) -> T {
    let mut before: HashMap<&str, Map<String, Value>> = HashMap::new();
    let settings = [("TRACING", "xray"), ("AWS_XRAY_DAEMON_ADDRESS", &daemon.address)];
    for function in FUNCTIONS {
        let variables = world.aws.functions.environment(function).await;
        let more = settings.map(|(name, value)| (name.to_owned(), json!(value)));
        before.insert(function, variables.clone());
        world.aws.functions.set_environment(function, variables.into_iter().chain(more).collect()).await;
    }
    then(work, async {
        for (function, variables) in before {
            world.aws.functions.set_environment(function, variables).await;
        }
    })
    .await
}

async fn published(tenant: &Tenant, traceparent: Option<&str>) -> String {
    let event = json!({"event": "dubbing.completed", "data": {"secret": canary!("data")}});
    let call = tenant.api.call(Method::POST, "/v1/events").json(&event);
    let call = traceparent.into_iter().fold(call, |call, value| call.header("traceparent", value));
    text(&call.send().await.ok(202), "id").to_owned()
}

fn of<'a>(segments: &'a [Value], function: &str) -> Vec<&'a Value> {
    let name = |segment: &&Value| segment["name"].as_str().is_some_and(|name| name.ends_with(function));
    segments.iter().filter(name).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_events_way_is_one_trace_from_its_publication_to_its_posts() {
    let (world, _guard) = alone().await;
    let daemon = Daemon::listen().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(503)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600], "trace": true});
    let webhook = tenant.create(&body).await;
    let (event, segments) = traced(&world, &daemon, async {
        let event = published(&tenant, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
        let delivery = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&delivery, "retrying", 1).await;
        // The schedule's own message, as it fires.
        world.aws.attempt_now(&delivery, 2).await;
        tenant.settled(&delivery, "succeeded", 2).await;
        let segments = daemon.of_event(&event, 4).await;
        (event, segments)
    })
    .await;
    let told = format!("{segments:#?}");
    let id = format!("1-{}-{}", &TRACE[..8], &TRACE[8..]);
    assert!(segments.iter().all(|segment| segment["trace_id"] == id.as_str()), "one trace: {told}");
    let [publication] = of(&segments, "-events")[..] else { panic!("{told}") };
    let [fan_out] = of(&segments, "-fanout")[..] else { panic!("{told}") };
    let attempts = of(&segments, "-deliver");
    assert_eq!(publication["parent_id"], CALLER, "{told}");
    assert_eq!(fan_out["parent_id"], publication["id"], "{told}");
    assert_eq!(attempts.len(), 2, "{told}");
    for (attempt, (request, status)) in attempts.iter().zip(receiver.requests().iter().zip([503, 200])) {
        assert_eq!(attempt["parent_id"], fan_out["id"], "{told}");
        let post = &attempt["subsegments"][0];
        assert_eq!((&post["name"], &post["namespace"]), (&json!("localhost"), &json!("remote")), "{told}");
        assert_eq!(post["http"]["response"]["status"], status, "{told}");
        // What its receiver does in answer is a part of the same trace.
        let expected = format!("00-{TRACE}-{}-01", text(post, "id"));
        assert_eq!(request.header("traceparent"), Some(expected.as_str()));
    }
    let attempts: Vec<_> = attempts.iter().map(|attempt| attempt["annotations"]["attempt"].clone()).collect();
    assert_eq!(attempts, ["1", "2"]);
    for secret in [canary!("data"), canary!("query"), "token="] {
        assert!(!told.contains(secret), "{told}");
    }
    assert_eq!(receiver.requests()[0].event_id(), event);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn an_attempt_at_which_we_fail_is_in_its_events_trace_as_a_fault() {
    let (world, _guard) = alone().await;
    let daemon = Daemon::listen().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": "whsec_that_is_sealed"});
    let webhook = tenant.create(&body).await;
    let proxy = Proxy::start(world.stack).await;
    // Without the encryption key its secret cannot be read.
    proxy.spoil("GetSecretValue", "", u32::MAX, Spoil::Refuse(400, "AccessDeniedException"));
    let segments = with_short_visibility(&world, SHORT, async {
        traced(&world, &daemon, async {
            with_proxy(&world, "deliver", &proxy, async {
                let event = published(&tenant, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
                daemon.of_event(&event, 3).await;
                proxy.heal();
                let delivery = tenant.delivery_of(&event, &webhook).await;
                tenant.settled(&delivery, "succeeded", 1).await;
                daemon.of_event(&event, 4).await
            })
            .await
        })
        .await
    })
    .await;
    let told = format!("{segments:#?}");
    let attempts = of(&segments, "-deliver");
    let (failed, made) = (attempts[0], attempts[attempts.len() - 1]);
    assert_eq!((failed["fault"].as_bool(), &failed["subsegments"]), (Some(true), &Value::Null), "{told}");
    assert_eq!((&made["fault"], made["annotations"]["outcome"].as_str()), (&Value::Null, Some("succeeded")), "{told}");
    let numbers = [failed, made].map(|attempt| attempt["annotations"]["attempt"].as_str());
    assert_eq!(numbers, [Some("1"), Some("1")], "the same one: {told}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_receiver_that_does_not_ask_is_told_no_trace_and_what_is_not_recorded_is_told_as_that() {
    let (world, _guard) = alone().await;
    let daemon = Daemon::listen().await;
    let tenant = world.tenant().await;
    let (quiet, asking) = (Receiver::start(world.stack).await, Receiver::start(world.stack).await);
    let plain = tenant.webhook(&quiet.url("/"), &["*"]).await;
    let body = json!({"url": asking.url("/"), "events": ["*"], "trace": true});
    let webhook = tenant.create(&body).await;
    let (unrecorded, recorded) = traced(&world, &daemon, async {
        let unrecorded = published(&tenant, Some(&format!("00-{TRACE}-{CALLER}-00"))).await;
        // What makes no sense is no trace, and the event is taken.
        let recorded = published(&tenant, Some("mine")).await;
        for event in [&unrecorded, &recorded] {
            for webhook in [&plain, &webhook] {
                let delivery = tenant.delivery_of(event, webhook).await;
                tenant.settled(&delivery, "succeeded", 1).await;
            }
        }
        daemon.of_event(&recorded, 4).await;
        (unrecorded, recorded)
    })
    .await;
    assert!(quiet.requests().iter().all(|request| request.header("traceparent").is_none()));
    for request in asking.requests() {
        let told = request.header("traceparent").expect("it asked");
        assert_eq!(told.starts_with(&format!("00-{TRACE}-")), request.event_id() == unrecorded, "{told}");
        assert_eq!(told.ends_with("-01"), request.event_id() == recorded, "{told}");
    }
    let sent = daemon.segments.lock().unwrap().clone();
    assert!(!sent.iter().any(|segment| segment["annotations"]["event_id"] == unrecorded.as_str()), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn where_nobody_has_events_traced_nothing_carries_a_trace() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(503)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600], "trace": true});
    let webhook = tenant.create(&body).await;
    let event = published(&tenant, Some(&format!("00-{TRACE}-{CALLER}-01"))).await;
    let delivery = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&delivery, "retrying", 1).await;
    let row = world.aws.rows.event(&tenant.id, &event).await;
    let message = world.aws.message(&delivery, 2).await;
    assert!(!row.contains_key("traceparent") && !message.contains("traceparent"), "{row:?} {message}");
    assert_eq!(receiver.requests()[0].header("traceparent"), None);
}
