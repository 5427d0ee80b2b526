//! A tenant's subscriptions, the ledger's rows and the queues, played for tests: what has become of an event after any number of
//! turns, whatever failed in between.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use postrider_domain::id::{EndpointId, TenantId};
use replay::{Said, Script, item};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::handler::tests::subscriptions;

pub(crate) fn webhook(number: u64) -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH, number)
}

/// What there is, and what was asked for.
#[derive(Default)]
pub(crate) struct Things {
    /// By partition, the webhooks with their rows.
    subscriptions: BTreeMap<String, BTreeMap<String, Value>>,
    /// The ledger by ids.
    pub(crate) rows: BTreeMap<String, Value>,
    /// How often each delivery was announced.
    pub(crate) announced: BTreeMap<String, usize>,
    /// Whose messages were taken, one after another.
    pub(crate) order: Vec<Value>,
    /// Behind whom each page was asked for, and how many rows there were then.
    pub(crate) pages: Vec<(String, usize)>,
    /// Whether the next calls of an operation are refused, one after another; what is refused three times is not tried again.
    pub(crate) refuse: BTreeMap<&'static str, VecDeque<bool>>,
    /// When the first row was put.
    pub(crate) first_row: Option<Instant>,
    /// The most rows of a page, as DynamoDB may give fewer than it is asked for.
    pub(crate) page: usize,
}

/// The world, and an AWS that shows it.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<Things>>);

impl World {
    /// In which these webhooks of a tenant ask for a pattern.
    pub(crate) fn subscribed(self, tenant: &TenantId, pattern: &str, webhooks: impl IntoIterator<Item = u64>) -> Self {
        let row = |number: u64| {
            let id = webhook(number);
            (id.to_string(), json!({"pk": subscriptions(tenant, pattern), "sk": id, "dialect": "standard"}))
        };
        let rows = webhooks.into_iter().map(row);
        self.things().subscriptions.entry(subscriptions(tenant, pattern)).or_default().extend(rows);
        self
    }

    /// In which a subscription has another attribute.
    pub(crate) fn amended(self, tenant: &TenantId, pattern: &str, number: u64, name: &str, value: Value) -> Self {
        let mut things = self.things();
        let rows = things.subscriptions.get_mut(&subscriptions(tenant, pattern)).unwrap();
        rows.get_mut(webhook(number).as_str()).unwrap()[name] = value;
        drop(things);
        self
    }

    pub(crate) fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap()
    }

    /// The webhooks that have a row.
    pub(crate) fn served(&self) -> BTreeSet<String> {
        self.things().rows.values().map(|row| row["endpoint_id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn aws(&self) -> Script {
        self.behind(Script::default())
    }

    /// The same behind what a script says of its own.
    pub(crate) fn behind(&self, script: Script) -> Script {
        let answering = |script: Script, operation: &'static str, answer: fn(&mut Things, &Value) -> Option<Said>| {
            let world = self.clone();
            script.answering(operation, move |asked| {
                let mut things = world.things();
                if things.is_to_refuse(operation) { Some(Said::throttled()) } else { answer(&mut things, asked) }
            })
        };
        [
            ("Query", Things::query as fn(&mut Things, &Value) -> Option<Said>),
            ("BatchExecuteStatement", Things::insert),
            ("BatchGetItem", Things::get),
            ("SendMessageBatch", Things::send),
            ("BatchWriteItem", Things::list),
        ]
        .into_iter()
        .fold(script, |script, (operation, answer)| answering(script, operation, answer))
    }
}

impl Things {
    fn is_to_refuse(&mut self, operation: &str) -> bool {
        self.refuse.get_mut(operation).and_then(VecDeque::pop_front).unwrap_or_default()
    }

    fn query(&mut self, asked: &Value) -> Option<Said> {
        let partition = asked["ExpressionAttributeValues"][":pk"].as_str()?;
        let after = asked["ExclusiveStartKey"]["sk"].as_str().unwrap_or_default();
        let limit = usize::try_from(asked["Limit"].as_u64()?).unwrap();
        let limit = if self.page == 0 { limit } else { limit.min(self.page) };
        self.pages.push((after.to_owned(), self.rows.len()));
        let none = BTreeMap::new();
        let rows = self.subscriptions.get(partition).unwrap_or(&none);
        let rows: Vec<&Value> = rows.iter().filter(|(id, _)| id.as_str() > after).map(|(_, row)| row).collect();
        let page = &rows[..limit.min(rows.len())];
        let mut answer = json!({"Items": page.iter().map(item).collect::<Vec<_>>()});
        if page.len() < rows.len() {
            let last = page.last()?;
            answer["LastEvaluatedKey"] = item(&json!({"pk": last["pk"], "sk": last["sk"]}));
        }
        Some(Said::body(answer))
    }

    fn insert(&mut self, asked: &Value) -> Option<Said> {
        let insert = |statement: &Value| {
            let names = statement["Statement"].as_str()?.split('\'').skip(1).step_by(2);
            let values = statement["Parameters"].as_array()?;
            let row: Map<String, Value> = names.map(str::to_owned).zip(values.iter().cloned()).collect();
            let id = row["id"].as_str()?.to_owned();
            if self.rows.contains_key(&id) {
                return Some(json!({"Error": {"Code": "DuplicateItem", "Message": "no"}}));
            }
            self.rows.insert(id, Value::Object(row));
            self.first_row.get_or_insert_with(Instant::now);
            Some(json!({}))
        };
        let answers: Option<Vec<Value>> = asked["Statements"].as_array()?.iter().map(insert).collect();
        Some(Said::body(json!({"Responses": answers?})))
    }

    fn get(&mut self, asked: &Value) -> Option<Said> {
        let Some(keys) = asked["RequestItems"]["deliveries"]["Keys"].as_array() else { return Some(Said::done()) };
        let found = keys.iter().filter_map(|key| self.rows.get(key["id"].as_str()?)).map(item);
        Some(Said::body(json!({"Responses": {"deliveries": found.collect::<Vec<_>>()}})))
    }

    #[expect(clippy::unused_self, reason = "as the others")]
    fn list(&mut self, _: &Value) -> Option<Said> {
        Some(Said::done())
    }

    fn send(&mut self, asked: &Value) -> Option<Said> {
        for entry in asked["Entries"].as_array()? {
            let body: Value = serde_json::from_str(entry["MessageBody"].as_str()?).ok()?;
            if let Some(id) = body["delivery_id"].as_str() {
                assert!(self.rows.contains_key(id), "a message comes before its row");
                *self.announced.entry(id.to_owned()).or_default() += 1;
            }
            self.order.push(body);
        }
        Some(Said::done())
    }
}
