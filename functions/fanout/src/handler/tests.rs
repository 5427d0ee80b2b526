//! What becomes of a batch's records, each by itself, and what is asked of AWS for it.

use std::collections::BTreeSet;
use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_aws::sdk;
use postrider_domain::catalogue::{About, CataloguedType, Openness};
use postrider_domain::dialect::STANDARD;
use postrider_domain::event::Announce;
use postrider_domain::id::{EndpointId, EventId, JobId, TenantId};
use postrider_domain::traceparent::Traceparent;
use postrider_host::clock;
use replay::{Caller, Said, Script, item, keyed};
use serde_json::{Value, json};

use super::*;

pub(crate) fn fanout(script: &Script) -> Fanout {
    let sdk = script.sdk(sdk::over);
    Fanout {
        producers: Producers::new(ConfigTable::of(&sdk, "config")),
        config: ConfigTable::of(&sdk, "config"),
        events: EventsTable::of(&sdk, "events"),
        deliveries: DeliveriesTable::of(&sdk, "deliveries"),
        deliver_queue: Queue::at(&sdk, "deliver"),
        slow_queue: Queue::at(&sdk, "slow"),
        quarantine: SetAsideQueue::at(&sdk, "quarantine"),
        unfinished: SetAsideQueue::at(&sdk, "unfinished"),
        continuation: SetAsideQueue::at(&sdk, "continuation"),
        bus: Bus::of(&sdk, "bus"),
        retention: Retention { seconds: 90 * 86_400 },
        announced: Announced::default(),
        at_work: Semaphore::new(ROWS_AT_ONCE),
        catalogue: Catalogue::new(ConfigTable::of(&sdk, "config"), Openness::Open),
        traces: Traces::default(),
    }
}

pub(crate) fn tenant(number: u64) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, number)
}

fn webhook(number: u64) -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH, number)
}

/// An event of a tenant's, both of this number.
pub(crate) fn event(number: u64) -> Event {
    let now = clock::now();
    Event {
        tenant_id: tenant(number),
        id: EventId::fresh(number.into()),
        event_type: "ping".parse().unwrap(),
        data: "{}".to_owned(),
        timestamp: now,
        expires_at: now.as_second() + 200 * 86_400,
        ours: false,
        counted: true,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    }
}

/// The stream's record of a row that was put just now.
fn record(row: &Value) -> Box<RawValue> {
    let keys = json!({"tenant_id": row["tenant_id"], "id": row["id"]});
    let change = json!({
        "ApproximateCreationDateTime": clock::now().as_second(),
        "Keys": item(&keys),
        "NewImage": item(row),
        "SequenceNumber": "7",
        "SizeBytes": 7,
        "StreamViewType": "NEW_IMAGE",
    });
    let record = json!({"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "eu-central-1", "dynamodb": change});
    RawValue::from_string(record.to_string()).unwrap()
}

pub(crate) fn batch(events: &[Event]) -> Vec<Box<RawValue>> {
    events.iter().map(|event| record(&json!(event))).collect()
}

/// The query for a tenant's subscriptions under a pattern.
pub(crate) fn subscriptions(tenant: &TenantId, pattern: &str) -> String {
    format!("SUBSCRIPTION#{tenant}#{pattern}")
}

fn subscribed(webhooks: &[EndpointId]) -> Said {
    let rows: Vec<_> = webhooks.iter().map(|webhook| json!({"sk": webhook, "dialect": "standard"})).collect();
    Said::rows(&rows)
}

/// An AWS in which the webhook of a tenant's number asks for everything of his.
pub(crate) fn script(numbers: &[u64]) -> Script {
    asking(Script::default(), numbers)
}

fn asking(script: Script, numbers: &[u64]) -> Script {
    let asks = |script: Script, number: &u64| {
        let webhooks = [webhook(*number)];
        let query = subscriptions(&tenant(*number), "*");
        script.saying_about("Query", query, repeat_with(move || subscribed(&webhooks)))
    };
    numbers.iter().fold(script, asks).saying("Query", repeat_with(|| subscribed(&[])))
}

/// The same, where all puts and messages are taken, and nobody is slow.
pub(crate) fn taking(script: Script) -> Script {
    script
        .holding("config", [])
        .saying("BatchExecuteStatement", repeat_with(|| Said::body(json!({"Responses": [{}]}))))
        .saying("BatchWriteItem", repeat_with(Said::done))
        .saying("SendMessageBatch", repeat_with(Said::done))
}

/// The messages that were sent to a queue, with the delay of each.
pub(crate) fn sent(script: &Script, queue: &str) -> Vec<(Value, Value)> {
    let batches = script.asked("SendMessageBatch").into_iter().filter(|call| call["QueueUrl"] == queue);
    let entries = batches.flat_map(|call| call["Entries"].as_array().unwrap().clone());
    let message = |entry: Value| {
        let body = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        (body, entry["DelaySeconds"].clone())
    };
    entries.map(message).collect()
}

fn first_attempt_at(number: u64) -> impl Fn(&(Value, Value)) -> bool {
    move |(message, delay)| {
        message["endpoint_id"] == webhook(number).as_str() && message["attempt"] == 1 && delay.is_null()
    }
}

#[tokio::test]
async fn a_row_is_put_before_its_message_is_sent() {
    let script = taking(script(&[1]));
    fanout(&script).handle(&batch(&[event(1)])).await.unwrap();
    let others = ["Query", "BatchGetItem", "BatchWriteItem"];
    let writes: Vec<_> = script.operations().into_iter().filter(|name| !others.contains(&name.as_str())).collect();
    assert_eq!(writes, ["BatchExecuteStatement", "SendMessageBatch"]);
    let put = script.asked("BatchExecuteStatement")[0]["Statements"][0].clone();
    assert!(put["Statement"].as_str().unwrap().starts_with(r#"INSERT INTO "deliveries" VALUE {"#), "none is put over");
    let messages = sent(&script, "deliver");
    assert!(messages.len() == 1 && messages.iter().all(first_attempt_at(1)), "{messages:?}");
}

/// The rows of the list of events that were put.
fn listed(script: &Script) -> Vec<Value> {
    let puts = script.asked("BatchWriteItem").into_iter();
    puts.flat_map(|put| put["RequestItems"]["deliveries"].as_array().unwrap().clone()).collect()
}

#[tokio::test]
async fn events_are_listed_by_batch_and_tenant_also_those_that_nobody_asks_for() {
    let script = taking(script(&[]));
    let second = Event { id: EventId::fresh(9), ..event(1) };
    let created = Event { ours: true, announce: Some(Announce::JobCreated), ..event(2) };
    let script = script.saying("PutEvents", [Said::body(json!({"FailedEntryCount": 0, "Entries": [{}]}))]);
    fanout(&script).handle(&batch(&[event(1), second, event(3), created])).await.unwrap();
    let rows = listed(&script);
    let lists: BTreeSet<_> = rows.iter().map(|put| put["PutRequest"]["Item"]["endpoint_id"].to_string()).collect();
    assert_eq!((script.asked("BatchWriteItem").len(), rows.len(), lists.len()), (1, 2, 2), "{rows:?}");
    assert!(sent(&script, "unfinished").is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_listed_comes_again_for_that_alone() {
    let throttled = script(&[1]).saying("BatchWriteItem", repeat_with(Said::throttled));
    let script = taking(throttled);
    fanout(&script).handle(&batch(&[event(1)])).await.unwrap();
    assert_eq!(sent(&script, "deliver").len(), 1, "it is sent meanwhile");
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["to_do"], &left[0].0["keys"]["id"]), (1, &json!("list"), &json!(event(1).id)));
}

#[tokio::test]
async fn one_that_asks_twice_gets_an_event_once_and_each_pattern_is_looked_up_once_a_batch() {
    let asking = [webhook(1)];
    let both = Script::default().saying("Query", repeat_with(move || subscribed(&asking)));
    let script = taking(both);
    let again = Event { id: EventId::fresh(9), ..event(1) };
    fanout(&script).handle(&batch(&[event(1), again])).await.unwrap();
    assert_eq!(sent(&script, "deliver").len(), 2, "one for each event");
    assert_eq!(script.asked("Query").len(), 2, "`*` and `ping`");
}

#[tokio::test]
async fn what_is_no_event_is_set_aside_and_the_others_go_on() {
    let no_event = json!({"tenant_id": tenant(2), "id": "evt_2", "event": 7});
    let script = taking(script(&[1])).saying("SendMessage", repeat_with(Said::done));
    let mut records = vec![RawValue::from_string("7".to_owned()).unwrap(), record(&no_event)];
    records.extend(batch(&[event(1)]));
    fanout(&script).handle(&records).await.unwrap();
    assert!(sent(&script, "deliver").iter().all(first_attempt_at(1)));
    assert_eq!((sent(&script, "deliver").len(), sent(&script, "unfinished").len()), (1, 0));
    let notes = script.asked("SendMessage");
    assert!(notes.len() == 2 && notes.iter().all(|note| note["QueueUrl"] == "quarantine"), "{notes:?}");
    let texts: Vec<&str> = notes.iter().filter_map(|note| note["MessageBody"].as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("`event`") && text.contains("evt_2")), "{texts:?}");
}

#[tokio::test]
async fn a_row_with_a_time_that_cannot_be_says_so_itself() {
    let early = Event { timestamp: Timestamp::UNIX_EPOCH, ..event(1) };
    let script = Script::default()
        .holding("config", [])
        .saying("UpdateItem", [Said::done()])
        .saying("SendMessage", [Said::done()]);
    fanout(&script).handle(&batch(&[early])).await.unwrap();
    let update = script.asked("UpdateItem").remove(0);
    assert_eq!(
        (&update["TableName"], &update["ConditionExpression"]),
        (&json!("events"), &json!("attribute_exists(id)"))
    );
    assert!(update["ExpressionAttributeValues"][":why"].as_str().unwrap().contains("`timestamp`"), "{update}");
}

#[tokio::test(start_paused = true)]
async fn an_event_whose_subscriptions_cannot_be_read_is_left_unfinished_and_no_other() {
    let unread =
        Script::default().saying_about("Query", subscriptions(&tenant(2), "ping"), repeat_with(Said::throttled));
    let script = taking(asking(unread, &[1, 2]));
    fanout(&script).handle(&batch(&[event(1), event(2)])).await.unwrap();
    let messages = sent(&script, "deliver");
    let is_sent = |number| messages.iter().any(first_attempt_at(number));
    assert!(is_sent(1) && is_sent(2), "whom it found is sent to meanwhile");
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["keys"]["tenant_id"], &left[0].1), (1, &json!(tenant(2)), &json!(2)));
}

#[tokio::test(start_paused = true)]
async fn a_batch_comes_again_only_where_not_even_a_note_can_be_left() {
    let taking = || Script::default().saying("BatchWriteItem", repeat_with(Said::done));
    let unread = || taking().holding("config", []).saying("Query", repeat_with(Said::lost));
    let script = unread().saying("SendMessageBatch", [Said::done()]);
    assert!(fanout(&script).handle(&batch(&[event(1)])).await.is_ok());
    let script = unread().saying("SendMessageBatch", repeat_with(Said::lost));
    assert!(fanout(&script).handle(&batch(&[event(1)])).await.is_err());
}

#[tokio::test]
async fn a_run_again_announces_what_is_pending_a_little_later_and_nothing_that_has_gone_on() {
    for (status, delays) in [(Status::Pending, vec![json!(15)]), (Status::Retrying, vec![])] {
        let event = event(1);
        let before = Delivery::pending(&event, webhook(1), Timestamp::UNIX_EPOCH, 0);
        let there = json!(Delivery { status, ..before });
        let duplicate = json!({"Responses": [{"Error": {"Code": "DuplicateItem", "Message": "no"}}]});
        let script = script(&[1]).saying("BatchExecuteStatement", [Said::body(duplicate)]);
        let script = taking(script.holding("deliveries", [there]));
        fanout(&script).handle(&batch(&[event])).await.unwrap();
        let sent = sent(&script, "deliver").into_iter();
        let sent = sent.inspect(|(message, delay)| assert_eq!(&message["delay_seconds"], delay, "its reader knows"));
        assert_eq!(sent.map(|(_, delay)| delay).collect::<Vec<_>>(), delays, "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_run_announced_is_not_announced_again() {
    let (event, row) =
        (event(1), |event: &Event, n| json!(Delivery::pending(event, webhook(n), Timestamp::UNIX_EPOCH, 0)));
    let both = [webhook(1), webhook(2)];
    let duplicates = json!({"Error": {"Code": "DuplicateItem", "Message": "no"}});
    let refused = json!({"Error": {"Code": "AccessDenied", "Message": "no"}});
    let script = Script::default()
        .holding("config", [])
        .holding("deliveries", [row(&event, 1), row(&event, 2)])
        .saying_about("Query", subscriptions(&tenant(1), "*"), repeat_with(move || subscribed(&both)))
        .saying("Query", repeat_with(|| subscribed(&[])))
        .saying(
            "BatchExecuteStatement",
            [json!([{}, refused]), json!([duplicates, duplicates])].map(|them| Said::body(json!({"Responses": them}))),
        )
        .saying("BatchWriteItem", repeat_with(Said::done))
        .saying("SendMessageBatch", repeat_with(Said::done));
    let fanout = fanout(&script);
    for _ in 0..2 {
        fanout.handle(&batch(std::slice::from_ref(&event))).await.unwrap();
    }
    let announced: Vec<_> =
        sent(&script, "deliver").into_iter().map(|(message, _)| message["endpoint_id"].clone()).collect();
    assert_eq!(announced, [json!(webhook(1)), json!(webhook(2))]);
}

#[tokio::test]
async fn what_is_for_a_slow_webhook_goes_by_the_slow_queue() {
    let mut slow = keyed(format!("TENANT#{}", tenant(1)), "SLOW", &json!({}));
    slow[webhook(1).as_str()] = json!(clock::now().as_second() + 600);
    let script = taking(script(&[1, 2]).holding("config", [slow]));
    fanout(&script).handle(&batch(&[event(1), event(2)])).await.unwrap();
    let (prompt, slow) = (sent(&script, "deliver"), sent(&script, "slow"));
    assert_eq!((prompt.len(), slow.len()), (1, 1));
    assert!(first_attempt_at(2)(&prompt[0]) && first_attempt_at(1)(&slow[0]));
}

#[tokio::test]
async fn a_jobs_events_go_to_the_bus_and_to_its_own_url_alone() {
    let job_id = Some(JobId::short(Timestamp::UNIX_EPOCH, 1));
    let created = Event { ours: true, job_id: job_id.clone(), announce: Some(Announce::JobCreated), ..event(1) };
    let ended = Event { id: EventId::fresh(9), ours: true, job_id, ..event(1) };
    let script =
        taking(Script::default()).saying("PutEvents", [Said::body(json!({"FailedEntryCount": 0, "Entries": [{}]}))]);
    fanout(&script).handle(&batch(&[created, ended])).await.unwrap();
    assert_eq!(script.asked("PutEvents")[0]["Entries"][0]["DetailType"], "Postrider Job Created");
    let messages = sent(&script, "deliver");
    assert_eq!((messages.len(), &messages[0].0["endpoint_id"]), (1, &json!(EndpointId::of_jobs(&tenant(1)))));
}

#[tokio::test]
async fn a_test_goes_to_its_webhook_alone_and_at_once_although_all_else_for_it_is_parked() {
    let mut slow = keyed(format!("TENANT#{}", tenant(1)), "SLOW", &json!({}));
    slow[format!("parked.{}", webhook(7))] = json!([clock::now().as_second() + 600, 3600]);
    let script = taking(Script::default().holding("config", [slow]));
    let test = Event { ours: true, test_of: Some(webhook(7)), ..event(1) };
    fanout(&script).handle(&batch(std::slice::from_ref(&test))).await.unwrap();
    let messages = sent(&script, "deliver");
    assert_eq!(messages.len(), 1, "{messages:?}");
    let message = &messages[0].0;
    assert_eq!((&message["endpoint_id"], &message["probe"]), (&json!(webhook(7)), &json!(true)));
    let put = script.asked("BatchExecuteStatement").remove(0)["Statements"][0].clone();
    let statement = put["Statement"].as_str().unwrap();
    assert!(statement.contains("'test'") && !statement.contains("'waits_until'"), "{statement}");
    assert_eq!(script.asked("Query").len(), 0, "no pattern has a say in it");
}

#[tokio::test]
async fn a_producers_rows_are_counted_once_and_the_others_were() {
    let owner = Caller::of_tenant(1, &STANDARD, &[]);
    let script = taking(script(&[])).holding("config", owner.rows()).saying("UpdateItem", repeat_with(Said::done));
    let fanout = fanout(&script);
    let rows = |counted| vec![Event { counted, ..event(1) }; 60];
    for _ in 0..4 {
        fanout.handle(&batch(&rows(true))).await.unwrap();
    }
    assert_eq!(script.asked("UpdateItem").len(), 0, "the API has counted them");
    for _ in 0..4 {
        fanout.handle(&batch(&rows(false))).await.unwrap();
    }
    let written = script.asked("UpdateItem");
    assert_eq!(written.len(), 1);
    assert_eq!(written[0]["Key"]["sk"], "EVENTS");
    let look_ups = script.asked("GetItem").len();
    assert!(look_ups <= 2, "a tenant's quotas are remembered, and the type's place in the catalogue: {look_ups}");
}

#[tokio::test(start_paused = true)]
async fn quotas_that_cannot_be_read_hold_nobody_up_for_long() {
    let hanging = || repeat_with(|| Said::done().after(3_600));
    let script = Script::default().saying_about("GetItem", "TENANT#", hanging());
    let script = taking(asking(script, &[1, 2, 3, 4, 5]));
    let events: Vec<Event> = (1..=5).map(|number| Event { counted: false, ..event(number) }).collect();
    let began = tokio::time::Instant::now();
    fanout(&script).handle(&batch(&events)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let asked: BTreeSet<String> = script.asked("GetItem").iter().map(|asked| asked["Key"].to_string()).collect();
    let asked: Vec<_> = asked.iter().filter(|key| key.contains("TENANT#")).collect();
    assert_eq!((asked.len(), sent(&script, "deliver").len()), (5, 5), "side by side");
}

/// The type of all events here, which wants an `amount`, for a minute or longer; and what it was before, if anything.
fn typed(schema: &str, before: Option<&CataloguedType>, ago: i64) -> CataloguedType {
    let about = About { schema: Some(schema.to_owned()), ..About::default() };
    let since = clock::now() - jiff::SignedDuration::from_secs(ago);
    match before {
        Some(before) => before.changed(about, since),
        None => CataloguedType::new("ping".parse().unwrap(), about, None, since),
    }
}

const WANTS_AN_AMOUNT: &str = r#"{"required":["amount"]}"#;

fn with_type(script: Script, one: &CataloguedType) -> Script {
    let setting_aside =
        script.saying("UpdateItem", repeat_with(Said::done)).saying("SendMessage", repeat_with(Said::done));
    setting_aside.holding("config", [keyed("EVENT_TYPES", "TYPE#ping", one)])
}

fn put_by_a_producer(number: u64) -> Event {
    Event { counted: false, ..event(number) }
}

/// The notes in quarantine.
pub(crate) fn quarantined(script: &Script) -> Vec<Value> {
    let notes = script.asked("SendMessage").into_iter().filter(|sent| sent["QueueUrl"] == "quarantine");
    notes.map(|note| serde_json::from_str(note["MessageBody"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn a_producers_row_that_its_schema_does_not_take_is_set_aside_and_says_so_itself() {
    let script = with_type(taking(script(&[1, 2])), &typed(WANTS_AN_AMOUNT, None, 500));
    let good = Event { data: r#"{"amount":1}"#.to_owned(), ..put_by_a_producer(2) };
    fanout(&script).handle(&batch(&[put_by_a_producer(1), good])).await.unwrap();
    let messages = sent(&script, "deliver");
    assert!(messages.len() == 1 && messages.iter().all(first_attempt_at(2)), "{messages:?}");
    let note = quarantined(&script).remove(0);
    assert_eq!(note["errors"], json!([{"path": "", "message": "expected the property `amount`"}]));
    let why = |update: &Value| update["ExpressionAttributeValues"][":why"].as_str().map(str::to_owned);
    let noted: Vec<_> = script.asked("UpdateItem").iter().filter_map(why).collect();
    assert_eq!(noted, [note["reason"].as_str().unwrap()], "whoever asks for the event is told the same");
}

#[tokio::test]
async fn what_the_api_has_judged_and_what_is_our_own_is_judged_no_more() {
    let script = with_type(taking(script(&[1, 2])), &typed("false", None, 500));
    let own = Event { counted: false, ours: true, ..event(2) };
    fanout(&script).handle(&batch(&[event(1), own])).await.unwrap();
    assert_eq!((sent(&script, "deliver").len(), quarantined(&script).len()), (2, 0));
    assert!(script.asked("GetItem").is_empty(), "nor is the catalogue read for them");
}

#[tokio::test]
async fn a_fan_out_that_runs_again_after_a_change_of_the_schema_decides_as_before() {
    // Written when anything was taken, which changed a moment ago: whether the change is known yet or not, it counts later.
    let loose = typed("true", None, 5000);
    let strict = typed(WANTS_AN_AMOUNT, Some(&loose), 1);
    for kept in [&loose, &strict] {
        let script = with_type(taking(script(&[1])), kept);
        fanout(&script).handle(&batch(&[put_by_a_producer(1)])).await.unwrap();
        assert_eq!((sent(&script, "deliver").len(), quarantined(&script).len()), (1, 0));
    }
    // And the other way round.
    let strict = typed(WANTS_AN_AMOUNT, None, 5000);
    let loose = typed("true", Some(&strict), 1);
    for kept in [&strict, &loose] {
        let script = with_type(taking(script(&[1])), kept);
        fanout(&script).handle(&batch(&[put_by_a_producer(1)])).await.unwrap();
        assert_eq!((sent(&script, "deliver").len(), quarantined(&script).len()), (0, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_can_judge_now_comes_again_by_itself_and_holds_up_no_other() {
    let unread = Script::default().saying_about("GetItem", "EVENT_TYPES", repeat_with(Said::throttled));
    let script = taking(asking(unread, &[1, 2]));
    fanout(&script).handle(&batch(&[put_by_a_producer(1), event(2)])).await.unwrap();
    let messages = sent(&script, "deliver");
    assert!(messages.len() == 1 && messages.iter().all(first_attempt_at(2)), "{messages:?}");
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["keys"]["tenant_id"]), (1, &json!(tenant(1))));
    assert!(left[0].0["written_at"].is_string(), "so that it is judged by its time then, too");
}

#[tokio::test]
async fn producers_rows_do_not_have_more_traces_recorded_than_a_second_allows() {
    let span: Option<Traceparent> = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().ok();
    let recorded = async |counted| {
        let script = taking(script(&[1]));
        let tracing = Fanout { traces: Traces::to("pr-fanout", None), ..fanout(&script) };
        let rows: Vec<Event> = (0..60)
            .map(|number| Event { id: EventId::fresh(number), traceparent: span, counted, ..event(1) })
            .collect();
        tracing.handle(&batch(&rows)).await.unwrap();
        let named = sent(&script, "deliver").into_iter().map(|(message, _)| message["traceparent"].clone());
        named.filter(|span| span.as_str().is_some_and(|span| span.ends_with("-01"))).count()
    };
    assert_eq!(recorded(true).await, 60, "what came by the API was decided there");
    let of_producers = recorded(false).await;
    assert!((1..60).contains(&of_producers), "{of_producers}");
}

#[tokio::test]
async fn messages_name_the_span_of_their_events_fan_out_where_events_are_traced() {
    let span = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let published = Event { traceparent: span.parse().ok(), ..event(1) };
    let script = taking(script(&[1, 2]));
    let tracing = Fanout { traces: Traces::to("pr-fanout", None), ..fanout(&script) };
    tracing.handle(&batch(&[published.clone(), event(2)])).await.unwrap();
    fanout(&script).handle(&batch(&[published])).await.unwrap();
    let named: Vec<(Value, Value)> =
        sent(&script, "deliver").into_iter().map(|(m, _)| (m["tenant_id"].clone(), m["traceparent"].clone())).collect();
    let of = |number: u64| named.iter().filter(move |(of, _)| *of == json!(tenant(number))).map(|(_, span)| span);
    let of_one: Vec<_> = of(1).collect();
    let within = of_one[0].as_str().unwrap();
    assert!(within.starts_with(&span[..36]) && within != span, "another span of the same trace: {named:?}");
    assert_eq!(of_one[1], &Value::Null, "nobody has them traced: {named:?}");
    let another = of(2).next().unwrap().as_str().unwrap();
    assert!(!another.starts_with(&span[..36]), "an invocation brings the events of many: {named:?}");
}
