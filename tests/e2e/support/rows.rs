//! The stack's rows, for what no API can bring about: time that has passed, rows that somebody else wrote.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, DeleteRequest, KeySchemaElement, KeyType, Put, PutRequest,
    ReturnValue, ScalarAttributeType, TransactWriteItem, WriteRequest,
};
use futures::future::join_all;
use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};

use super::stack::Stack;

mod left;

/// A row.
pub(crate) type Row = HashMap<String, AttributeValue>;

/// What tells of changes of webhooks.
const OF_CHANGES: [&str; 4] = ["webhook.created", "webhook.updated", "webhook.deleted", "webhook.enabled"];
/// Batches of rows that are written side by side.
const BATCHES_AT_ONCE: usize = 8;
/// How many partitions a tenant's undelivered rows are spread over.
const UNDELIVERED_SHARDS: u8 = 16;

/// The tables.
#[derive(Debug)]
pub(crate) struct Rows {
    stack: &'static Stack,
    client: Client,
}

/// A string attribute.
pub(crate) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn n(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The instant so long ago, as rows hold it.
pub(crate) fn ago(seconds: i64) -> String {
    format!("{:.3}", Timestamp::now() - SignedDuration::from_secs(seconds))
}

/// Seconds since 1970 of a day that is far off.
pub(crate) const FAR_OFF: i64 = 4_102_444_800;

/// An event's row as a producer writes it, under an id of its own.
pub(crate) fn event_row(tenant: &str, id: &str, event: &str, data: &str) -> Row {
    let texts = [("tenant_id", tenant), ("id", id), ("event", event), ("data", data)];
    let texts = texts.map(|(name, value)| (name.to_owned(), s(value)));
    let rest = [("timestamp".to_owned(), s(ago(0))), ("expires_at".to_owned(), n(FAR_OFF))];
    texts.into_iter().chain(rest).collect()
}

/// The webhook whose id stands in a delivery's own, after the prefix and eight characters of time.
pub(crate) fn webhook_in(delivery_id: &str) -> String {
    format!("wh_{}", &delivery_id["dlv_".len() + 8..][..16])
}

/// Which shard of so many a delivery lies in.
pub(crate) fn shard_of(delivery_id: &str, shards: u8) -> u8 {
    delivery_id.bytes().fold(0_u8, u8::wrapping_add) % shards
}

/// What puts a delivery's row among its tenant's undelivered ones.
pub(crate) fn undelivered(tenant: &str, delivery_id: &str) -> (String, AttributeValue) {
    ("undelivered_tenant".to_owned(), s(undelivered_list(tenant, shard_of(delivery_id, UNDELIVERED_SHARDS))))
}

fn undelivered_list(tenant: &str, shard: u8) -> String {
    format!("{}#{shard:x}", tenant.strip_prefix("ten_").expect("a tenant's id"))
}

fn delivery_key(id: &str) -> Row {
    [("endpoint_id".to_owned(), s(webhook_in(id))), ("id".to_owned(), s(id))].into()
}

impl Rows {
    pub(crate) fn new(stack: &'static Stack, client: Client) -> Self {
        Self { stack, client }
    }

    /// Makes a retrying delivery due so long ago.
    pub(crate) async fn due_ago(&self, id: &str, seconds: i64) {
        self.overdue_ago(id, seconds).await;
        self.set(&self.stack.tables.deliveries, delivery_key(id), "next_attempt_at", s(ago(seconds))).await;
    }

    /// The same as far as the sweep's index goes.
    pub(crate) async fn overdue_ago(&self, id: &str, seconds: i64) {
        self.set(&self.stack.tables.deliveries, delivery_key(id), "due_at", s(ago(seconds))).await;
    }

    /// Makes a delivery's row one that nobody can read.
    pub(crate) async fn break_delivery(&self, id: &str) {
        self.set(&self.stack.tables.deliveries, delivery_key(id), "created_at", s("yesterday")).await;
    }

    /// Lets a delivery's row have been put so long ago.
    pub(crate) async fn put_ago(&self, id: &str, seconds: i64) {
        self.set(&self.stack.tables.deliveries, delivery_key(id), "put_at", s(ago(seconds))).await;
    }

    /// Changes an attribute of a delivery's row by hand.
    pub(crate) async fn set_delivery(&self, id: &str, name: &str, value: AttributeValue) {
        self.set(&self.stack.tables.deliveries, delivery_key(id), name, value).await;
    }

    /// A delivery's row, if there is one.
    pub(crate) async fn delivery(&self, id: &str) -> Option<Row> {
        let request = self.client.get_item().table_name(&self.stack.tables.deliveries).consistent_read(true);
        request.set_key(Some(delivery_key(id))).send().await.expect("the row should be read").item
    }

    /// The rows of attempts that a delivery's row had no room for.
    pub(crate) async fn moved_of(&self, id: &str) -> Vec<Row> {
        let query = self.client.query().table_name(&self.stack.tables.deliveries).consistent_read(true);
        let query = query.key_condition_expression("endpoint_id = :id").expression_attribute_values(":id", s(id));
        query.into_paginator().items().send().collect::<Result<_, _>>().await.expect("the rows should be read")
    }

    /// Puts rows into the events table in one transaction.
    pub(crate) async fn put_events(&self, rows: Vec<Row>) {
        let put = |row| Put::builder().table_name(&self.stack.tables.events).set_item(Some(row)).build();
        let write = |row| TransactWriteItem::builder().put(put(row).expect("a put is complete")).build();
        let writes = rows.into_iter().map(write).collect();
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        request.send().await.expect("the rows should be put");
    }

    /// Makes a webhook have failed for so long.
    pub(crate) async fn failing_ago(&self, tenant: &str, webhook: &str, seconds: i64) {
        let key = webhook_key(tenant, webhook);
        self.set(&self.stack.tables.config, key, "failing_since", s(ago(seconds))).await;
    }

    /// Makes the next step of a webhook's parking late by so many seconds, as its ticket is lost.
    pub(crate) async fn next_step_ago(&self, tenant: &str, webhook: &str, seconds: i64) {
        let row = self.webhook(tenant, webhook).await;
        let mut parking = row["parking"].as_m().expect("the webhook should be parked").clone();
        parking.insert("next_at".to_owned(), s(ago(seconds)));
        let key = webhook_key(tenant, webhook);
        self.set(&self.stack.tables.config, key, "parking", AttributeValue::M(parking)).await;
    }

    /// Makes a webhook count as slow for so many seconds from now.
    pub(crate) async fn slow_for(&self, tenant: &str, webhook: &str, seconds: i64) {
        let key = [("pk".to_owned(), s(format!("TENANT#{tenant}"))), ("sk".to_owned(), s("SLOW"))].into();
        let request = self.client.update_item().table_name(&self.stack.tables.config).set_key(Some(key));
        let request =
            request.update_expression("SET #webhook = :until").expression_attribute_names("#webhook", webhook);
        let until = n(Timestamp::now().as_second() + seconds);
        request.expression_attribute_values(":until", until).send().await.expect("it should be noted");
    }

    /// What counts as slow of a tenant's, and until when, in seconds since 1970; `all` stands for everything that he has.
    pub(crate) async fn slow(&self, tenant: &str) -> BTreeMap<String, i64> {
        let key = [("pk".to_owned(), s(format!("TENANT#{tenant}"))), ("sk".to_owned(), s("SLOW"))].into();
        let request = self.client.get_item().table_name(&self.stack.tables.config).consistent_read(true);
        let answer = request.set_key(Some(key)).send().await.expect("it should be read");
        let until = |(name, value): (String, AttributeValue)| Some((name, value.as_n().ok()?.parse().ok()?));
        let row = answer.item.unwrap_or_default().into_iter().filter_map(until);
        row.filter(|(name, _)| name != "expires_at").collect()
    }

    /// Has a webhook point elsewhere, past every check at its creation.
    pub(crate) async fn repoint(&self, tenant: &str, webhook: &str, url: &str) {
        self.set(&self.stack.tables.config, webhook_key(tenant, webhook), "url", s(url)).await;
    }

    /// A webhook's row.
    pub(crate) async fn webhook(&self, tenant: &str, webhook: &str) -> Row {
        let request = self.client.get_item().table_name(&self.stack.tables.config).consistent_read(true);
        let answer = request.set_key(Some(webhook_key(tenant, webhook))).send().await.expect("it should be read");
        answer.item.unwrap_or_else(|| panic!("no row of {webhook}"))
    }

    /// Makes a delivery one that was cancelled for this reason.
    pub(crate) async fn cancelled_as(&self, id: &str, reason: &str) {
        let table = &self.stack.tables.deliveries;
        self.set(table, delivery_key(id), "status", s("cancelled")).await;
        self.set(table, delivery_key(id), "reason", s(reason)).await;
    }

    /// Changes one attribute of a row of a tenant's by hand, past every check.
    pub(crate) async fn amend(&self, tenant: &str, sort: &str, name: &str, value: AttributeValue) {
        self.set(&self.stack.tables.config, tenant_key(tenant, sort), name, value).await;
    }

    /// Changes one attribute of a webhook's subscription to a pattern by hand.
    pub(crate) async fn amend_subscription(
        &self,
        tenant: &str,
        pattern: &str,
        webhook: &str,
        name: &str,
        value: AttributeValue,
    ) {
        let key = [("pk".to_owned(), s(format!("SUBSCRIPTION#{tenant}#{pattern}"))), ("sk".to_owned(), s(webhook))];
        self.set(&self.stack.tables.config, key.into(), name, value).await;
    }

    /// A tenant's own row.
    pub(crate) async fn of_tenant(&self, tenant: &str) -> Row {
        let request = self.client.get_item().table_name(&self.stack.tables.config).consistent_read(true);
        let answer = request.set_key(Some(tenant_key(tenant, "TENANT"))).send().await.expect("it should be read");
        answer.item.unwrap_or_else(|| panic!("no row of {tenant}"))
    }

    /// Takes a row of a tenant's away, as if it had never been.
    pub(crate) async fn take(&self, tenant: &str, sort: &str) -> Row {
        let request = self.client.delete_item().table_name(&self.stack.tables.config);
        let request = request.set_key(Some(tenant_key(tenant, sort))).return_values(ReturnValue::AllOld);
        let answer = request.send().await.expect("the row should be taken away");
        answer.attributes.unwrap_or_else(|| panic!("no row {sort} of {tenant}"))
    }

    /// Puts such a row back.
    pub(crate) async fn put_back(&self, row: Row) {
        let request = self.client.put_item().table_name(&self.stack.tables.config).set_item(Some(row));
        request.send().await.expect("the row should be put back");
    }

    /// Changes one attribute of a job by hand.
    pub(crate) async fn amend_job(&self, id: &str, name: &str, value: AttributeValue) {
        self.set(&self.stack.tables.jobs, [("id".to_owned(), s(id))].into(), name, value).await;
    }

    /// An event's row.
    pub(crate) async fn event(&self, tenant: &str, id: &str) -> Row {
        let request = self.client.get_item().table_name(&self.stack.tables.events).consistent_read(true);
        let request = request.key("tenant_id", s(tenant)).key("id", s(id));
        request.send().await.expect("the row should be read").item.expect("the event should have a row")
    }

    /// Puts a row into the events table, as a producer might.
    pub(crate) async fn put_event(&self, row: Row) {
        let request = self.client.put_item().table_name(&self.stack.tables.events).set_item(Some(row));
        request.send().await.expect("the row should be put");
    }

    /// Every row of the jobs table whose `tenant_id` is this one: all its jobs, whatever the API lists.
    pub(crate) async fn jobs_of(&self, tenant: &str) -> Vec<Row> {
        let scan = self.client.scan().table_name(&self.stack.tables.jobs).filter_expression("tenant_id = :tenant");
        let pages = scan.expression_attribute_values(":tenant", s(tenant)).into_paginator().items().send();
        pages.collect::<Result<_, _>>().await.expect("the jobs should be read")
    }

    /// When the row of a tenant's Idempotency-Key for jobs expires, in seconds since 1970.
    pub(crate) async fn job_key_expires_at(&self, tenant: &str, key: &str) -> i64 {
        let request = self.client.get_item().table_name(&self.stack.tables.jobs).set_key(Some(job_key(tenant, key)));
        let item = request.send().await.expect("the row should be read").item.expect("the key should have a row");
        item["expires_at"].as_n().expect("a number").parse().expect("whole seconds")
    }

    /// Lets a tenant's Idempotency-Key for jobs have expired.
    pub(crate) async fn expire_job_key(&self, tenant: &str, key: &str) {
        let past = AttributeValue::N("1".to_owned());
        self.set(&self.stack.tables.jobs, job_key(tenant, key), "expires_at", past).await;
    }

    /// Changes one attribute of an event's row by hand.
    pub(crate) async fn amend_event(&self, tenant: &str, id: &str, name: &str, value: AttributeValue) {
        let key = [("tenant_id".to_owned(), s(tenant)), ("id".to_owned(), s(id))].into();
        self.set(&self.stack.tables.events, key, name, value).await;
    }

    /// Removes an event's row, as its time does.
    pub(crate) async fn delete_event(&self, tenant: &str, id: &str) {
        let request = self.client.delete_item().table_name(&self.stack.tables.events);
        let request = request.key("tenant_id", s(tenant)).key("id", s(id));
        request.send().await.expect("the row should be deleted");
    }

    /// How many events a tenant has that are no announcements of a new job.
    pub(crate) async fn events_of(&self, tenant: &str) -> usize {
        self.event_rows(tenant).await.iter().filter(|row| !row.contains_key("announce")).count()
    }

    /// How many events a tenant has, announcements too.
    pub(crate) async fn all_events_of(&self, tenant: &str) -> usize {
        self.event_rows(tenant).await.len()
    }

    /// Those that tell of changes of webhooks, which most tests make, left out.
    async fn event_rows(&self, tenant: &str) -> Vec<Row> {
        let query = self.client.query().table_name(&self.stack.tables.events);
        let query = query.key_condition_expression("tenant_id = :tenant").consistent_read(true);
        let rows = query.expression_attribute_values(":tenant", s(tenant)).send().await.expect("they should be read");
        let tells_of_a_change = |row: &Row| row["event"].as_s().is_ok_and(|event| OF_CHANGES.contains(&event.as_str()));
        rows.items.unwrap_or_default().into_iter().filter(|row| !tells_of_a_change(row)).collect()
    }

    /// Every row of every table, as text: nothing of it is missed, whatever attribute it lies in.
    pub(crate) async fn all(&self) -> Vec<String> {
        let tables = &self.stack.tables;
        let mut found = Vec::new();
        for table in [&tables.config, &tables.jobs, &tables.events, &tables.deliveries] {
            let pages = self.client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
            let rows: Vec<Row> = pages.collect::<Result<_, _>>().await.expect("the rows should be read");
            found.extend(rows.into_iter().map(|row| format!("{table}: {row:?}")));
        }
        found
    }

    /// The id of a tenant's first delivery that was cancelled, if there is one: a suspended tenant cannot ask.
    pub(crate) async fn cancelled_of(&self, tenant: &str) -> Option<String> {
        let first = async |shard| {
            let query = self.client.query().table_name(&self.stack.tables.deliveries).index_name("undelivered");
            let query = query.key_condition_expression("undelivered_tenant = :list");
            let list = s(undelivered_list(tenant, shard));
            let rows = query.expression_attribute_values(":list", list).send().await.expect("it should be read");
            let row = rows.items.unwrap_or_default().into_iter().next()?;
            Some(row["id"].as_s().expect("an id is a string").clone())
        };
        let firsts = join_all((0..UNDELIVERED_SHARDS).map(first)).await;
        let id = firsts.into_iter().flatten().min()?;
        let request = self.client.get_item().table_name(&self.stack.tables.deliveries).consistent_read(true);
        let answer = request.set_key(Some(delivery_key(&id))).send().await.expect("the row should be read");
        (answer.item?["status"] == s("cancelled")).then_some(id)
    }

    /// Makes a table of a producer's own, with the string `id` as its key.
    pub(crate) async fn make_table(&self, name: &str) {
        let attribute = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
        let made = self.client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        let made = made.attribute_definitions(attribute.build().expect("an attribute is complete"));
        let made = made.key_schema(key.build().expect("a key is complete"));
        made.send().await.expect("the table should be made");
    }

    /// Takes such a table away.
    pub(crate) async fn drop_table(&self, name: &str) {
        self.client.delete_table().table_name(name).send().await.expect("the table should be deleted");
    }

    /// Puts a row into the producer's own table and one into the events table, both or neither; whether it was done.
    pub(crate) async fn put_both(&self, own_table: &str, own: Row, event: Row) -> bool {
        let put = |table: &str, row| {
            let put = Put::builder().table_name(table).set_item(Some(row));
            let put = put.condition_expression("attribute_not_exists(id)").build().expect("a put is complete");
            TransactWriteItem::builder().put(put).build()
        };
        let writes = vec![put(own_table, own), put(&self.stack.tables.events, event)];
        let answer = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match answer.map_err(aws_sdk_dynamodb::Error::from) {
            Ok(_) => true,
            Err(aws_sdk_dynamodb::Error::TransactionCanceledException(_)) => false,
            Err(error) => panic!("TransactWriteItems: {error:?}"),
        }
    }

    /// Puts many rows into the deliveries table.
    pub(crate) async fn put_deliveries(&self, rows: Vec<Row>) {
        let put = |row| PutRequest::builder().set_item(Some(row)).build().expect("a row is complete");
        self.write_deliveries(rows.into_iter().map(|row| WriteRequest::builder().put_request(put(row)).build())).await;
    }

    /// Deletes many rows from the deliveries table.
    pub(crate) async fn delete_deliveries(&self, ids: impl Iterator<Item = &str>) {
        let delete = |id| DeleteRequest::builder().set_key(Some(delivery_key(id))).build().expect("a key is complete");
        self.write_deliveries(ids.map(|id| WriteRequest::builder().delete_request(delete(id)).build())).await;
    }

    /// Makes so many more webhooks like this one of a tenant's, past the API, which would take long; their ids. None of them has a
    /// secret: a sealed one is bound to its webhook.
    pub(crate) async fn copy_webhook(&self, tenant: &str, webhook: &str, pattern: &str, count: usize) -> Vec<String> {
        let subscription =
            [("pk".to_owned(), s(format!("SUBSCRIPTION#{tenant}#{pattern}"))), ("sk".to_owned(), s(webhook))];
        let request = self.client.get_item().table_name(&self.stack.tables.config).consistent_read(true);
        let answer = request.set_key(Some(subscription.into())).send().await.expect("it should be read");
        let subscription = answer.item.expect("a subscription");
        let mut row = self.webhook(tenant, webhook).await;
        row.remove("secrets");
        let ids: Vec<String> = (0..count).map(|n| format!("{}c{n:0>7}", &webhook[..webhook.len() - 8])).collect();
        let copies = ids.iter().flat_map(|id| {
            let (mut row, mut subscription) = (row.clone(), subscription.clone());
            row.insert("sk".to_owned(), s(format!("WEBHOOK#{id}")));
            row.insert("id".to_owned(), s(id));
            subscription.insert("sk".to_owned(), s(id));
            [row, subscription]
        });
        let put = |row| PutRequest::builder().set_item(Some(row)).build().expect("a row is complete");
        let writes = copies.map(|row| WriteRequest::builder().put_request(put(row)).build());
        self.write(&self.stack.tables.config, writes).await;
        ids
    }

    async fn write_deliveries(&self, writes: impl Iterator<Item = WriteRequest>) {
        self.write(&self.stack.tables.deliveries, writes).await;
    }

    async fn write(&self, table: &str, writes: impl Iterator<Item = WriteRequest>) {
        let writes: Vec<_> = writes.collect();
        let batches = writes.chunks(25).map(|batch| {
            let request = self.client.batch_write_item().request_items(table, batch.to_vec());
            async move {
                let answer = request.send().await.expect("the rows should be written");
                assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty), "some rows were not written");
            }
        });
        stream::iter(batches.collect::<Vec<_>>()).buffer_unordered(BATCHES_AT_ONCE).collect::<()>().await;
    }

    /// Changes an attribute of a row of the config table, wherever it lies.
    pub(crate) async fn amend_at(&self, pk: &str, sk: &str, name: &str, value: AttributeValue) {
        let key = [("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))].into();
        self.set(&self.stack.tables.config, key, name, value).await;
    }

    /// A session's place in its tenant's list.
    pub(crate) async fn listed_session(&self, tenant: &str, id: &str) -> Row {
        let key = tenant_key(tenant, &format!("SESSION#{id}"));
        let request = self.client.get_item().table_name(&self.stack.tables.config).set_key(Some(key));
        request.consistent_read(true).send().await.expect("the row should be read").item.expect("the row is there")
    }

    /// Puts rows into the config table.
    pub(crate) async fn put_config(&self, rows: impl Iterator<Item = Row>) {
        let put = |row| PutRequest::builder().set_item(Some(row)).build().expect("a row is complete");
        let writes = rows.map(|row| WriteRequest::builder().put_request(put(row)).build());
        self.write(&self.stack.tables.config, writes).await;
    }

    async fn set(&self, table: &str, key: Row, name: &str, value: AttributeValue) {
        let first = key.keys().next().expect("a key has attributes").clone();
        let request = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(key))
            .update_expression("SET #name = :value")
            .condition_expression(format!("attribute_exists({first})"))
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value);
        request.send().await.unwrap_or_else(|error| panic!("{table}: {error:?}"));
    }
}

/// How many attempts a row holds, late ones left out.
pub(crate) fn attempts_in(row: &Row) -> usize {
    row["attempts"].as_l().expect("attempts should be a list").len()
}

/// Bytes of a row as DynamoDB bills them: its names and its values.
pub(crate) fn bytes_of(row: &Row) -> usize {
    row.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.trim_matches('0').len().div_ceil(2) + 1,
        AttributeValue::L(members) => 3 + members.iter().map(|member| 1 + value_bytes(member)).sum::<usize>(),
        AttributeValue::M(members) => 3 + members.len() + bytes_of(members),
        _ => 1,
    }
}

fn job_key(tenant: &str, key: &str) -> Row {
    [("id".to_owned(), s(format!("KEY#{tenant}#{key}")))].into()
}

fn webhook_key(tenant: &str, webhook: &str) -> Row {
    tenant_key(tenant, &format!("WEBHOOK#{webhook}"))
}

fn tenant_key(tenant: &str, sort: &str) -> Row {
    [("pk".to_owned(), s(format!("TENANT#{tenant}"))), ("sk".to_owned(), s(sort))].into()
}
