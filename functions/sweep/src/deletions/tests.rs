//! Two tenants in a world of tables that are played: one is deleted, whoever dies meanwhile, and nothing of the other is touched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::deletion::BEGINS_AFTER;
use postrider_domain::dialect::{DialectRef, NETRAFLOW, NOUVEL};
use postrider_domain::event::Event;
use postrider_domain::id::{CancellationId, DeliveryId, EventId, JobId, KeyId, RecoveryId, TenantId};
use postrider_domain::job::{Job, JobStatus};
use postrider_domain::tenant::Tenant;
use postrider_domain::time;
use proptest::prelude::*;
use replay::{Caller, Said, Script, item, keyed, sample};
use serde_json::{Map, Value, json};

use super::*;

const AT: Timestamp = Timestamp::UNIX_EPOCH;

pub(crate) fn deletions(script: &Script) -> Deletions {
    let sdk = script.sdk(postrider_aws::sdk::over);
    let events = postrider_aws::events_table::EventsTable::of(&sdk, "events");
    Deletions {
        config: ConfigTable::of(&sdk, "config"),
        deliveries: DeliveriesTable::of(&sdk, "deliveries"),
        jobs: JobsTable::of(&sdk, "jobs", events),
        retention: Retention { seconds: 60 },
    }
}

/// What the tables make of a call.
type Answers = fn(&mut Tables, &Value) -> Said;
type Table = BTreeMap<(String, String), Value>;

/// The tables, and how many calls are still carried out before whoever makes them dies.
#[derive(Default, Clone, PartialEq, Debug)]
struct Tables {
    config: Table,
    deliveries: Table,
    jobs: Table,
    calls: usize,
    /// Whether the last call that is carried out is heard of.
    is_heard: bool,
}

#[derive(Clone, Default)]
struct World(Arc<Mutex<Tables>>);

fn tenant(number: u64) -> Tenant {
    Caller::of_tenant(number, &NETRAFLOW, &[]).tenant.unwrap()
}

/// Whether anything of a tenant stands in a row, or in its key.
fn speaks_of(number: u64, key: &(String, String), row: &Value) -> bool {
    let id = tenant(number).id;
    format!("{key:?}{row}").contains(id.as_str())
}

fn shard(id: &DeliveryId) -> u8 {
    id.as_str().bytes().fold(0_u8, u8::wrapping_add) % 16
}

impl Tables {
    fn put(&mut self, row: Value) {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let key = (text("pk"), text("sk"));
        self.config.insert(key, row);
    }

    /// A tenant with keys, webhooks that are parked and deleted, recoveries, and what else lies beside them; deliveries and jobs.
    fn populate(&mut self, number: u64, many: usize) {
        let owner = tenant(number);
        let partition = format!("TENANT#{}", owner.id);
        self.put(keyed(partition.as_str(), "TENANT", &owner));
        self.put(keyed("TENANTS", partition.as_str(), &json!({"id": owner.id})));
        self.put(keyed(format!("EXTERNAL#customer-{number}"), "EXTERNAL", &json!({"tenant_id": owner.id})));
        self.put(keyed(partition.as_str(), "FAILURES", &json!({"tenant_id": owner.id, "count": 3})));
        self.put(keyed("FAILURES", owner.id.as_str(), &json!({})));
        for n in 0..many as u64 {
            let hash = format!("hash of {number}.{n}");
            let key = json!({"id": KeyId::new(AT, n), "tenant_id": owner.id, "hash": hash});
            self.put(keyed(partition.as_str(), format!("KEY#{}", KeyId::new(AT, n)), &key));
            self.put(keyed(format!("KEY#{hash}"), "KEY", &key));
            let webhook = EndpointId::new(AT, number * 1000 + n);
            let patterns: Vec<String> =
                (0..n * 46).map(|pattern| format!("a{pattern}.b")).chain(["*".to_owned()]).collect();
            for pattern in &patterns {
                self.put(keyed(format!("SUBSCRIPTION#{}#{pattern}", owner.id), webhook.as_str(), &json!({})));
            }
            self.put(keyed(
                partition.as_str(),
                format!("WEBHOOK#{webhook}"),
                &json!({"id": webhook, "events": patterns}),
            ));
            self.put(keyed("PARKED", format!("WEBHOOK#{}#{webhook}", owner.id), &json!({"tenant_id": owner.id})));
            for sort in ["URLS", "RATE", "RETRIES"] {
                self.put(keyed(partition.as_str(), format!("{sort}#{webhook}"), &json!({})));
            }
            let recovery = RecoveryId::new(AT, number * 1000 + n);
            let row = json!({"id": recovery, "tenant_id": owner.id});
            self.put(keyed(partition.as_str(), format!("RECOVERY#{recovery}"), &row));
            self.put(keyed("RECOVERIES", format!("RECOVERY#{recovery}"), &row));
            let cancellation = CancellationId::new(AT, number * 1000 + n);
            let row = json!({"id": cancellation, "tenant_id": owner.id});
            self.put(keyed(partition.as_str(), format!("CANCELLATION#{cancellation}"), &row));
            self.put(keyed("RECOVERIES", format!("CANCELLATION#{cancellation}"), &row));
            self.put(keyed(format!("CALLS#{}", owner.id), format!("{n:064x}"), &json!({"sealed": "k1.a"})));
            for (status, parked) in
                [(Status::Retrying, false), (Status::Retrying, true), (Status::Pending, true), (Status::Failed, false)]
            {
                let event = Event {
                    id: EventId::fresh(u128::from(n * 7) + u128::from(status as u8) * 2 + u128::from(parked)),
                    ..sample::event(owner.id.clone())
                };
                let id = DeliveryId::new(AT, &webhook, &event.id);
                let row = Delivery { id: id.clone(), status, ..Delivery::pending(&event, webhook.clone(), AT, 0) };
                let mut row = json!(Delivery { waits_until: parked.then_some(AT), ..row });
                if status != Status::Pending {
                    row["undelivered_tenant"] =
                        json!(format!("{}#{:x}", &owner.id.as_str()["ten_".len()..], shard(&id)));
                }
                self.deliveries.insert((webhook.to_string(), id.to_string()), row);
            }
            for (id, dialect) in [
                (JobId::uuid(AT, u128::from(number * 1000 + n)), &NOUVEL),
                (JobId::short(AT, number * 1000 + n), &NETRAFLOW),
            ] {
                let job = Job { id: id.clone(), tenant_id: owner.id.clone(), dialect: DialectRef(dialect), ..job() };
                let mut row = json!(job);
                let list =
                    if dialect.name == NOUVEL.name { format!("{}/projects", owner.id) } else { owner.id.to_string() };
                row["listed_tenant"] = json!(list);
                self.jobs.insert((id.to_string(), String::new()), row);
            }
        }
        for sort in ["WEBHOOKS", "SLOW", "EVENTS", "RECOVERING", "SOMETHING#new"] {
            self.put(keyed(partition.as_str(), sort, &json!({})));
        }
    }

    /// The tenant's deletion was asked for, so long ago.
    fn doom(&mut self, number: u64, ago: SignedDuration) {
        let (owner, since) = (tenant(number), clock::now() - ago);
        let key = (format!("TENANT#{}", owner.id), "TENANT".to_owned());
        let row = self.config.get_mut(&key).unwrap();
        row["status"] = json!("deleting");
        row["deleting_since"] = json!(time::wire(since));
        let external_id = format!("customer-{number}").parse().ok();
        let deletion = Deletion::asked_for(owner.id.clone(), external_id, since);
        self.put(keyed("DELETIONS", format!("TENANT#{}", owner.id), &deletion));
    }

    fn table(&mut self, name: &str) -> &mut Table {
        match name {
            "config" => &mut self.config,
            "deliveries" => &mut self.deliveries,
            "jobs" => &mut self.jobs,
            other => panic!("{other} is nobody's here"),
        }
    }

    fn of(&self, number: u64) -> Vec<Value> {
        let all = self.config.iter().chain(&self.deliveries).chain(&self.jobs);
        all.filter(|(key, row)| speaks_of(number, key, row)).map(|(_, row)| row.clone()).collect()
    }
}

fn job() -> Job {
    Job {
        id: JobId::short(AT, 1),
        tenant_id: TenantId::new(AT, 1),
        dialect: DialectRef(&NETRAFLOW),
        status: JobStatus::Running,
        webhook_url: None,
        projects: Vec::new(),
        task: None,
        closing_event_id: None,
        revision: 0,
        created_at: AT,
        started_at: None,
        completed_at: None,
        expires_at: 0,
    }
}

/// The key of a row in a table of two key attributes, or of one.
fn key_in(row: &Value) -> (String, String) {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let first = text("pk").or_else(|| text("endpoint_id")).or_else(|| text("id")).unwrap();
    let second = if row.get("pk").is_some() {
        text("sk")
    } else if row.get("endpoint_id").is_some() {
        text("id")
    } else {
        None
    };
    (first, second.unwrap_or_default())
}

/// Whether a write's condition holds for what stands there. Only those that are asked for here are understood.
fn holds(write: &Value, there: Option<&Value>) -> bool {
    let values = &write["ExpressionAttributeValues"];
    match write["ConditionExpression"].as_str() {
        None => true,
        Some("attribute_not_exists(pk) OR tenant_id = :tenant" | "attribute_not_exists(id) OR tenant_id = :tenant") => {
            there.is_none_or(|row| row["tenant_id"] == values[":tenant"])
        }
        Some("revision = :was") => there.is_some_and(|row| row["revision"] == values[":was"]),
        Some("attribute_exists(deleting_since) AND attribute_not_exists(erased_at)") => {
            there.is_some_and(|row| row.get("deleting_since").is_some() && row.get("erased_at").is_none())
        }
        Some(other) => panic!("nobody knows {other}"),
    }
}

impl World {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }

    /// An AWS over the tables.
    fn aws(&self) -> Script {
        self.behind(Script::default())
    }

    /// The same behind what a script says of its own.
    fn behind(&self, first: Script) -> Script {
        let operations: [(&'static str, Answers); 7] = [
            ("Query", query),
            ("GetItem", |tables, asked| {
                let key = key_in(&asked["Key"]);
                let found = tables.table(asked["TableName"].as_str().unwrap()).get(&key).cloned();
                found.map_or_else(Said::done, |row| Said::row(&row))
            }),
            ("BatchGetItem", |tables, asked| {
                let keys = asked["RequestItems"]["deliveries"]["Keys"].as_array().unwrap();
                let found: Vec<Value> =
                    keys.iter().filter_map(|key| tables.deliveries.get(&key_in(key))).map(item).collect();
                Said::body(json!({"Responses": {"deliveries": found}}))
            }),
            ("TransactWriteItems", transact),
            ("UpdateItem", cancel),
            ("DeleteItem", |tables, asked| {
                let (key, table) = (key_in(&asked["Key"]), asked["TableName"].as_str().unwrap().to_owned());
                let there = tables.table(&table).get(&key).cloned();
                assert!(holds(asked, there.as_ref()), "{asked}");
                let gone = tables.table(&table).remove(&key);
                gone.map_or_else(Said::done, |row| Said::body(json!({"Attributes": item(&row)})))
            }),
            ("PutItem", |tables, asked| {
                tables.put(asked["Item"].clone());
                Said::done()
            }),
        ];
        operations.into_iter().fold(first, |script, (operation, answer)| {
            let world = self.clone();
            script.answering(operation, move |asked| {
                let mut tables = world.tables();
                if tables.calls == 0 {
                    return Some(Said::lost());
                }
                tables.calls -= 1;
                let said = answer(&mut tables, asked);
                Some(if tables.calls == 0 && !tables.is_heard { Said::lost() } else { said })
            })
        })
    }

    /// One sweep's part, which dies after so many calls.
    async fn sweep(&self, calls: usize, is_heard: bool) -> Swept<usize> {
        (self.tables().calls, self.tables().is_heard) = (calls, is_heard);
        let part = deletions(&self.aws());
        deadline::at_most(Duration::from_secs(3600), part.carry_on_all()).await
    }
}

fn query(tables: &mut Tables, asked: &Value) -> Said {
    let value = |name: &str| asked["ExpressionAttributeValues"][name].as_str().unwrap_or_default().to_owned();
    let limit = usize::try_from(asked["Limit"].as_u64().unwrap_or(1_000)).unwrap();
    let (table, index) = (asked["TableName"].as_str().unwrap(), asked["IndexName"].as_str());
    let all = tables.table(table).values().filter(|row| match index {
        None => row["pk"] == value(":pk") && row["sk"].as_str().unwrap().starts_with(&value(":prefix")),
        Some("undelivered") => row["undelivered_tenant"] == value(":list"),
        Some("parked") => row["endpoint_id"] == value(":endpoint") && row["waits_until"].is_string(),
        Some("listed") => row["listed_tenant"] == value(":tenant"),
        Some(other) => panic!("no index {other}"),
    });
    let mut rows: Vec<&Value> = all.collect();
    let newest_first = matches!(index, Some("undelivered" | "listed"));
    if newest_first {
        rows.reverse();
    }
    let start = asked["ExclusiveStartKey"].get("id").or_else(|| asked["ExpressionAttributeValues"].get(":after"));
    let start = start.and_then(Value::as_str).unwrap_or_default();
    if !start.is_empty() {
        rows.retain(
            |row| if newest_first { row["id"].as_str() < Some(start) } else { row["id"].as_str() > Some(start) },
        );
    }
    let page: Vec<Value> = rows.iter().take(limit).map(|row| (*row).clone()).collect();
    let mut answer = json!({"Items": page.iter().map(item).collect::<Vec<_>>()});
    if rows.len() > limit {
        answer["LastEvaluatedKey"] = item(page.last().unwrap());
    }
    Said::body(answer)
}

fn transact(tables: &mut Tables, asked: &Value) -> Said {
    let writes = asked["TransactItems"].as_array().unwrap();
    let parts: Vec<(&str, &Value)> = writes
        .iter()
        .map(|write| {
            let (name, part) = write.as_object().unwrap().iter().next().unwrap();
            (name.as_str(), part)
        })
        .collect();
    let place = |part: &Value| {
        let row = part.get("Key").or_else(|| part.get("Item")).unwrap();
        (part["TableName"].as_str().unwrap().to_owned(), key_in(row))
    };
    assert!(parts.len() <= 100, "AWS takes 100 actions");
    let mut reasons = Vec::new();
    for (_, part) in &parts {
        let (table, key) = place(part);
        let there = tables.table(&table).get(&key).cloned();
        reasons.push(if holds(part, there.as_ref()) { Err("None") } else { Ok(there.unwrap_or_else(|| json!({}))) });
    }
    if reasons.iter().any(Result::is_ok) {
        return Said::cancelled(&reasons);
    }
    for (name, part) in parts {
        let (table, key) = place(part);
        match name {
            "Delete" => drop(tables.table(&table).remove(&key)),
            "Put" => drop(tables.table(&table).insert(key, part["Item"].clone())),
            other => panic!("no {other}"),
        }
    }
    Said::done()
}

fn cancel(tables: &mut Tables, asked: &Value) -> Said {
    let (values, key) = (&asked["ExpressionAttributeValues"], key_in(&asked["Key"]));
    let row: &mut Map<String, Value> = tables.deliveries.get_mut(&key).unwrap().as_object_mut().unwrap();
    if !["pending", "retrying"].contains(&row["status"].as_str().unwrap()) {
        return Said::refused(row);
    }
    row.insert("status".to_owned(), values[":status"].clone());
    row.insert("reason".to_owned(), values[":reason"].clone());
    row.insert("changed_by".to_owned(), values[":by"].clone());
    row.remove("waits_until");
    Said::done()
}

/// What may be left of a tenant that was deleted: its tombstone, and the ledger.
fn assert_gone(tables: &Tables, number: u64) {
    let left = tables.of(number);
    let (ledger, others): (Vec<Value>, Vec<Value>) = left.into_iter().partition(|row| row.get("event_id").is_some());
    assert_eq!(others.len(), 1, "{others:?}");
    let tombstone = others[0].as_object().unwrap();
    let mut names: Vec<&str> = tombstone.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["changed_by", "deleting_since", "erased_at", "expires_at", "id", "pk", "sk", "status"]);
    assert!(!tables.config.contains_key(&(format!("EXTERNAL#customer-{number}"), "EXTERNAL".to_owned())));
    for row in ledger {
        let is_final = row["status"] == "failed" || (row["status"] == "cancelled" && row["reason"] == "tenant_deleted");
        assert!(is_final && row.get("waits_until").is_none(), "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_taken_away_to_its_tombstone_and_another_is_not_touched() {
    let world = World::default();
    for number in [1, 2] {
        world.tables().populate(number, 5);
    }
    world.tables().doom(1, BEGINS_AFTER);
    let stranger = world.tables().of(2);
    let swept = world.sweep(usize::MAX, true).await;
    assert!((swept.done, swept.failure.is_none()) == (1, true));
    assert_gone(&world.tables(), 1);
    assert_eq!(world.tables().of(2), stranger);
    let swept = world.sweep(usize::MAX, true).await;
    assert_eq!((swept.done, world.tables().of(2)), (0, stranger), "nothing is left to do");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_taken_away_before_the_last_call_has_ended() {
    let world = World::default();
    world.tables().populate(1, 2);
    world.tables().doom(1, BEGINS_AFTER - SignedDuration::from_secs(5));
    let before = world.tables().of(1);
    assert_eq!(world.sweep(usize::MAX, true).await.done, 1);
    assert_eq!(world.tables().of(1), before);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_that_lives_is_not_deleted_whatever_stands_in_the_list() {
    let world = World::default();
    world.tables().populate(1, 2);
    world.tables().doom(1, BEGINS_AFTER);
    let key = (format!("TENANT#{}", tenant(1).id), "TENANT".to_owned());
    let alive = keyed(key.0.as_str(), "TENANT", &tenant(1));
    world.tables().config.insert(key, alive);
    let before = world.tables().of(1);
    world.sweep(usize::MAX, true).await;
    assert_eq!(world.tables().of(1), before);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_put_there_by_hand_takes_nothing_of_anothers_away() {
    let world = World::default();
    for number in [1, 2] {
        world.tables().populate(number, 2);
    }
    // A key's row that names another's key, a recovery's that has another's place, a job of another's in its list.
    let partition = format!("TENANT#{}", tenant(1).id);
    let foreign = json!({"hash": "hash of 2.0"});
    world.tables().put(keyed(partition.as_str(), format!("KEY#{}", KeyId::new(AT, 99)), &foreign));
    world.tables().put(keyed(partition.as_str(), format!("RECOVERY#{}", RecoveryId::new(AT, 2000)), &json!({})));
    let stranger = world.tables().of(2);
    world.tables().doom(1, BEGINS_AFTER);
    assert!(world.sweep(usize::MAX, true).await.failure.is_none());
    assert_gone(&world.tables(), 1);
    assert_eq!(world.tables().of(2), stranger);
}

/// Somebody notes the end of a recovery while that is taken away: a row beside it is there again.
#[tokio::test(start_paused = true)]
async fn what_comes_beside_what_is_taken_away_is_taken_away_too() {
    let world = World::default();
    world.tables().populate(1, 1);
    world.tables().doom(1, BEGINS_AFTER);
    let (partition, others) = (format!("TENANT#{}", tenant(1).id), world.clone());
    let mut has_come = false;
    let noted = move |asked: &Value| {
        if !has_come && asked.to_string().contains("RECOVERY#") {
            has_come = true;
            others.tables().put(keyed(partition.as_str(), "RECOVERING", &json!({})));
        }
        None
    };
    (world.tables().calls, world.tables().is_heard) = (usize::MAX, true);
    let script = world.behind(Script::default().answering("TransactWriteItems", noted));
    let swept = deadline::at_most(Duration::from_secs(3600), deletions(&script).carry_on_all()).await;
    assert!(swept.failure.is_none());
    assert_gone(&world.tables(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_was_put_into_the_list_again_after_its_end_leaves_it() {
    let world = World::default();
    world.tables().populate(1, 1);
    world.tables().doom(1, BEGINS_AFTER);
    world.sweep(usize::MAX, true).await;
    let late = Deletion::asked_for(tenant(1).id, None, AT);
    world.tables().put(keyed("DELETIONS", format!("TENANT#{}", tenant(1).id), &late));
    world.sweep(usize::MAX, true).await;
    assert_gone(&world.tables(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_deletion_has_a_page_in_turn_and_one_that_fails_holds_up_no_other() {
    let world = World::default();
    for number in [1, 2, 3] {
        world.tables().populate(number, 2);
        world.tables().doom(number, BEGINS_AFTER);
    }
    (world.tables().calls, world.tables().is_heard) = (usize::MAX, true);
    let broken = format!("TENANT#{}", tenant(2).id);
    let lines = Script::default().saying_about("TransactWriteItems", broken, std::iter::repeat_with(Said::throttled));
    let script = world.behind(lines);
    let swept = deadline::at_most(Duration::from_secs(3600), deletions(&script).carry_on_all()).await;
    assert!(swept.failure.is_some(), "it is told of");
    for number in [1, 3] {
        assert_gone(&world.tables(), number);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever dies, after whichever call, heard or not, and however often: in the end it is as if nobody had.
    #[test]
    fn whoever_dies_in_between_has_done_no_harm(deaths in prop::collection::vec((0_usize..60, any::<bool>()), 0..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::default();
            for number in [1, 2] {
                world.tables().populate(number, 2);
            }
            world.tables().doom(1, BEGINS_AFTER);
            let stranger = world.tables().of(2);
            for (calls, is_heard) in deaths {
                world.sweep(calls, is_heard).await;
                assert_eq!(world.tables().of(2), stranger);
            }
            let swept = world.sweep(usize::MAX, true).await;
            assert!(swept.failure.is_none());
            assert_gone(&world.tables(), 1);
            assert_eq!(world.tables().of(2), stranger);
        });
    }
}
