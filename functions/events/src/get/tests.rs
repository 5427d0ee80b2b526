//! Why a webhook did not get an event, as its owner is told.

use std::iter::repeat_with;

use jiff::SignedDuration;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::portal::Capability;
use replay::{Call, Said, Script, Visitor, keyed, sample};
use serde_json::{Value, json};

use super::*;
use crate::handler::tests::{answered, before, expunged, provider, script, tenant};

fn get() -> Call {
    Call::new("GET", &format!("/v1/events/{}", before().id)).by(&tenant())
}

/// A webhook of before the event that asks for everything.
fn endpoint(number: u64) -> Endpoint {
    let id = EndpointId::new(Timestamp::UNIX_EPOCH, number);
    Endpoint { id, events: vec!["*".parse().unwrap()], ..sample::endpoint(tenant().tenant_id()) }
}

fn row(endpoint: &Endpoint) -> Value {
    keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint)
}

/// An AWS with this event, these webhooks, and these subscriptions under `*`.
fn with(event: &Value, endpoints: &[Endpoint], subscriptions: &[Value]) -> Script {
    let (rows, subscriptions): (Vec<Value>, _) = (endpoints.iter().map(row).collect(), subscriptions.to_vec());
    script()
        .holding("events", [event.clone()])
        .saying_about("Query", "#*", repeat_with(move || Said::rows(&subscriptions)))
        .saying_about("Query", "SUBSCRIPTION#", repeat_with(|| Said::rows::<Value>(&[])))
        .saying_about("Query", "WEBHOOK#", repeat_with(move || Said::rows(&rows)))
}

/// A subscription that began so many seconds after the event.
fn since(endpoint: &Endpoint, seconds: i64) -> Value {
    let since = before().timestamp + SignedDuration::from_secs(seconds);
    json!({"sk": endpoint.id, "dialect": "standard", "since": postrider_domain::time::wire(since)})
}

#[tokio::test]
async fn each_webhook_that_did_not_get_it_is_told_with_the_first_reason() {
    let (event, later) = (before(), before().timestamp + SignedDuration::from_hours(1));
    let filter = |text: &str| Some(format!(r#"{{"data":{{"a":[{text}]}}}}"#));
    let all = [
        Endpoint { deleted_at: Some(later), created_at: later, ..endpoint(1) },
        Endpoint { dialect: postrider_domain::dialect::DialectRef::named("nur").unwrap(), ..endpoint(2) },
        Endpoint { created_at: later, ..endpoint(3) },
        endpoint(4),
        Endpoint { events: vec!["order.*".parse().unwrap()], ..endpoint(5) },
        Endpoint { filter: filter("2"), ..endpoint(6) },
        Endpoint { filter: filter("1"), ..endpoint(7) },
        // Its delivery is there, or on its way.
        Endpoint { status: EndpointStatus::Disabled, ..endpoint(8) },
        endpoint(9),
    ];
    let subscriptions = [since(&all[3], 9), since(&all[6], -9), since(&all[7], -9), since(&all[8], -9)];
    let there = Delivery { status: Status::Cancelled, ..Delivery::pending(&event, endpoint(8).id, event.timestamp, 0) };
    let script = with(&json!(event), &all, &subscriptions).holding("deliveries", [json!(there)]);
    let answer = answered(&script, get()).await;
    let reasons: Vec<_> =
        answer.body["not_delivered"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["deleted", "dialect", "created_later", "changed_since", "not_subscribed", "filtered"]);
    assert_eq!(answer.body["not_delivered"][5]["webhook_id"], json!(endpoint(6).id));
    assert_eq!(answer.body["deliveries"][0]["webhook_id"], json!(endpoint(8).id));
}

#[tokio::test]
async fn an_expunged_event_is_shown_without_what_it_said() {
    let filtered = Endpoint { filter: Some(r#"{"data":{"a":[2]}}"#.to_owned()), ..endpoint(1) };
    let script = with(&expunged(), &[filtered], &[]).holding("deliveries", []);
    let answer = answered(&script, get()).await;
    assert_eq!((answer.status, &answer.body["data"]), (200, &Value::Null), "{answer:?}");
    assert_eq!(
        (&answer.body["expunged_at"], &answer.body["event"]),
        (&expunged()["expunged_at"], &json!("invoice.paid"))
    );
    assert_eq!(answer.body["not_delivered"][0]["reason"], "filtered", "nobody can ask what it said");
}

#[tokio::test]
async fn what_waits_for_its_webhook_says_for_what() {
    let event = before();
    let parked = Delivery {
        status: Status::Retrying,
        waits_until: Some(event.timestamp),
        ..Delivery::pending(&event, endpoint(1).id, event.timestamp, 0)
    };
    let script = with(&json!(event), &[endpoint(1)], &[]).holding("deliveries", [json!(parked)]);
    let answer = answered(&script, get()).await;
    assert_eq!(answer.body["deliveries"][0]["waiting_for"], "endpoint_outage", "{answer:?}");
}

#[tokio::test]
async fn a_provider_names_the_tenant_and_a_tenant_does_not() {
    let call = |query: &str| Call::new("GET", &format!("/v1/events/{}", before().id)).by(&provider()).query(query);
    let script = || with(&json!(before()), &[], &[]).holding("deliveries", []);
    let of = format!("tenant_id={}", tenant().tenant_id());
    assert_eq!(answered(&script(), call(&of)).await.status, 200);
    for (call, status) in [(call(""), 400), (call("tenant_id=x"), 400), (get().query(&of), 400)] {
        let answer = answered(&script(), call).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!("tenant_id")));
    }
    let unknown = format!("tenant_id={}", postrider_domain::id::TenantId::new(Timestamp::UNIX_EPOCH, 7));
    assert_eq!(answered(&script(), call(&unknown)).await.status, 404);
}

#[test]
fn a_page_lacks_only_what_lies_within_it() {
    let id = |n: i64| EndpointId::new(Timestamp::from_second(n * 1_000_000).unwrap(), 1);
    let page = Page { rows: vec![(id(2), None), (id(4), None)], next: Some(id(4)) };
    let lacking = |after: Option<i64>, page: &Endpoints| {
        let after = after.map(|n| id(n).to_string());
        (1..=6).filter(|&n| lacks(page, &id(n), after.as_deref())).collect::<Vec<_>>()
    };
    assert_eq!((lacking(None, &page), lacking(Some(1), &page)), (vec![1, 3], vec![3]));
    assert_eq!(lacking(Some(1), &Page { next: None, ..page }), [3, 5, 6]);
}

#[tokio::test]
async fn a_visitor_who_is_for_some_webhooks_is_told_of_those_alone() {
    let (own, other) = (endpoint(1), endpoint(2));
    let visitor = Visitor::of(&tenant(), &[Capability::View]).only(&[&own.id]);
    let subscriptions = [since(&own, -9), since(&other, -9)];
    let there = |endpoint: &Endpoint| json!(Delivery::pending(&before(), endpoint.id.clone(), before().timestamp, 0));
    // The page of all webhooks is not read.
    let script = script()
        .holding("events", [json!(before())])
        .holding("config", [visitor.row(), row(&own), row(&other)])
        .holding("deliveries", [there(&own), there(&other)])
        .saying_about("Query", "#*", [Said::rows(&subscriptions)])
        .saying_about("Query", "SUBSCRIPTION#", repeat_with(|| Said::rows::<Value>(&[])));
    let call = Call::new("GET", &format!("/v1/events/{}", before().id)).in_session(&visitor);
    let answer = answered(&script, call).await;
    assert_eq!((answer.status, &answer.body["not_delivered"]), (200, &json!([])), "{answer:?}");
    assert_eq!(answer.body["deliveries"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.body["pagination"], json!({"has_more": false, "next_cursor": null}));
    assert!(!answer.body.to_string().contains(other.id.as_str()), "{answer:?}");
}

#[tokio::test]
async fn an_event_that_is_about_another_webhook_is_not_there_for_a_visitor() {
    let visitor = Visitor::of(&tenant(), &[Capability::View]).only(&[&endpoint(1).id]);
    let told = |webhook: &Endpoint| Event {
        event_type: "webhook.updated".to_owned().try_into().unwrap(),
        data: json!({"webhook_id": webhook.id}).to_string(),
        ours: true,
        ..before()
    };
    let test = |webhook: &Endpoint| Event { test_of: Some(webhook.id.clone()), ours: true, ..before() };
    for (number, status) in [(1, 200), (2, 404)] {
        for event in [told(&endpoint(number)), test(&endpoint(number))] {
            let script = with(&json!(event), &[], &[]).holding("config", [visitor.row(), row(&endpoint(1))]);
            let call = Call::new("GET", &format!("/v1/events/{}", event.id)).in_session(&visitor);
            let answer = answered(&script.holding("deliveries", []), call).await;
            assert_eq!(answer.status, status, "{event:?} {answer:?}");
        }
    }
}
