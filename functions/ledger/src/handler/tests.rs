//! What an owner is told of his deliveries, and what is asked of AWS for it.

use std::iter::repeat_with;

use jiff::{SignedDuration, Timestamp};
use postrider_api::{Access as _, Route, Routed as _, serve};
use postrider_aws::lanes::Lanes;
use postrider_aws::sdk;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::delivery::Status;
use postrider_domain::dialect::STANDARD;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::event::Event;
use postrider_domain::id::{CancellationId, RecoveryId};
use postrider_domain::key::Scope;
use postrider_domain::recovery::{Chosen, Progress, Recovery};
use replay::{Answer, Call, Caller as Someone, Said, Script, assert_scope, expression, keyed, sample};
use serde_json::{Value, json};

use postrider_api::document::fields_of;

use super::*;
use crate::requests::{Recover, RecoverJobs};

mod lists;
mod recoveries;
mod requests_again;
mod visitors;

pub(crate) fn ledger(script: &Script) -> Ledger {
    let sdk = script.sdk(sdk::over);
    let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
    let (events, retry_queue) = (EventsTable::of(&sdk, "events"), Queue::at(&sdk, "https://sqs.example/retry"));
    let jobs = JobsTable::of(&sdk, "jobs", events.clone());
    Ledger {
        credentials: Credentials::new(config.clone()),
        places: Places::new(config.clone(), jobs.clone()),
        rebuilder: Rebuilder::new(config.clone(), jobs.clone(), events.clone(), None),
        recoverer: Recoverer::new(
            config.clone(),
            deliveries.clone(),
            events.clone(),
            Lanes::of(retry_queue.clone(), Queue::at(&sdk, "https://sqs.example/slow")),
        ),
        retention: Retention { seconds: 90 * 86_400 },
        used_up: UsedUp::default(),
        config,
        deliveries,
        retry_queue,
        jobs,
        events,
    }
}

pub(crate) fn owner() -> Someone {
    Someone::of_tenant(1, &STANDARD, &Scope::of_a_tenant())
}

/// The same with a key that publishes, and so may remove what an event says.
fn owner_who_publishes() -> Someone {
    let mut owner = owner();
    owner.key.scopes.push(Scope::EventsWrite);
    owner
}

/// An AWS that knows the owner, his webhook and its event, and these deliveries. Retries are left.
pub(crate) fn script(deliveries: &[Delivery]) -> Script {
    with(&endpoint(), deliveries)
}

pub(crate) fn with(endpoint: &Endpoint, deliveries: &[Delivery]) -> Script {
    Script::default()
        .holding("config", owner_who_publishes().rows())
        .holding("config", [row(endpoint)])
        .holding("events", [json!(event())])
        .holding("deliveries", deliveries.iter().map(|row| json!(row)))
        .saying_about("UpdateItem", "RETRIES#", repeat_with(Said::done))
}

/// The updates of deliveries.
pub(crate) fn updates(script: &Script) -> Vec<Value> {
    let asked = script.asked("UpdateItem").into_iter();
    asked.filter(|update| update["TableName"] == "deliveries").collect()
}

pub(crate) fn row(endpoint: &Endpoint) -> Value {
    keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), endpoint)
}

pub(crate) fn endpoint() -> Endpoint {
    sample::endpoint(owner().tenant_id())
}

pub(crate) fn event() -> Event {
    sample::event(owner().tenant_id())
}

/// A delivery that nobody has tried.
fn pending() -> Delivery {
    Delivery::pending(&event(), endpoint().id, Timestamp::UNIX_EPOCH, 0)
}

/// One that was tried once, in its second round.
fn tried(status: Status, next_attempt_at: Option<Timestamp>) -> Delivery {
    let attempt = Attempt::internal(1, Mark::new(1), Timestamp::UNIX_EPOCH, "why");
    Delivery { status, next_attempt_at, attempts: vec![attempt], attempts_made: 1, round: 2, ..pending() }
}

fn another() -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, 2)
}

pub(crate) async fn answered(script: &Script, call: Call) -> Answer {
    Answer::of(&serve(&ledger(script), call.event()).await)
}

fn asking(what: &str) -> Call {
    Call::new("POST", &format!("/v1/deliveries/{}/{what}", pending().id)).by(&owner())
}

fn recover(body: &Value) -> Call {
    Call::new("POST", &format!("/v1/webhooks/{}/recover", endpoint().id)).by(&owner()).saying(body)
}

const KEPT: &str = "attribute_not_exists(expunged)";
const AS_READ: &str = "attempt = 1 AND round_from = 1 AND round = 2 AND ";

#[tokio::test]
async fn what_has_come_to_its_end_is_not_called_off() {
    for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
        let answer = answered(&script(&[tried(status, None)]), asking("cancel")).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")), "{status:?}");
    }
}

#[tokio::test]
async fn a_delivery_is_called_off_as_it_was_read_and_shown_as_it_is_then() {
    let (before, after) = (tried(Status::Retrying, Some(clock::now())), tried(Status::Cancelled, None));
    let rows = [Said::row(&before), Said::row(&after)];
    let script =
        with(&endpoint(), &[]).saying_about("GetItem", before.id.as_str(), rows).saying("UpdateItem", [Said::done()]);
    let answer = answered(&script, asking("cancel")).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("cancelled")), "{answer:?}");
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!(expression(&update, "ConditionExpression"), format!(r#"{AS_READ}status IN ("pending", "retrying")"#));
    let overtaken = self::script(&[before]).saying("UpdateItem", [Said::refused(&after)]);
    assert_eq!(answered(&overtaken, asking("cancel")).await.status, 409);
}

#[tokio::test]
async fn what_is_due_begins_no_new_round() {
    let now = clock::now();
    for row in [pending(), tried(Status::Retrying, Some(now)), tried(Status::Retrying, None)] {
        let answer = answered(&script(&[row]), asking("retry")).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (409, &json!("conflict")));
    }
}

#[tokio::test]
async fn a_retry_writes_its_round_and_then_sends_its_message() {
    let later = clock::now() + SignedDuration::from_hours(1);
    for before in [tried(Status::Failed, None), tried(Status::Retrying, Some(later))] {
        let script = script(std::slice::from_ref(&before)).saying("UpdateItem", [Said::done()]);
        let script = script.saying("SendMessage", [Said::done()]);
        let answer = answered(&script, asking("retry")).await;
        assert_eq!((answer.status, &answer.body["status"]), (202, &json!("retrying")), "{answer:?}");
        let acts: Vec<_> = script.operations().into_iter().filter(|operation| operation != "GetItem").collect();
        assert_eq!(acts, ["UpdateItem", "UpdateItem", "SendMessage"], "one is taken of those that are left");
        let update = updates(&script).remove(0);
        let status = json!(before.status);
        assert_eq!(expression(&update, "ConditionExpression"), format!("{AS_READ}status = {status} AND {KEPT}"));
        assert!(expression(&update, "UpdateExpression").contains("round = 3, round_from = 2"));
        let message = script.asked("SendMessage").remove(0);
        let body: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
        assert_eq!((&body["attempt"], &body["round"], &message["DelaySeconds"]), (&json!(2), &json!(3), &json!(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_overtaken_sends_nothing_and_one_whose_message_is_lost_is_left_to_the_sweep() {
    let overtaken = script(&[tried(Status::Failed, None)]).saying("UpdateItem", [Said::refused(&pending())]);
    assert_eq!(answered(&overtaken, asking("retry")).await.status, 409);
    let unsent = script(&[tried(Status::Failed, None)]).saying("UpdateItem", [Said::done()]);
    let unsent = unsent.saying("SendMessage", repeat_with(Said::lost).take(3));
    assert_eq!(answered(&unsent, asking("retry")).await.status, 202, "its row is due");
}

/// The row that says until when a webhook's retries are used up, so many milliseconds from now.
fn used_up(millis: i64) -> Value {
    let used = json!({"used_until": clock::now().as_millisecond() + millis, "changed_by": "somebody"});
    keyed(format!("TENANT#{}", owner().tenant_id()), format!("RETRIES#{}", endpoint().id), &used)
}

#[tokio::test]
async fn a_flood_of_retries_is_refused_without_a_write_and_then_without_a_call() {
    let script = script(&[tried(Status::Failed, None)]).holding("config", [used_up(60_000)]);
    let function = ledger(&script);
    let answered = async || Answer::of(&serve(&function, asking("retry").event()).await);
    let answer = answered().await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")), "{answer:?}");
    assert_eq!(answer.body["error"]["details"], json!({"quota": {"name": "retries", "limit": 60}}));
    let asked = script.operations();
    assert!(asked.iter().all(|operation| operation == "GetItem"), "{asked:?}");
    assert_eq!(answered().await.status, 429);
    assert_eq!(script.operations().len(), asked.len());
}

#[tokio::test]
async fn a_retry_is_taken_under_the_condition_that_one_is_left() {
    for (used, change, condition) in [
        (59_000, "used_until + 1000", " AND used_until <= "),
        (-1, " + 1000", "(attribute_not_exists(used_until) OR used_until <= "),
    ] {
        let script = script(&[tried(Status::Failed, None)]).holding("config", [used_up(used)]);
        let script = script.saying("UpdateItem", [Said::done()]).saying("SendMessage", [Said::done()]);
        assert_eq!(answered(&script, asking("retry")).await.status, 202);
        let update = script.asked("UpdateItem").remove(0);
        assert!(expression(&update, "UpdateExpression").contains(change), "{update}");
        let said = expression(&update, "ConditionExpression");
        assert!(said.contains(condition) && said.contains("changed_by <> "), "{said}");
    }
}

#[tokio::test]
async fn one_who_lost_the_last_retry_to_another_is_refused() {
    let known = Script::default().holding("config", owner().rows()).holding("config", [row(&endpoint())]);
    let known = known.holding("events", [json!(event())]).holding("deliveries", [json!(tried(Status::Failed, None))]);
    let there = json!({"used_until": clock::now().as_millisecond() + 60_000, "changed_by": "somebody"});
    let overtaken = known.saying_about("UpdateItem", "RETRIES#", [Said::refused(&there)]);
    assert_eq!(answered(&overtaken, asking("retry")).await.status, 429);
}

#[tokio::test]
async fn what_cannot_begin_uses_up_no_retry() {
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    let script = Script::default().holding("config", owner().rows()).holding("config", [row(&disabled)]);
    let script = script.holding("deliveries", [json!(tried(Status::Failed, None))]);
    assert_eq!(answered(&script, asking("retry")).await.status, 409);
    assert!(!script.operations().contains(&"UpdateItem".to_owned()));
}

#[tokio::test]
async fn a_round_that_could_only_be_called_off_does_not_begin() {
    let failed = [tried(Status::Failed, None)];
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    let deleted = Endpoint { deleted_at: Some(Timestamp::UNIX_EPOCH), ..endpoint() };
    for (webhook, why) in [(disabled, "disabled"), (deleted, "deleted")] {
        let answer = answered(&with(&webhook, &failed), asking("retry")).await;
        assert!(answer.status == 409 && answer.body.to_string().contains(why), "{answer:?}");
    }
    let script = Script::default().holding("config", owner().rows()).holding("config", [row(&endpoint())]);
    let script = script.holding("deliveries", [json!(failed[0])]).holding("events", []);
    let answer = answered(&script, asking("retry")).await;
    assert!(answer.status == 409 && answer.body.to_string().contains("event"), "{answer:?}");
    let script = Script::default().holding("config", owner().rows()).holding("deliveries", [json!(failed[0])]);
    assert_eq!(answered(&script, asking("retry")).await.status, 500, "missing is not deleted");
}

#[tokio::test]
async fn a_recovery_of_no_time_writes_nothing() {
    let ahead = (clock::now() + SignedDuration::from_hours(1)).to_string();
    for (body, status, field) in [
        (json!({}), 400, "since"),
        (json!({"since": "yesterday"}), 400, "since"),
        (json!({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}), 422, "since"),
        (json!({"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}), 422, "since"),
        (json!({"since": ahead}), 422, "since"),
        (json!({"since": "2026-01-01T00:00:00Z", "dry_run": true}), 400, "dry_run"),
    ] {
        let answer = answered(&script(&[]), recover(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)), "{body}");
    }
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    let answer = answered(&with(&disabled, &[]), recover(&json!({"since": "2026-01-01T00:00:00Z"}))).await;
    assert_eq!(answer.status, 409);
}

#[tokio::test]
async fn a_recovery_of_a_slow_webhook_goes_by_the_queue_of_those() {
    let until = (Timestamp::now() + SignedDuration::from_secs(600)).as_second();
    let slow = json!({"pk": format!("TENANT#{}", endpoint().tenant_id), "sk": "SLOW", endpoint().id.as_str(): until});
    for (rows, queue) in [(vec![slow], "slow"), (vec![], "retry")] {
        let script = script(&[])
            .holding("config", rows)
            .saying("TransactWriteItems", [Said::done(), Said::done()])
            .saying("Query", [Said::rows(&[&tried(Status::Failed, None)])])
            .saying("UpdateItem", [Said::done()])
            .saying("SendMessageBatch", [Said::done()]);
        answered(&script, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await;
        assert_eq!(script.asked("SendMessageBatch")[0]["QueueUrl"], format!("https://sqs.example/{queue}"));
    }
}

#[tokio::test]
async fn a_recovery_is_noted_and_begins_while_its_caller_waits() {
    let missed = tried(Status::Failed, None);
    let script = script(&[])
        .saying("TransactWriteItems", [Said::done(), Said::done()])
        .saying("Query", [Said::rows(&[&missed])])
        .saying("UpdateItem", [Said::done()])
        .saying("SendMessageBatch", [Said::body(json!({"Successful": [], "Failed": []}))]);
    let answer = answered(&script, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = &answer.body["recovery_id"];
    let puts = |n: usize| script.asked("TransactWriteItems")[n]["TransactItems"].clone();
    let begun = puts(0);
    assert_eq!((&begun[0]["Put"]["Item"]["id"], &begun[1]["Put"]["Item"]["pk"]), (id, &json!("RECOVERIES")));
    let update = updates(&script).remove(0);
    assert_eq!(expression(&update, "ConditionExpression"), format!(r#"{AS_READ}status = "failed" AND {KEPT}"#));
    assert!(expression(&update, "UpdateExpression").contains(&format!("recovered_by = {id}")));
    assert_eq!(script.asked("SendMessageBatch")[0]["Entries"].as_array().unwrap().len(), 1);
    let done = puts(1);
    let item = &done[0]["Put"]["Item"];
    assert_eq!((&item["status"], &item["found"], &item["requeued"]), (&json!("done"), &json!(1), &json!(1)));
    assert_eq!(done[1]["Delete"]["Key"]["pk"], "RECOVERIES");
    let counted = |write: &Value, change: &str| {
        let update = &write["Update"];
        assert_eq!(update["Key"]["sk"], "RECOVERING");
        assert_eq!(update["UpdateExpression"], format!("{change} running :ids"));
        assert_eq!(update["ExpressionAttributeValues"][":ids"], json!([id]));
    };
    counted(&begun[2], "ADD");
    let condition = expression(&begun[2]["Update"], "ConditionExpression");
    assert_eq!(condition, "attribute_not_exists(running) OR size(running) < 2");
    counted(&done[2], "DELETE");
}

/// The rows of recoveries of the owner's, told apart by their numbers, and of the list of those that run.
fn running(numbers: &[u64], rows: &[(u64, Progress)]) -> Vec<Value> {
    let place = format!("TENANT#{}", owner().tenant_id());
    let id = |number: u64| RecoveryId::new(Timestamp::UNIX_EPOCH, number);
    let row = |(number, status): &(u64, Progress)| {
        let row = Recovery { id: id(*number), status: *status, ..a_recovery() };
        keyed(place.clone(), format!("RECOVERY#{}", row.id), &row)
    };
    let ids: Vec<_> = numbers.iter().map(|number| id(*number)).collect();
    let list = keyed(place.clone(), "RECOVERING", &json!({"running": {"SS": ids}}));
    rows.iter().map(row).chain([list]).collect()
}

#[tokio::test]
async fn of_two_recoveries_that_run_a_third_is_refused_without_a_write() {
    let both = running(&[1, 2], &[(1, Progress::Running), (2, Progress::Running)]);
    let script = script(&[]).holding("config", both);
    let answer = answered(&script, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (429, &json!("quota_exceeded")), "{answer:?}");
    assert_eq!(answer.body["error"]["details"], json!({"quota": {"name": "recoveries", "limit": 2}}));
}

#[tokio::test]
async fn one_that_no_longer_runs_takes_no_place() {
    // One has ended, of the other there is no row.
    let script = script(&[])
        .holding("config", running(&[1, 2], &[(1, Progress::Done)]))
        .saying("TransactWriteItems", [Said::done(), Said::done(), Said::done()])
        .saying("Query", [Said::rows::<Value>(&[])]);
    let answer = answered(&script, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let dropped = &script.asked("TransactWriteItems")[0]["TransactItems"][0]["Update"];
    assert_eq!(dropped["UpdateExpression"], "DELETE running :ids");
    assert_eq!(dropped["ExpressionAttributeValues"][":ids"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn of_those_who_race_for_the_last_recovery_one_begins() {
    let full = running(&[1, 2], &[]).remove(0);
    let refusal = Said::cancelled(&[Err("None"), Err("None"), Ok(full)]);
    let both = [(1, Progress::Running), (2, Progress::Running)];
    let list = running(&[1, 2], &both);
    let place = |said: Said| script(&[]).saying_about("GetItem", "RECOVERING", [said, Said::row(&list[2])]);
    let racing = place(Said::done()).holding("config", list[..2].to_vec()).saying("TransactWriteItems", [refusal]);
    let answer = answered(&racing, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await;
    assert_eq!(answer.status, 429, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_fails_half_way_is_left_to_the_sweep() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let script = script.saying("Query", repeat_with(Said::lost).take(3));
    assert_eq!(answered(&script, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await.status, 202);
}

#[tokio::test]
async fn a_list_is_held_to_its_filter() {
    let list = format!("/v1/webhooks/{}/deliveries", endpoint().id);
    let elsewhere = DeliveryId::new(Timestamp::UNIX_EPOCH, &EndpointId::new(Timestamp::UNIX_EPOCH, 9), &event().id);
    let cursor = postrider_api::Cursor::write(elsewhere.as_str());
    for (query, status) in [
        ("?status=lost".to_owned(), 400),
        ("?event=no%20type".to_owned(), 400),
        ("?since=yesterday".to_owned(), 400),
        ("?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z".to_owned(), 422),
        (format!("?cursor={cursor}"), 400),
    ] {
        let answer = answered(&script(&[]), Call::new("GET", &format!("{list}{query}")).by(&owner())).await;
        assert_eq!(answer.status, status, "{query}");
    }
    let script = script(&[]).saying("Query", [Said::rows(&[tried(Status::Failed, None)])]);
    let answer = answered(&script, Call::new("GET", &format!("{list}?status=failed&limit=7")).by(&owner())).await;
    assert_eq!((answer.status, &answer.body["deliveries"][0]["url"]), (200, &json!("https://hooks.example/")));
    let query = script.asked("Query").remove(0);
    assert_eq!(
        (expression(&query, "FilterExpression"), &query["Limit"]),
        (r#"status = "failed""#.to_owned(), &json!(50))
    );
}

#[tokio::test]
async fn what_a_lost_webhook_was_sent_is_shown_to_its_owner_alone() {
    let list = Call::new("GET", &format!("/v1/webhooks/{}/deliveries", endpoint().id)).by(&owner());
    for (tenant_id, status) in [(owner().tenant_id(), 200), (another(), 404)] {
        let rows = [Delivery { tenant_id, ..tried(Status::Failed, None) }];
        let script = Script::default().holding("config", owner().rows());
        let script = script.saying("Query", repeat_with(move || Said::rows(&rows)));
        assert_eq!(answered(&script, list.clone()).await.status, status);
    }
}

/// A call of each route, on the one webhook and its delivery.
fn calls() -> impl Iterator<Item = (&'static Route<Ledger>, Call)> {
    let recovery = RecoveryId::new(Timestamp::UNIX_EPOCH, 1);
    Ledger::ROUTES.iter().map(move |route| {
        let id = match route.path.split('/').nth(2) {
            Some("webhooks") => endpoint().id.to_string(),
            Some("events") => event().id.to_string(),
            _ => pending().id.to_string(),
        };
        let path = route.path.replace("{id}", &id).replace("{recovery_id}", recovery.as_str());
        let path = path.replace("{cancellation_id}", "can_0000000000000001");
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
async fn another_tenants_webhooks_and_deliveries_are_none() {
    let theirs = Delivery { tenant_id: another(), ..tried(Status::Failed, None) };
    for (_, call) in calls().filter(|(route, _)| route.path.contains("{id}")) {
        let script = with(&Endpoint { tenant_id: another(), ..endpoint() }, std::slice::from_ref(&theirs));
        let script = script
            .saying_about("UpdateItem", "expunged_at", [Said::refused(&json!({}))])
            .saying("Query", [Said::rows(std::slice::from_ref(&theirs))]);
        let call =
            if call.path().ends_with("/send") { call.saying(&json!({"webhook_id": endpoint().id})) } else { call };
        let answer = answered(&script, call.clone().by(&owner_who_publishes())).await;
        assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("not_found")), "{call:?}");
    }
}

fn a_recovery() -> Recovery {
    Recovery {
        id: RecoveryId::new(Timestamp::UNIX_EPOCH, 1),
        tenant_id: owner().tenant_id(),
        endpoint_id: endpoint().id,
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::UNIX_EPOCH,
        chosen: Chosen::default(),
        status: Progress::Running,
        found: 7,
        requeued: 5,
        after: None,
        listed_after: None,
        probed: false,
        expires_at: 0,
    }
}

#[tokio::test]
async fn a_recovery_is_one_of_its_webhook() {
    let recovery = a_recovery();
    let place = keyed(format!("TENANT#{}", recovery.tenant_id), format!("RECOVERY#{}", recovery.id), &recovery);
    for (webhook, status) in [(endpoint().id, 200), (EndpointId::new(Timestamp::UNIX_EPOCH, 9), 404)] {
        let path = format!("/v1/webhooks/{webhook}/recover/{}", recovery.id);
        let script = script(&[]).holding("config", [place.clone()]);
        assert_eq!(answered(&script, Call::new("GET", &path).by(&owner())).await.status, status);
    }
}

#[tokio::test]
async fn a_query_that_no_route_knows_is_refused_and_nothing_is_written() {
    for (_, call) in calls() {
        let call = call.by(&owner_who_publishes()).query("dry_run=true");
        let call =
            if call.path().ends_with("/send") { call.saying(&json!({"webhook_id": endpoint().id})) } else { call };
        let answer = answered(&script(&[tried(Status::Failed, None)]), call.clone()).await;
        // Jobs' errors have no field of their own, and name it in their words.
        let is_named =
            answer.body.to_string().contains("`dry_run`") || answer.body["error"]["details"]["field"] == "dry_run";
        assert!(answer.status == 400 && is_named, "{call:?} {answer:?}");
    }
}

/// A delivery that was tried so often, and of whose attempts the first so many have moved.
fn tried_often(attempts: u32, moved: u32) -> (Delivery, Value) {
    let attempt = |n: u32| Attempt::internal(n, Mark::new(n.into()), Timestamp::from_second(n.into()).unwrap(), "why");
    let all: Vec<Attempt> = (1..=attempts).map(attempt).collect();
    let (earlier, here) = all.split_at(moved as usize);
    let row = Delivery { attempts: here.to_vec(), attempts_made: attempts, moved, ..tried(Status::Failed, None) };
    let apart = json!({"endpoint_id": row.id, "id": "1970-01-01T00:00:00.000Z#000000", "tenant_id": row.tenant_id, "attempts": earlier, "expires_at": 0});
    (row, apart)
}

fn numbers(delivery: &Value) -> Vec<u64> {
    delivery["attempts"].as_array().unwrap().iter().map(|attempt| attempt["number"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn all_attempts_are_shown_page_by_page_wherever_they_lie() {
    let (row, apart) = tried_often(230, 225);
    let path = format!("/v1/deliveries/{}", row.id);
    let shown = async |query: &str| {
        let script = script(std::slice::from_ref(&row)).saying("Query", [Said::rows(&[&apart])]);
        answered(&script, Call::new("GET", &path).query(query).by(&owner())).await
    };
    let mut body = shown("").await.body;
    assert_eq!(numbers(&body), (1..=100).collect::<Vec<_>>());
    let mut seen = numbers(&body);
    while body["pagination"]["has_more"] == json!(true) {
        let cursor = body["pagination"]["next_cursor"].as_str().unwrap().to_owned();
        body = shown(&format!("cursor={cursor}")).await.body;
        seen.extend(numbers(&body));
    }
    assert_eq!((seen, numbers(&body).len()), ((1..=230).collect(), 30));
    assert_eq!(numbers(&shown("limit=7").await.body), (1..=7).collect::<Vec<_>>());
    assert_eq!(shown("limit=0").await.status, 400);
    assert_eq!(shown("cursor=abc").await.status, 400);
}

#[tokio::test]
async fn what_was_tried_less_than_a_hundred_times_has_one_page_and_costs_no_further_read() {
    let path = format!("/v1/deliveries/{}", pending().id);
    let script = script(&[tried(Status::Failed, None)]);
    let body = answered(&script, Call::new("GET", &path).by(&owner())).await.body;
    assert_eq!((numbers(&body), body.get("pagination")), (vec![1], None));
    assert!(script.asked("Query").is_empty());
}

#[tokio::test]
async fn a_list_shows_the_first_hundred_of_each_and_where_the_others_begin() {
    let (row, apart) = tried_often(150, 145);
    let path = format!("/v1/webhooks/{}/deliveries", endpoint().id);
    let rows = [json!(row), json!(tried(Status::Failed, None))];
    let script = script(&[]).saying_about("Query", ":lower", [Said::rows(&rows)]).saying_about(
        "Query",
        ":delivery",
        [Said::rows(&[apart])],
    );
    let body = answered(&script, Call::new("GET", &path).by(&owner())).await.body;
    let [often, once] = [0, 1].map(|n| &body["deliveries"][n]);
    assert_eq!((numbers(often).len(), &often["pagination"]["has_more"]), (100, &json!(true)));
    assert_eq!((numbers(once), once.get("pagination")), (vec![1], None));
    assert_eq!(script.asked("Query").len(), 2, "only what has moved is read along");
}

#[tokio::test]
async fn a_list_of_what_was_tried_very_often_holds_fewer_deliveries() {
    let (row, apart) = tried_often(300, 295);
    let path = format!("/v1/webhooks/{}/deliveries", endpoint().id);
    let script = script(&[]).saying_about("Query", ":lower", [Said::rows(&vec![row.clone(); 40])]).saying_about(
        "Query",
        ":delivery",
        repeat_with(move || Said::rows(&[&apart])),
    );
    let body = answered(&script, Call::new("GET", &path).by(&owner())).await.body;
    let shown = body["deliveries"].as_array().unwrap().len();
    assert!((10..40).contains(&shown) && body["pagination"]["has_more"] == json!(true), "{shown}");
}

#[tokio::test]
async fn the_document_has_the_fields_that_are_read() {
    let answer = answered(&script(&[]), recover(&json!({"since": "1970-01-01T00:00:00Z", "?": 1}))).await;
    let known = "since, until, events, statuses, count_only, never_matched";
    assert_eq!(answer.body["error"]["details"]["expected"], format!("only the fields {known}"));
    let mut fields: Vec<_> = known.split(", ").collect();
    fields.sort_unstable();
    assert_eq!(
        (fields_of::<Recover>(), fields_of::<RecoverJobs>()),
        (fields.iter().map(ToString::to_string).collect(), fields.iter().map(ToString::to_string).collect())
    );
}

/// A delivery of an event of so many seconds after 1970, that ended so at its one attempt.
fn ended(second: i64, status: Status) -> Delivery {
    let at = Timestamp::from_second(second).unwrap();
    let attempt = Attempt { duration_ms: 40, ..Attempt::internal(1, Mark::new(1), at, "why") };
    let outcome = if status == Status::Succeeded { "succeeded" } else { "status_500" };
    let attempt = Attempt { outcome: outcome.to_owned(), error: None, ..attempt };
    let event = Event { timestamp: at, ..event() };
    Delivery { status, attempts: vec![attempt], ..Delivery::pending(&event, endpoint().id, at, 0) }
}

fn stats(query: &str) -> Call {
    Call::new("GET", &format!("/v1/webhooks/{}/stats", endpoint().id)).by(&owner()).query(query)
}

/// A page after which there is another.
fn page(rows: &[Delivery]) -> Said {
    let items: Vec<_> = rows.iter().map(replay::item).collect();
    Said::body(json!({"Items": items, "LastEvaluatedKey": replay::item(&json!({"id": rows.last().unwrap().id}))}))
}

#[tokio::test]
async fn statistics_are_counted_page_by_page_from_the_newest_on() {
    let (newer, older) = (ended(7_000, Status::Succeeded), ended(100, Status::Failed));
    let script = script(&[]).saying("Query", [page(std::slice::from_ref(&newer)), Said::rows(&[&older, &pending()])]);
    let answer = answered(&script, stats("since=1970-01-01T00:00:00Z&until=1970-01-01T02:00:00Z")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = &answer.body;
    let counts = json!({"pending": 1, "retrying": 0, "succeeded": 1, "failed": 1, "cancelled": 0});
    assert_eq!((&body["deliveries"], &body["seen"], &body["complete"]), (&counts, &json!(3), &json!(true)));
    assert_eq!(body["outcomes"], json!({"status_500": 1, "succeeded": 1}));
    assert_eq!((&body["success_rate"], &body["duration_ms"]), (&json!(0.5), &json!({"p50": 40, "p95": 40})));
    assert_eq!(body["bucket_seconds"], 300);
    let buckets = body["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 24);
    assert_eq!(buckets[23], json!({"from": "1970-01-01T01:55:00.000Z", "succeeded": 1, "failed": 0}).clone());
    let asked = script.asked("Query");
    let half_price = |query: &Value| (query["ScanIndexForward"].clone(), query["ConsistentRead"].clone());
    assert!(asked.iter().all(|query| half_price(query) == (json!(false), json!(false))), "{asked:?}");
    assert_eq!(asked[1]["ExclusiveStartKey"]["id"], json!(newer.id), "{asked:?}");
    assert_eq!((&asked[0]["Limit"], &asked[1]["Limit"]), (&json!(2000), &json!(1999)));
}

#[tokio::test]
async fn statistics_say_where_there_is_more_than_a_call_reads() {
    let rows: Vec<Delivery> = (0..2_000).rev().map(|second| ended(3_600 + second, Status::Succeeded)).collect();
    for (last, complete) in [(Said::rows::<Delivery>(&[]), true), (Said::rows(&[ended(1, Status::Failed)]), false)] {
        let script = script(&[]).saying("Query", [page(&rows), last]);
        let answer = answered(&script, stats("since=1970-01-01T00:00:00Z&until=1970-01-01T02:00:00Z")).await;
        assert_eq!((&answer.body["seen"], &answer.body["complete"]), (&json!(2000), &json!(complete)), "{answer:?}");
        let first = if complete { "1970-01-01T00:00:00.000Z" } else { "1970-01-01T01:00:00.000Z" };
        assert_eq!(answer.body["buckets"][0]["from"], first);
        assert_eq!(script.asked("Query").len(), 2);
    }
}

#[tokio::test]
async fn statistics_of_endless_rows_end_after_so_many_pages() {
    let row = ended(7_000, Status::Succeeded);
    let script = script(&[]).saying("Query", repeat_with(move || page(std::slice::from_ref(&row))));
    let answer = answered(&script, stats("since=1970-01-01T00:00:00Z")).await;
    assert_eq!((&answer.body["seen"], &answer.body["complete"]), (&json!(16), &json!(false)));
}

#[tokio::test]
async fn the_usual_span_is_a_day_that_ends_with_the_next_minute() {
    let script = script(&[]).saying("Query", [Said::rows::<Delivery>(&[])]);
    let answer = answered(&script, stats("")).await;
    let time = |name: &str| answer.body[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(time("until").duration_since(time("since")), SignedDuration::from_hours(24));
    assert!(time("until") > Timestamp::now() && time("until").as_second() % 60 == 0, "{answer:?}");
    assert_eq!(answer.body["success_rate"], Value::Null);
    assert!((24..=25).contains(&answer.body["buckets"].as_array().unwrap().len()), "{answer:?}");
}

fn cancel_pending() -> Call {
    Call::new("POST", &format!("/v1/webhooks/{}/cancel-pending", endpoint().id)).by(&owner())
}

fn with_cancellation(status: Progress, found: u64) -> Cancellation {
    Cancellation {
        id: CancellationId::new(Timestamp::UNIX_EPOCH, 1),
        tenant_id: owner().tenant_id(),
        endpoint_id: endpoint().id,
        at: Timestamp::UNIX_EPOCH,
        status,
        found,
        cancelled: found,
        after: None,
        expires_at: 0,
    }
}

#[tokio::test]
async fn all_that_waits_is_called_off_and_noted_with_its_place_given_back() {
    let (waiting, by_another) = (tried(Status::Retrying, None), ended(5, Status::Cancelled));
    let gone_on = Delivery { attempts_made: 2, ..waiting.clone() };
    let script = script(std::slice::from_ref(&gone_on))
        .saying("TransactWriteItems", [Said::done(), Said::done()])
        .saying("Query", [Said::rows(&[&waiting, &by_another])])
        .saying("UpdateItem", [Said::refused(&gone_on), Said::done()]);
    let answer = answered(&script, cancel_pending()).await;
    assert_eq!((answer.status, &answer.body["complete"]), (202, &json!(false)), "this table keeps no puts: {answer:?}");
    let id = &answer.body["cancellation_id"];
    let puts = |n: usize| script.asked("TransactWriteItems")[n]["TransactItems"].clone();
    let begun = puts(0);
    assert_eq!(begun[0]["Put"]["Item"]["sk"], format!("CANCELLATION#{}", id.as_str().unwrap()));
    assert_eq!(
        (&begun[1]["Put"]["Item"]["pk"], &begun[2]["Update"]["Key"]["sk"]),
        (&json!("RECOVERIES"), &json!("RECOVERING"))
    );
    let updates = updates(&script);
    assert_eq!(updates.len(), 2, "an attempt ended meanwhile, so the row is looked at again");
    let condition = |n: usize| expression(&updates[n], "ConditionExpression");
    assert!(condition(0).starts_with(AS_READ) && condition(1).starts_with("attempt = 2 AND"), "{}", condition(1));
    assert!(expression(&updates[1], "UpdateExpression").contains(&format!("called_off_by = {id}")));
    let done = puts(1);
    let item = &done[0]["Put"]["Item"];
    assert_eq!((&item["status"], &item["found"], &item["cancelled"]), (&json!("done"), &json!(1), &json!(1)));
    assert_eq!(
        (&done[1]["Delete"]["Key"]["pk"], &done[2]["Update"]["UpdateExpression"]),
        (&json!("RECOVERIES"), &json!("DELETE running :ids"))
    );
}

#[tokio::test]
async fn what_ended_or_was_asked_for_meanwhile_is_found_and_not_called_off() {
    let waiting = tried(Status::Retrying, None);
    let ended = Delivery { status: Status::Succeeded, ..waiting.clone() };
    let asked_for =
        waiting.recovered(&RecoveryId::new(Timestamp::UNIX_EPOCH, 1), Timestamp::now() + SignedDuration::from_secs(9));
    for now in [ended, asked_for] {
        let script = script(std::slice::from_ref(&now))
            .saying("TransactWriteItems", [Said::done(), Said::done()])
            .saying("Query", [Said::rows(std::slice::from_ref(&waiting))])
            .saying("UpdateItem", [Said::refused(&now)]);
        answered(&script, cancel_pending()).await;
        let item = script.asked("TransactWriteItems")[1]["TransactItems"][0]["Put"]["Item"].clone();
        assert_eq!((&item["status"], &item["found"], &item["cancelled"]), (&json!("done"), &json!(1), &json!(0)));
    }
}

#[tokio::test]
async fn what_cannot_be_called_off_now_is_left_to_the_sweep() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]).saying("Query", repeat_with(Said::throttled));
    let answer = answered(&script, cancel_pending()).await;
    let body = &answer.body;
    assert_eq!((answer.status, &body["found"], &body["complete"]), (202, &json!(0), &json!(false)), "{answer:?}");
}

#[tokio::test]
async fn a_cancellation_has_one_of_the_places_of_recoveries() {
    let all = with_cancellation(Progress::Running, 0);
    let place = format!("TENANT#{}", owner().tenant_id());
    let list = keyed(place.clone(), "RECOVERING", &json!({"running": {"SS": [all.id, a_recovery().id]}}));
    let recovery = keyed(place.clone(), format!("RECOVERY#{}", a_recovery().id), &a_recovery());
    let of = |all: &Cancellation| keyed(place.clone(), format!("CANCELLATION#{}", all.id), all);
    let full = script(&[]).holding("config", [list.clone(), recovery.clone(), of(&all)]);
    assert_eq!(answered(&full, cancel_pending()).await.status, 429);
    assert_eq!(answered(&full, recover(&json!({"since": "1970-01-01T00:00:00Z"}))).await.status, 429);
    let done = script(&[])
        .holding("config", [list, recovery, of(&with_cancellation(Progress::Done, 3))])
        .saying("TransactWriteItems", repeat_with(Said::done))
        .saying("Query", [Said::rows::<Delivery>(&[])]);
    assert_eq!(answered(&done, cancel_pending()).await.status, 202, "one that is done gives its place back");
}

#[tokio::test]
async fn a_cancellation_is_one_of_its_webhook_and_a_delivery_says_which_called_it_off() {
    let all = with_cancellation(Progress::Done, 3);
    let place = keyed(format!("TENANT#{}", all.tenant_id), format!("CANCELLATION#{}", all.id), &all);
    for (webhook, status) in [(endpoint().id, 200), (EndpointId::new(Timestamp::UNIX_EPOCH, 9), 404)] {
        let path = format!("/v1/webhooks/{webhook}/cancel-pending/{}", all.id);
        let answer =
            answered(&script(&[]).holding("config", [place.clone()]), Call::new("GET", &path).by(&owner())).await;
        assert_eq!(answer.status, status);
        assert!(
            status == 404 || answer.body["complete"] == json!(true) && answer.body["found"] == json!(3),
            "{answer:?}"
        );
    }
    let shown = async |status| {
        let row = Delivery { called_off_by: Some(all.id.clone()), ..tried(status, None) };
        let path = format!("/v1/deliveries/{}", row.id);
        answered(&script(&[row]), Call::new("GET", &path).by(&owner())).await.body["cancellation_id"].clone()
    };
    assert_eq!((shown(Status::Cancelled).await, shown(Status::Retrying).await), (json!(all.id), Value::Null));
}
