//! What a producer is told of his events, whichever way they come, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_api::{Access as _, Route, Routed as _, serve};
use postrider_aws::sdk;
use postrider_domain::catalogue::{About, CataloguedType, Openness};
use postrider_domain::delivery::{Delivery, Reason, Status};
use postrider_domain::dialect::STANDARD;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::MAX_DATA_BYTES;
use postrider_domain::id::{EndpointId, EventId, TenantId};
use postrider_domain::key::Scope;
use replay::{Answer, Call, Caller as Someone, Said, Script, assert_scope, invocation};
use serde_json::{Value, json};

use super::*;

const SCOPES: [Scope; 2] = [Scope::EventsWrite, Scope::DeliveriesRead];

pub(crate) fn events(script: &Script) -> Events {
    let sdk = script.sdk(sdk::over);
    let config = ConfigTable::of(&sdk, "config");
    Events {
        credentials: Credentials::new(config.clone()),
        quota: Quota::new(config.clone()),
        config,
        events: EventsTable::of(&sdk, "events"),
        deliveries: DeliveriesTable::of(&sdk, "deliveries"),
        triggers: SetAsideQueue::at(&sdk, "https://sqs.example/triggers"),
        retention: Retention { seconds: 90 * 86_400 },
        catalogue: Catalogue::new(ConfigTable::of(&sdk, "config"), Openness::Open),
        traces: Traces::default(),
    }
}

pub(crate) fn tenant() -> Someone {
    Someone::of_tenant(1, &STANDARD, &SCOPES)
}

pub(crate) fn provider() -> Someone {
    Someone::of_provider(&SCOPES)
}

/// An AWS that knows the tenant and the provider.
pub(crate) fn script() -> Script {
    Script::default().holding("config", tenant().rows()).holding("config", provider().rows())
}

pub(crate) async fn answered(script: &Script, call: Call) -> Answer {
    Answer::of(&serve(&events(script), call.event()).await)
}

fn publish(someone: &Someone, body: &Value) -> Call {
    Call::new("POST", "/v1/events").by(someone).saying(body)
}

fn batch(items: &[Value]) -> Call {
    Call::new("POST", "/v1/events/batch").by(&tenant()).saying(&json!({"events": items}))
}

fn paid(data: &Value) -> Value {
    json!({"event": "invoice.paid", "data": data})
}

/// The row of an event that the tenant published before.
pub(crate) fn before() -> Event {
    let tenant_id = tenant().tenant_id();
    Event {
        id: EventId::from_key(&tenant_id, "http", "invoice 7"),
        tenant_id,
        event_type: "invoice.paid".parse().unwrap(),
        data: r#"{"a":1}"#.to_owned(),
        timestamp: Timestamp::from_second(1_768_000_000).unwrap(),
        expires_at: 1_800_000_000,
        ours: false,
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    }
}

/// What is left of its row once it was expunged.
pub(crate) fn expunged() -> Value {
    let mut row = json!(before());
    row.as_object_mut().unwrap().remove("data");
    row["expunged_at"] = json!("2026-01-15T12:00:00.000Z");
    row
}

/// The rows that were put.
fn put(script: &Script) -> Vec<Value> {
    script.asked("PutItem").into_iter().map(|put| put["Item"].clone()).collect()
}

#[tokio::test]
async fn an_event_is_one_put_where_there_is_none() {
    let script = script().saying("PutItem", [Said::done()]);
    let answer = answered(&script, publish(&tenant(), &paid(&json!({"a": 1})))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let asked = script.asked("PutItem").remove(0);
    assert_eq!(asked["ConditionExpression"], "attribute_not_exists(id)");
    assert_eq!((&asked["Item"]["id"], &asked["Item"]["timestamp"]), (&answer.body["id"], &answer.body["timestamp"]));
    assert_eq!(
        (&asked["Item"]["data"], &asked["Item"]["tenant_id"]),
        (&json!(r#"{"a":1}"#), &json!(tenant().tenant_id()))
    );
}

#[tokio::test]
async fn a_key_that_comes_again_brings_the_first_event_or_a_conflict() {
    let again = |body| publish(&tenant(), &body).header("idempotency-key", "invoice 7");
    let script = script().saying("PutItem", repeat_with(|| Said::refused(&before())));
    let answer = answered(&script, again(paid(&json!({"a": 1})))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!((&answer.body["id"], &answer.body["timestamp"]), (&json!(before().id), &json!(before())["timestamp"]));
    assert_eq!(put(&script)[0]["id"], json!(before().id), "the id follows from the key");
    for other in [paid(&json!({"a": 2})), json!({"event": "invoice.sent", "data": {"a": 1}})] {
        assert_eq!(answered(&script, again(other.clone())).await.status, 409, "{other}");
    }
    let gone = self::script().saying("PutItem", repeat_with(|| Said::refused(&expunged())));
    for same_or_other in [paid(&json!({"a": 1})), paid(&json!({"a": 2}))] {
        let answer = answered(&gone, again(same_or_other)).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("event_expunged")));
    }
    let no_event = self::script().saying("PutItem", [Said::refused(&json!({"id": before().id}))]);
    assert_eq!(answered(&no_event, again(paid(&json!({"a": 1})))).await.status, 409);
}

#[tokio::test]
async fn what_is_no_event_is_not_put() {
    let large = json!({"a": "x".repeat(MAX_DATA_BYTES)});
    for (body, status, field) in [
        (json!({"data": {}}), 400, "event"),
        (json!({"event": "webhook.disabled", "data": {}}), 400, "event"),
        (json!({"event": "invoice.paid"}), 400, "data"),
        (paid(&json!([])), 400, "data"),
        (paid(&large), 413, "data"),
        (json!({"event": "invoice.paid", "data": {}, "tenant_id": tenant().tenant_id()}), 400, "tenant_id"),
    ] {
        let answer = answered(&script(), publish(&tenant(), &body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)));
    }
}

#[tokio::test]
async fn the_provider_publishes_for_a_tenant_that_there_is() {
    let named = |tenant: &TenantId| json!({"event": "invoice.paid", "data": {}, "tenant_id": tenant});
    let unknown = TenantId::new(Timestamp::UNIX_EPOCH, 2);
    let answer = answered(&script(), publish(&provider(), &named(&unknown))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")));
    assert_eq!(answered(&script(), publish(&provider(), &paid(&json!({})))).await.status, 400);
    let script = script().saying("PutItem", [Said::done()]);
    assert_eq!(answered(&script, publish(&provider(), &named(&tenant().tenant_id()))).await.status, 202);
    assert_eq!(put(&script)[0]["tenant_id"], json!(tenant().tenant_id()));
}

#[tokio::test(start_paused = true)]
async fn each_of_a_batch_is_answered_by_itself() {
    let script = script()
        .saying_about("PutItem", "the lost one", repeat_with(Said::lost).take(3))
        .saying_about("PutItem", before().id.as_str(), [Said::refused(&before())])
        .saying("PutItem", [Said::done()]);
    let used = json!({"event": "invoice.paid", "data": {"a": 2}, "id": "invoice 7"});
    let items = [paid(&json!({})), json!({"event": "invoice.paid"}), used, paid(&json!({"n": "the lost one"}))];
    let answer = answered(&script, batch(&items)).await;
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!((answer.status, results.len()), (202, 4));
    assert_eq!(results[0]["id"], put(&script)[0]["id"]);
    let told: Vec<_> = results[1..].iter().map(|result| result["error"]["code"].as_str().unwrap()).collect();
    assert_eq!(told, ["invalid_request", "conflict", "internal"]);
    assert_eq!(results[1]["error"]["details"]["field"], "data");
    let message = results[3]["error"]["message"].as_str().unwrap();
    assert!(message.contains("may have been carried out"), "{message}");
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_taken_in_no_part() {
    let large = json!({"a": "x".repeat(MAX_DATA_BYTES - 100)});
    for (call, status) in [
        (batch(&vec![paid(&large); 11]), 413),
        (batch(&vec![paid(&json!({})); 26]), 400),
        (batch(&[]), 400),
        (batch(&[paid(&json!({}))]).header("idempotency-key", "invoice 7"), 400),
    ] {
        assert_eq!(answered(&script(), call).await.status, status);
    }
}

/// What the function gives to whoever invokes it. Boxed, as the program's own start has it.
async fn invoked(script: &Script, payload: &Value) -> Result<Value, lambda_runtime::Error> {
    Box::pin(events(script).answer(invocation(payload))).await
}

fn on_the_bus(detail_type: &str, detail: &Value) -> Value {
    json!({"id": "an envelope", "detail-type": detail_type, "detail": detail})
}

/// Whether the function succeeded at what came over the bus, and the notes that it put into the triggers queue.
async fn heard(script: &Script, event: &Value) -> (bool, Vec<Value>) {
    let heard = invoked(script, event).await;
    let notes = script.asked("SendMessage").into_iter().map(|message| {
        assert_eq!(message["QueueUrl"], "https://sqs.example/triggers");
        serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap()
    });
    (heard.is_ok(), notes.collect())
}

fn detail() -> Value {
    json!({"tenant_id": tenant().tenant_id(), "event": "invoice.paid", "data": {}})
}

#[tokio::test]
async fn an_event_on_the_bus_is_one_however_often_it_comes() {
    let script = script().saying("PutItem", [Said::done()]);
    assert_eq!(heard(&script, &on_the_bus("Postrider Event", &detail())).await, (true, Vec::new()));
    let id = EventId::from_key(&tenant().tenant_id(), "bus", "an envelope");
    assert_eq!(put(&script)[0]["id"], json!(id));
}

#[tokio::test]
async fn what_is_refused_on_the_bus_is_set_aside_with_its_reason() {
    let mut unknown = detail();
    unknown["tenant_id"] = json!(TenantId::new(Timestamp::UNIX_EPOCH, 2));
    for (event, reason) in [
        (on_the_bus("Postrider Event", &unknown), "tenant"),
        (on_the_bus("Postrider Event", &json!({"tenant_id": tenant().tenant_id(), "data": {}})), "`event`"),
        (on_the_bus("Postrider event", &detail()), "`detail-type`"),
    ] {
        let (is_done, notes) = heard(&script().saying("SendMessage", [Said::done()]), &event).await;
        assert!(is_done && notes.len() == 1, "nobody tries again: {event}");
        assert!(notes[0]["reason"].as_str().unwrap().contains(reason), "{}", notes[0]);
        assert_eq!(
            (&notes[0]["id"], &notes[0]["detail"]),
            (&json!("an envelope"), &json!(event["detail"].to_string()))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_through_our_fault_is_tried_again() {
    let script = script().saying("PutItem", repeat_with(Said::lost).take(3));
    assert_eq!(heard(&script, &on_the_bus("Postrider Event", &detail())).await, (false, Vec::new()));
    let unkept = self::script().saying("SendMessage", repeat_with(Said::lost).take(3));
    let (is_done, _) = heard(&unkept, &on_the_bus("Postrider Event", &json!({}))).await;
    assert!(!is_done, "a refusal that no queue holds would be lost");
}

#[tokio::test(start_paused = true)]
async fn who_invokes_the_function_reads_his_refusal_and_is_set_aside_nowhere() {
    let taken = script().saying("PutItem", [Said::done()]);
    let answer = invoked(&taken, &detail()).await.unwrap();
    let id = EventId::from_key(&tenant().tenant_id(), "direct", "an invocation");
    assert_eq!(
        (&answer["id"], &put(&taken)[0]["id"]),
        (&json!(id), &json!(id)),
        "Lambda's second try is no second event"
    );
    let refused = invoked(&script(), &json!({"event": "invoice.paid"})).await.unwrap();
    assert_eq!(refused["error"]["details"]["field"], "data");
    let failed = script().saying("PutItem", repeat_with(Said::lost).take(3));
    assert!(invoked(&failed, &detail()).await.is_err(), "so that Lambda tries again");
}

#[tokio::test]
async fn an_event_is_shown_with_its_deliveries_also_those_whose_webhook_is_lost() {
    let id = |n: u64| EndpointId::new(Timestamp::UNIX_EPOCH, n);
    let row = |n: u64| json!(Delivery::pending(&before(), id(n), before().timestamp, 0));
    let subscribed = json!({"sk": id(2), "dialect": "standard"});
    let script = script()
        .holding("events", [json!(before())])
        .holding("deliveries", [row(1), row(2)])
        .saying_about("Query", "#invoice.paid", [Said::rows(&[subscribed])])
        .saying_about("Query", "SUBSCRIPTION#", repeat_with(|| Said::rows::<Value>(&[])))
        .saying_about("Query", "WEBHOOK#", [Said::rows(&[json!({"sk": format!("WEBHOOK#{}", id(1))})])]);
    let answer = answered(&script, Call::new("GET", &format!("/v1/events/{}", before().id)).by(&tenant())).await;
    assert_eq!((answer.status, &answer.body["data"]), (200, &json!({"a": 1})), "{answer:?}");
    let shown: Vec<_> = answer.body["deliveries"].as_array().unwrap().iter().map(|row| &row["webhook_id"]).collect();
    assert_eq!(shown, [&json!(id(1)), &json!(id(2))]);
}

#[tokio::test]
async fn its_deliveries_say_why_they_ended_or_wait() {
    let id = |n: u64| EndpointId::new(Timestamp::UNIX_EPOCH, n);
    let at = Timestamp::UNIX_EPOCH;
    let pending = |n: u64| Delivery::pending(&before(), id(n), before().timestamp, 0);
    let ended = Delivery { status: Status::Failed, reason: Some(Reason::EndpointGone), ..pending(1) };
    let waits = |n: u64| Delivery { status: Status::Retrying, waits_until: Some(at), ..pending(n) };
    let parking = json!({"since": "1970-01-01T00:00:00.000Z", "step": 1, "state": "down", "cause": "rate_limit", "next_at": "1970-01-01T00:10:00.000Z"});
    let mut parked = json!(Endpoint { id: id(2), ..replay::sample::endpoint(before().tenant_id) });
    parked["parking"] = parking;
    let place = |n: u64, row: &Value| {
        replay::keyed(format!("TENANT#{}", before().tenant_id), format!("WEBHOOK#{}", id(n)), row)
    };
    let named = [place(1, &json!({"url": 7})), place(2, &parked), place(3, &json!({"url": 7}))];
    let script = script()
        .holding("events", [json!(before())])
        .holding("deliveries", [json!(ended), json!(waits(2)), json!(waits(3))])
        .saying_about("Query", "WEBHOOK#", [Said::rows(&named)])
        .saying("Query", repeat_with(|| Said::rows::<Value>(&[])));
    let answer = answered(&script, Call::new("GET", &format!("/v1/events/{}", before().id)).by(&tenant())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let shown: Vec<_> = answer.body["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["reason"], &row["waiting_for"], &row["next_attempt_at"]))
        .collect();
    let (none, outage) = (Value::Null, json!("endpoint_outage"));
    assert_eq!(
        shown,
        [
            (&json!("endpoint_gone"), &none, &none),
            (&none, &json!("rate_limit"), &json!("1970-01-01T00:10:00.000Z")),
            // One that cannot be read hides nothing.
            (&none, &outage, &none),
        ]
    );
}

#[tokio::test]
async fn another_tenants_event_is_none() {
    let another = Event { tenant_id: TenantId::new(Timestamp::UNIX_EPOCH, 2), ..before() };
    let script = script().holding("events", [json!(another)]);
    let answer = answered(&script, Call::new("GET", &format!("/v1/events/{}", another.id)).by(&tenant())).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")));
}

/// A call of each route, on the one event.
fn calls() -> impl Iterator<Item = (&'static Route<Events>, Call)> {
    Events::ROUTES.iter().map(|route| {
        let path = route.path.replace("{id}", before().id.as_str());
        (route, Call::new(route.method, &path))
    })
}

#[tokio::test]
async fn every_route_wants_a_key_with_its_scope() {
    for (route, call) in calls() {
        assert_scope(route.access.scope(), &call, answered).await;
    }
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    for (_, call) in calls() {
        let call = call.by(&tenant()).saying(&paid(&json!({}))).query("dry_run=true");
        let answer = answered(&script(), call.clone()).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("dry_run")), "{call:?}");
    }
}

/// The tenant, who may publish one event a second, and 25 at once.
fn small() -> Someone {
    let mut small = tenant();
    small.tenant.as_mut().unwrap().quotas.events_per_second = Some(1);
    small
}

/// An AWS that knows him and the provider, and takes every event.
fn taking() -> Script {
    let script = Script::default().holding("config", small().rows()).holding("config", provider().rows());
    script.saying("PutItem", repeat_with(Said::done)).saying("UpdateItem", repeat_with(Said::done))
}

/// A batch of so many events.
fn batch_of(events: usize) -> Call {
    batch(&vec![paid(&json!({})); events])
}

#[tokio::test]
async fn a_tenant_beyond_its_quota_is_told_when_to_come_again_and_nothing_is_written_for_it() {
    let script = taking();
    let events = events(&script);
    let ask = async |call: Call| Answer::of(&serve(&events, call.event()).await);
    let all = ask(batch_of(10)).await.body;
    assert!(all["results"].as_array().unwrap().iter().all(|item| item["id"].is_string()), "{all}");
    let in_part = ask(batch_of(25)).await;
    assert_eq!(in_part.headers["retry-after"], "1", "when the others may come again");
    let in_part = in_part.body;
    let results = in_part["results"].as_array().unwrap();
    let (taken, refused): (Vec<_>, Vec<_>) = results.iter().partition(|item| item["id"].is_string());
    assert!((15..=20).contains(&taken.len()), "{in_part}");
    assert!(results[..taken.len()].iter().all(|item| item["id"].is_string()), "the first ones");
    for item in refused {
        assert_eq!(item["error"]["code"], "quota_exceeded");
        assert_eq!(item["error"]["details"]["quota"], json!({"name": "events_per_second", "limit": 1}));
    }
    let before = put(&script).len();
    let answer = ask(publish(&tenant(), &paid(&json!({})))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")), "{answer:?}");
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(put(&script).len(), before);
    assert!(script.asked("UpdateItem").len() <= 2, "no write per event");
}

#[tokio::test]
async fn what_is_wrong_in_a_batch_uses_up_no_quota() {
    let script = taking();
    let events = events(&script);
    for _ in 0..40 {
        let wrong = batch(&vec![json!({"event": "invoice.paid"}); 25]);
        let answer = Answer::of(&serve(&events, wrong.event()).await);
        assert!(
            answer.body["results"].as_array().unwrap().iter().all(|item| item["error"]["code"] == "invalid_request")
        );
    }
    assert_eq!(Answer::of(&serve(&events, batch_of(25).event()).await).body["results"][24]["error"], Value::Null);
    assert_eq!(script.asked("UpdateItem").len(), 0);
}

#[tokio::test]
async fn what_the_provider_publishes_is_counted_and_never_refused() {
    let script = taking();
    let events = events(&script);
    let mut item = paid(&json!({}));
    item["tenant_id"] = json!(tenant().tenant_id());
    for _ in 0..20 {
        let call = Call::new("POST", "/v1/events/batch").by(&provider()).saying(&json!({"events": vec![&item; 25]}));
        let answer = Answer::of(&serve(&events, call.event()).await);
        assert!(answer.body["results"].as_array().unwrap().iter().all(|item| item["id"].is_string()));
    }
    assert_eq!(put(&script).len(), 500);
    assert!(put(&script).iter().all(|row| row["counted"] == true), "so that fan-out does not count it again");
    assert_eq!(script.asked("UpdateItem").len(), 1, "once in some seconds");
    let own = Answer::of(&serve(&events, publish(&tenant(), &paid(&json!({}))).event()).await);
    assert_eq!(own.status, 429, "the tenant's own call finds the quota used up");
}

#[tokio::test]
async fn tags_are_kept_with_their_event_and_are_a_part_of_what_its_key_means() {
    let tagged =
        |region: &str| json!({"event": "invoice:paid-late", "data": {}, "id": "a", "tags": {"region": region}});
    let first = script().saying("PutItem", [Said::done()]);
    assert_eq!(answered(&first, publish(&tenant(), &tagged("eu"))).await.status, 202);
    let row = first.asked("PutItem")[0]["Item"].clone();
    assert_eq!((&row["tags"], &row["event"]), (&json!({"region": "eu"}), &json!("invoice:paid-late")));
    for (region, status) in [("eu", 202), ("us", 409)] {
        let again = script().saying("PutItem", [Said::refused(&row)]);
        assert_eq!(answered(&again, publish(&tenant(), &tagged(region))).await.status, status, "{region}");
    }
    let plain = script().saying("PutItem", [Said::done()]);
    answered(&plain, publish(&tenant(), &json!({"event": "a", "data": {}, "tags": {}}))).await;
    assert_eq!(plain.asked("PutItem")[0]["Item"].get("tags"), None, "no tags take no room");
}

#[tokio::test]
async fn a_type_that_no_dialect_has_is_taken_at_no_door() {
    let body = |event: &str| json!({"event": event, "data": {}});
    for event in ["orders/create", "orders#create", "a b", "a.*", "é"] {
        let answer = answered(&script(), publish(&tenant(), &body(event))).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("event")), "{event}");
        let mut theirs = body(event);
        theirs["tenant_id"] = json!(tenant().tenant_id());
        let answer = answered(&script(), publish(&provider(), &theirs)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("event")), "{event}");
    }
}

/// A type that wants an `amount`, or a closed deployment that knows it alone.
fn typed() -> Script {
    let about = About { schema: Some(r#"{"required":["amount"]}"#.to_owned()), ..About::default() };
    let kept = CataloguedType::new("invoice.paid".parse().unwrap(), about, None, Timestamp::UNIX_EPOCH);
    script().holding("config", [replay::keyed("EVENT_TYPES", "TYPE#invoice.paid", &kept)]).holding("events", [])
}

fn closed(script: &Script) -> Events {
    let config = ConfigTable::of(&script.sdk(sdk::over), "config");
    Events { catalogue: Catalogue::new(config, Openness::Closed), ..events(script) }
}

#[tokio::test]
async fn data_that_its_types_schema_does_not_take_is_put_by_no_door_and_refused_in_the_same_words() {
    let unfit = paid(&json!({"amuont": 1}));
    let answer = answered(&typed(), publish(&tenant(), &unfit)).await;
    let error = answer.body["error"].clone();
    assert_eq!((answer.status, &error["code"]), (422, &json!("unprocessable")), "{answer:?}");
    let told = json!({"field": "data", "expected": "what the schema of `invoice.paid` takes; all of it: expected the property `amount`",
        "errors": [{"path": "", "message": "expected the property `amount`"}]});
    assert_eq!(error["details"], told);
    let script = typed().saying("PutItem", [Said::done()]);
    let answer = answered(&script, batch(&[unfit, paid(&json!({"amount": 1}))])).await;
    assert_eq!(answer.body["results"][0]["error"], error);
    assert!(answer.body["results"][1]["id"].is_string(), "the other is taken: {answer:?}");
    assert_eq!(put(&script).len(), 1);
    let (is_done, notes) =
        heard(&typed().saying("SendMessage", [Said::done()]), &on_the_bus("Postrider Event", &detail())).await;
    assert_eq!(
        (is_done, &notes[0]["reason"], &notes[0]["errors"]),
        (true, &error["message"], &error["details"]["errors"])
    );
    assert_eq!(invoked(&typed(), &detail()).await.unwrap()["error"], error);
}

#[tokio::test]
async fn where_types_are_closed_an_unknown_one_is_refused_by_its_field() {
    let script = typed().saying("PutItem", repeat_with(Said::done));
    let ask = async |body: Value| Answer::of(&serve(&closed(&script), publish(&tenant(), &body).event()).await);
    assert_eq!(ask(paid(&json!({"amount": 1}))).await.status, 202);
    assert_eq!(ask(json!({"event": "dubbing.completed", "data": {}})).await.status, 202, "some dialect knows it alone");
    let answer = ask(json!({"event": "invoice.sent", "data": {}})).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (422, &json!("event")));
}

#[tokio::test(start_paused = true)]
async fn while_the_catalogue_cannot_be_read_nothing_slips_by() {
    let unread = || script().saying_about("GetItem", "EVENT_TYPES", repeat_with(Said::throttled));
    let answer = answered(&unread(), publish(&tenant(), &paid(&json!({})))).await;
    assert_eq!((answer.status, answer.headers["retry-after"].is_string()), (503, true), "{answer:?}");
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("safe"), "nothing was written: {answer:?}");
    let answer = answered(&unread(), batch(&[paid(&json!({})), json!({"event": "invoice.paid"})])).await;
    let codes = |place: usize| answer.body["results"][place]["error"]["code"].clone();
    assert_eq!((codes(0), codes(1)), (json!("unavailable"), json!("invalid_request")));
    assert_eq!(
        heard(&unread(), &on_the_bus("Postrider Event", &detail())).await,
        (false, Vec::new()),
        "it comes again"
    );
    assert!(invoked(&unread(), &detail()).await.is_err());
}

#[tokio::test]
async fn what_was_taken_before_its_schema_changed_is_answered_as_it_was() {
    let again = |data: &Value| publish(&tenant(), &paid(data)).header("idempotency-key", "invoice 7");
    let script = typed().holding("events", [json!(before())]).saying("PutItem", [Said::refused(&before())]);
    let answer = answered(&script, again(&json!({"a": 1}))).await;
    assert_eq!((answer.status, &answer.body["id"]), (202, &json!(before().id)), "{answer:?}");
    assert_eq!(answered(&script, again(&json!({"a": 2}))).await.status, 422, "another one is a new one");
    let none = typed().holding("events", []);
    assert_eq!(answered(&none, again(&json!({"a": 1}))).await.status, 422);
}

#[tokio::test]
async fn what_does_not_fit_uses_up_no_quota() {
    let about = About { schema: Some("false".to_owned()), ..About::default() };
    let kept = CataloguedType::new("invoice.paid".parse().unwrap(), about, None, Timestamp::UNIX_EPOCH);
    let script = taking().holding("config", [replay::keyed("EVENT_TYPES", "TYPE#invoice.paid", &kept)]);
    let events = events(&script);
    for _ in 0..40 {
        let answer = Answer::of(&serve(&events, batch_of(25).event()).await);
        assert_eq!(answer.body["results"][24]["error"]["code"], "unprocessable");
    }
    assert_eq!(script.asked("UpdateItem").len(), 0);
}

const SPAN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Where the events of an operator who has them traced are taken in; nobody listens for the spans.
fn tracing(script: &Script) -> Events {
    Events { traces: Traces::to("pr-events", None), ..events(script) }
}

#[tokio::test]
async fn an_event_keeps_its_producers_trace_where_events_are_traced_and_nothing_of_it_elsewhere() {
    let call = || publish(&tenant(), &paid(&json!({}))).header("TraceParent", SPAN);
    let script = script().saying("PutItem", repeat_with(Said::done));
    Answer::of(&serve(&tracing(&script), call().event()).await);
    let odd = call().header("TraceParent", "mine");
    assert_eq!(Answer::of(&serve(&tracing(&script), odd.event()).await).status, 202, "one that makes no sense is none");
    answered(&script, call()).await;
    let rows = put(&script);
    let kept: Vec<Option<&str>> = rows.iter().map(|row| row["traceparent"].as_str()).collect();
    let [Some(within), Some(of_its_own), None] = kept[..] else { panic!("{rows:?}") };
    assert!(within.starts_with(&SPAN[..36]) && within.ends_with("-01") && within != SPAN, "another span: {within}");
    assert!(!of_its_own.starts_with(&SPAN[..36]), "{of_its_own}");
    assert!(!rows[2].as_object().unwrap().contains_key("traceparent"));
}

#[tokio::test]
async fn who_brings_an_event_without_http_names_its_span_in_a_field() {
    let script = script().saying("PutItem", repeat_with(Said::done));
    let invoked = async |traceparent: Value| {
        let mut payload = paid(&json!({}));
        (payload["tenant_id"], payload["traceparent"]) = (json!(tenant().tenant_id()), traceparent);
        tracing(&script).answer(invocation(&payload)).await.unwrap()
    };
    let taken = invoked(json!(SPAN)).await;
    assert!(taken["id"].is_string(), "{taken}");
    assert!(put(&script)[0]["traceparent"].as_str().unwrap().starts_with(&SPAN[..36]));
    for odd in [json!("mine"), json!(7), json!(SPAN.to_uppercase())] {
        let refused = invoked(odd.clone()).await;
        assert_eq!(refused["error"]["details"]["field"], "traceparent", "{odd}: {refused}");
    }
    assert_eq!(put(&script).len(), 1);
}
