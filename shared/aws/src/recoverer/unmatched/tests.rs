//! Events that a webhook never asked for, sent to it however often whoever does so dies, and whoever else comes upon them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::join;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::event::Event;
use postrider_domain::event_list::pack;
use postrider_domain::id::{JobId, RecoveryId, TenantId};
use postrider_domain::recovery::Chosen;
use proptest::prelude::*;
use replay::{Said, Script, item};
use serde_json::{Value, json};

use super::super::{Recoverer, Work};
use super::*;
use crate::config_table::ConfigTable;
use crate::deliveries_table::DeliveriesTable;
use crate::events_table::EventsTable;
use crate::lanes::Lanes;
use crate::queue::Queue;
use crate::{sample, sdk};

const LONG: u64 = 24 * 3600;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_768_000_000_000 + millis).unwrap()
}

fn tenant() -> TenantId {
    sample::event().tenant_id
}

/// A webhook that asks for invoices of an even number.
fn endpoint() -> Endpoint {
    Endpoint {
        events: vec!["invoice.*".parse().unwrap()],
        filter: Some(r#"{"data":{"is_even":[true]}}"#.to_owned()),
        ..replay::sample::endpoint(tenant())
    }
}

/// An event of which the webhook may be sent some.
fn event(number: u32) -> Event {
    let names = ["invoice.paid", "invoice.void", "order.paid"];
    Event {
        id: EventId::fresh(number.into()),
        timestamp: at(i64::from(number) * 7),
        event_type: names[number as usize % 3].parse().unwrap(),
        data: json!({"is_even": number.is_multiple_of(2)}).to_string(),
        expires_at: 4_000_000_000,
        ..sample::event()
    }
}

fn is_wanted(number: u32) -> bool {
    number % 3 != 2 && number.is_multiple_of(2)
}

fn id_of(number: u32) -> DeliveryId {
    DeliveryId::new(event(number).timestamp, &endpoint().id, &event(number).id)
}

fn recovery() -> Recovery {
    Recovery {
        id: RecoveryId::new(at(0), 1),
        tenant_id: tenant(),
        endpoint_id: endpoint().id,
        since: at(0),
        until: at(1_000_000),
        chosen: Chosen { never_matched: true, ..Chosen::default() },
        status: Progress::Running,
        found: 0,
        requeued: 0,
        after: None,
        listed_after: None,
        probed: false,
        expires_at: 4_000_000_000,
    }
}

/// What AWS holds, and after how many calls whoever makes them is dead.
struct Kept {
    events: BTreeMap<String, Event>,
    list: BTreeMap<String, Value>,
    deliveries: BTreeMap<String, Value>,
    endpoint: Option<Value>,
    recovery: Value,
    sent: Vec<String>,
    calls: usize,
    /// Whether the last call is carried out, and nobody hears of it.
    unheard: bool,
}

type World = Arc<Mutex<Kept>>;

fn world(events: Vec<Event>) -> World {
    let rows = pack(&events.iter().collect::<Vec<_>>());
    let list = rows.into_iter().map(|packed| (packed.row.id.clone(), json!(packed.row))).collect();
    Arc::new(Mutex::new(Kept {
        events: events.into_iter().map(|event| (event.id.to_string(), event)).collect(),
        list,
        deliveries: BTreeMap::new(),
        endpoint: Some(json!(endpoint())),
        recovery: json!(recovery()),
        sent: Vec::new(),
        calls: usize::MAX,
        unheard: false,
    }))
}

impl Kept {
    fn query(&self, asked: &Value) -> Option<Said> {
        let values = &asked["ExpressionAttributeValues"];
        let bound = |name: &str| values[name].as_str().map(str::to_owned);
        let (lower, upper) = (bound(":lower")?, bound(":upper")?);
        let is_of_list = values.get(":list").is_some();
        let rows = if is_of_list { &self.list } else { &self.deliveries };
        let start = asked["ExclusiveStartKey"]["id"].as_str().unwrap_or("~~");
        let within = rows.range(lower..=upper).rev().filter(|(id, _)| id.as_str() < start).map(|(_, row)| row);
        let limit = usize::try_from(asked["Limit"].as_u64()?).ok()?;
        let read: Vec<&Value> = within.take(limit).collect();
        let mut body = json!({"Items": read.iter().map(item).collect::<Vec<_>>()});
        if read.len() == limit {
            body["LastEvaluatedKey"] = item(&json!({"endpoint_id": "x", "id": read.last()?["id"]}));
        }
        Some(Said::body(body))
    }

    fn get(&self, asked: &Value) -> Said {
        let key = &asked["Key"];
        let sort = key["sk"].as_str().unwrap_or_default();
        let row = match asked["TableName"].as_str() {
            Some("events") => self.events.get(key["id"].as_str().unwrap_or_default()).map(|event| json!(event)),
            _ if sort.starts_with("WEBHOOK#") => self.endpoint.clone(),
            _ if sort.starts_with("RECOVERY_OF_SOME#") => Some(self.recovery.clone()),
            _ => None,
        };
        row.map_or_else(Said::done, |row| Said::row(&row))
    }

    fn get_many(&self, asked: &Value) -> Said {
        let keys = asked["RequestItems"]["deliveries"]["Keys"].as_array().cloned().unwrap_or_default();
        let found = keys.iter().filter_map(|key| self.deliveries.get(key["id"].as_str()?)).map(item);
        Said::body(json!({"Responses": {"deliveries": found.collect::<Vec<_>>()}}))
    }

    fn insert(&mut self, asked: &Value) -> Said {
        let statements = asked["Statements"].as_array().cloned().unwrap_or_default();
        let answers = statements.iter().map(|one| {
            let statement = one["Statement"].as_str().unwrap_or_default();
            let names = statement.split('\'').skip(1).step_by(2).map(str::to_owned);
            let values = one["Parameters"].as_array().cloned().unwrap_or_default();
            let row: Value = names.zip(values).collect::<serde_json::Map<_, _>>().into();
            let id = row["id"].as_str().unwrap_or_default().to_owned();
            match self.deliveries.contains_key(&id) {
                true => json!({"Error": {"Code": "DuplicateItem", "Message": "no"}}),
                false => {
                    self.deliveries.insert(id, row);
                    json!({})
                }
            }
        });
        Said::body(json!({"Responses": answers.collect::<Vec<_>>()}))
    }

    fn note(&mut self, asked: &Value) -> Said {
        let put = &asked["TransactItems"][0]["Put"];
        let place = put["ExpressionAttributeValues"].get(":place");
        if self.recovery["status"] != "running" || self.recovery.get("listed_after") != place {
            let others = asked["TransactItems"].as_array().map_or(0, Vec::len) - 1;
            let reasons = [Ok(self.recovery.clone())].into_iter().chain(std::iter::repeat_n(Err("None"), others));
            return Said::cancelled(&reasons.collect::<Vec<_>>());
        }
        self.recovery = put["Item"].clone();
        Said::done()
    }

    fn send(&mut self, asked: &Value) -> Said {
        let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
        for entry in entries {
            let body: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap_or_default()).unwrap();
            let id = body["delivery_id"].as_str().unwrap_or_default().to_owned();
            assert!(self.deliveries.contains_key(&id), "a message comes never before its row");
            self.sent.push(id);
        }
        Said::done()
    }

    fn carry_out(&mut self, operation: &str, asked: &Value) -> Option<Said> {
        Some(match operation {
            "Query" => self.query(asked)?,
            "GetItem" => self.get(asked),
            "BatchGetItem" => self.get_many(asked),
            "BatchExecuteStatement" => self.insert(asked),
            "TransactWriteItems" => self.note(asked),
            _ => self.send(asked),
        })
    }

    fn answer(&mut self, operation: &str, asked: &Value) -> Option<Said> {
        if self.calls == 0 {
            return Some(Said::done().after(LONG));
        }
        self.calls -= 1;
        let said = match self.calls == 0 && !self.unheard {
            true => Said::done(),
            false => self.carry_out(operation, asked)?,
        };
        Some(if self.calls == 0 { said.after(LONG) } else { said })
    }
}

fn recoverer(world: &World) -> (Script, Recoverer) {
    let names = ["Query", "GetItem", "BatchGetItem", "BatchExecuteStatement", "TransactWriteItems", "SendMessageBatch"];
    let script = names.into_iter().fold(Script::default(), |script, operation| {
        let world = Arc::clone(world);
        script.answering(operation, move |asked| world.lock().unwrap().answer(operation, asked))
    });
    let sdk = script.sdk(sdk::over);
    let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
    let lanes = Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow"));
    let recoverer = Recoverer::new(config, deliveries, EventsTable::of(&sdk, "events"), lanes);
    (script, recoverer)
}

/// Carries the recovery on from where it stands, until it is done, fails, or whoever does so is dead.
async fn carried_on(world: &World) {
    let (_script, recoverer) = recoverer(world);
    let mut left = {
        let stands: Recovery = serde_json::from_value(world.lock().unwrap().recovery.clone()).unwrap();
        Some(Work::Recovery(stands)).filter(Work::is_running)
    };
    while let Some(work) = left.take() {
        let page = tokio::time::timeout(FOR_A_PAGE * 4, deadline::at_most(FOR_A_PAGE, recoverer.page_of(work)));
        left = page.await.ok().and_then(Result::ok).flatten();
    }
}

/// Fan-out comes to an event that the webhook asked for.
fn fan_out(world: &World, number: u32) {
    let row = Delivery::pending(&event(number), endpoint().id, at(0), 4_000_000_000);
    world.lock().unwrap().deliveries.entry(row.id.to_string()).or_insert_with(|| json!(row));
}

fn mine(world: &World) -> Vec<String> {
    let kept = world.lock().unwrap();
    let is_mine = |row: &&Value| row["recovered_by"] == json!(recovery().id);
    kept.deliveries.values().filter(is_mine).map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn progress(world: &World) -> (String, u64, u64) {
    let recovery = &world.lock().unwrap().recovery;
    let number = |name: &str| recovery[name].as_u64().unwrap();
    (recovery["status"].as_str().unwrap().to_owned(), number("found"), number("requeued"))
}

#[tokio::test(start_paused = true)]
async fn each_event_that_the_webhook_asks_for_now_is_sent_once() {
    let world = world((0..300).map(event).collect());
    fan_out(&world, 4);
    carried_on(&world).await;
    let wanted: Vec<String> = (0..300).filter(|n| is_wanted(*n) && *n != 4).map(|n| id_of(n).to_string()).collect();
    assert_eq!(wanted.len(), 99);
    assert_eq!(progress(&world), ("done".to_owned(), 99, 99));
    assert_eq!(mine(&world), wanted);
    let mut sent = world.lock().unwrap().sent.clone();
    sent.sort();
    assert_eq!(sent, wanted, "one message each");
    let row = world.lock().unwrap().deliveries[&wanted[0]].clone();
    assert_eq!((&row["status"], &row["attempt"]), (&json!("pending"), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn what_is_for_one_alone_gone_over_or_refused_is_sent_to_nobody() {
    let test = Event { test_of: Some(endpoint().id), ours: true, ..event(0) };
    let of_job = Event { job_id: Some(JobId::short(at(0), 1)), ours: true, ..event(6) };
    let over = Event { expires_at: 1, ..event(12) };
    let gone = event(18);
    let world = world(vec![test, of_job, over, gone, event(24)]);
    world.lock().unwrap().events.remove(event(18).id.as_str());
    carried_on(&world).await;
    assert_eq!((progress(&world), mine(&world)), (("done".to_owned(), 1, 1), vec![id_of(24).to_string()]));
}

#[tokio::test(start_paused = true)]
async fn a_count_says_what_would_be_sent_and_writes_nothing() {
    let world = world((0..300).map(event).collect());
    fan_out(&world, 4);
    let (script, recoverer) = recoverer(&world);
    let counted = recoverer.count(&recovery(), Some(&endpoint())).await.unwrap();
    assert_eq!(counted, Count { found: 99, complete: true });
    let writes = ["BatchExecuteStatement", "TransactWriteItems", "SendMessageBatch"];
    assert!(writes.iter().all(|write| script.asked(write).is_empty()));
    let narrowed = Recovery {
        chosen: Chosen { events: vec!["invoice.void".parse().unwrap()], ..recovery().chosen },
        ..recovery()
    };
    assert_eq!(recoverer.count(&narrowed, Some(&endpoint())).await.unwrap().found, 49);
}

#[tokio::test(start_paused = true)]
async fn a_count_of_more_than_a_call_reads_says_so() {
    let all: Vec<Event> = (0..2_300).map(|n| event(n * 6)).collect();
    let counted = async |of: Endpoint| {
        let (_script, recoverer) = recoverer(&world(all.clone()));
        recoverer.count(&recovery(), Some(&of)).await.unwrap()
    };
    assert_eq!(counted(endpoint()).await, Count { found: 2_000, complete: false });
    let of_others = Endpoint { events: vec!["order.*".parse().unwrap()], ..endpoint() };
    assert_eq!(counted(of_others).await, Count { found: 0, complete: true }, "types alone are looked through faster");
}

#[tokio::test(start_paused = true)]
async fn without_its_webhooks_row_a_recovery_waits() {
    for row in [None, Some(json!({"id": endpoint().id, "tenant_id": tenant()}))] {
        let world = world(vec![event(0)]);
        world.lock().unwrap().endpoint = row;
        carried_on(&world).await;
        assert_eq!(progress(&world), ("running".to_owned(), 0, 0));
        world.lock().unwrap().endpoint = Some(json!(endpoint()));
        carried_on(&world).await;
        assert_eq!(progress(&world), ("done".to_owned(), 1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_webhook_has_ended_or_whose_filter_nobody_can_read_sends_nothing() {
    let ended = Endpoint { deleted_at: Some(at(0)), ..endpoint() };
    let unreadable = Endpoint { filter: Some(r#"{"data":{"a":[{"cidr":"x"}]}}"#.to_owned()), ..endpoint() };
    for (webhook, status) in [(ended, "done"), (unreadable, "running")] {
        let world = world(vec![event(0)]);
        world.lock().unwrap().endpoint = Some(json!(webhook));
        carried_on(&world).await;
        assert_eq!((progress(&world), mine(&world).len()), ((status.to_owned(), 0, 0), 0));
    }
}

/// What happens to a recovery: it is carried on for so many calls, of which the last may be carried out unheard; or fan-out comes to an
/// event, late; or the webhook's owner switches it off, or asks for something else.
#[derive(Debug, Clone)]
enum Step {
    CarryOn { calls: usize, unheard: bool },
    FanOut(u32),
    SwitchOff,
    AskForOthers,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..40, any::<bool>()).prop_map(|(calls, unheard)| Step::CarryOn { calls, unheard }),
        1 => (0_u32..90).prop_map(Step::FanOut),
        1 => Just(Step::SwitchOff),
        1 => Just(Step::AskForOthers),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    /// Whoever dies, wherever, and whoever acts meanwhile: each event has one delivery at the end, with a message, and is counted once by
    /// the recovery that has made it.
    #[test]
    fn whoever_dies_and_whoever_acts_each_event_is_sent_once(
        steps in prop::collection::vec(step(), 0..8),
        by_two in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = world((0..90).map(event).collect());
            for step in &steps {
                match step {
                    Step::FanOut(number) => fan_out(&world, *number),
                    Step::SwitchOff => {
                        let off = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
                        world.lock().unwrap().endpoint = Some(json!(off));
                    }
                    Step::AskForOthers => {
                        let others = Endpoint { events: vec!["order.*".parse().unwrap()], ..endpoint() };
                        world.lock().unwrap().endpoint = Some(json!(others));
                    }
                    Step::CarryOn { calls, unheard } => {
                        {
                            let mut kept = world.lock().unwrap();
                            (kept.calls, kept.unheard) = (*calls, *unheard);
                        }
                        carried_on(&world).await;
                    }
                }
            }
            world.lock().unwrap().calls = usize::MAX;
            if by_two {
                join(carried_on(&world), carried_on(&world)).await;
            }
            carried_on(&world).await;
            let (status, found, requeued) = progress(&world);
            let mine = mine(&world);
            prop_assert_eq!(status, "done");
            prop_assert_eq!(requeued, mine.len() as u64, "each that it made is counted once");
            prop_assert!(found >= requeued);
            let kept = world.lock().unwrap();
            let is_asked_for = !steps.iter().any(|step| matches!(step, Step::SwitchOff | Step::AskForOthers));
            for number in (0..90).filter(|number| is_asked_for && is_wanted(*number)) {
                prop_assert!(kept.deliveries.contains_key(id_of(number).as_str()), "{number} is missing");
            }
            for id in &mine {
                prop_assert!(kept.sent.contains(id), "{id} is pending, and nobody was told");
            }
            let by_fan_out = kept.deliveries.values().filter(|row| row.get("recovered_by").is_none()).count();
            let asked = steps.iter().filter(|step| matches!(step, Step::FanOut(_))).count();
            prop_assert!(by_fan_out <= asked, "what fan-out has put stays its own");
            Ok(())
        })?;
    }
}
