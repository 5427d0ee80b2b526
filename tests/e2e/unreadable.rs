//! Rows that nobody can read, as a dialect that is no more or a hand in the table makes them: they hide none of the others,
//! and their owners can be rid of them.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::rows::{Row, n, s};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};
use crate::urls::urls;

/// What a row of a webhook is made unreadable by.
fn spoilt() -> [(&'static str, AttributeValue); 4] {
    [("headers", n(7)), ("dialect", s("klingon")), ("events", s("*")), ("created_at", s("yesterday"))]
}

fn sort_of(webhook: &str) -> String {
    format!("WEBHOOK#{webhook}")
}

/// The ids of what a list shows under `name`.
fn ids(list: &Value, name: &str) -> Vec<String> {
    let rows = list[name].as_array().unwrap_or_else(|| panic!("no {name}: {list}"));
    rows.iter().map(|row| text(row, "id").to_owned()).collect()
}

/// A tenant's webhooks, by the plain list and by pages of one.
async fn listed(tenant: &Tenant) -> [Vec<String>; 2] {
    let whole = ids(&tenant.api.get("/v1/webhooks").await.ok(200), "webhooks");
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.api.get(&format!("/v1/webhooks?limit=1{cursor}")).await.ok(200);
        paged.extend(ids(&page, "webhooks"));
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return [whole, paged],
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_row_list() {
    let world = World::open();
    for (name, value) in spoilt() {
        let tenant = world.tenant().await;
        let mut webhooks = Vec::new();
        for path in ["a", "b", "c"] {
            webhooks.push(tenant.webhook(&format!("https://hooks.example/{path}"), &["*"]).await);
        }
        world.aws.rows.amend(&tenant.id, &sort_of(&webhooks[1]), name, value).await;
        let others = vec![webhooks[0].clone(), webhooks[2].clone()];
        assert_eq!(listed(&tenant).await, [others.clone(), others], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_webhook() {
    let world = World::open();
    for (name, value) in spoilt() {
        let tenant = world.tenant().await;
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
        let webhook = tenant.webhook(&receiver.url("/bad"), &["*"]).await;
        let good = tenant.webhook(&receiver.url("/good"), &["*"]).await;
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        let delivery = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&delivery, "retrying", 1).await;
        tenant.settled(&tenant.delivery_of(&event, &good).await, "retrying", 1).await;
        world.aws.rows.amend(&tenant.id, &sort_of(&webhook), name, value).await;

        // The event, the ledger and the delivery are seen as ever.
        assert_eq!(tenant.delivery_of(&event, &webhook).await, delivery, "{name}");
        for list in [
            "/v1/deliveries?status=undelivered".to_owned(),
            "/v1/deliveries?status=retrying".to_owned(),
            format!("/v1/webhooks/{webhook}/deliveries"),
        ] {
            let found = ids(&tenant.api.get(&list).await.ok(200), "deliveries");
            assert!(found.contains(&delivery), "{name}: {list} shows {found:?}");
        }
        assert_eq!(tenant.delivery(&delivery).await["status"], "retrying");

        // Its owner can be rid of it, once.
        let path = format!("/v1/webhooks/{webhook}");
        tenant.api.delete(&path).await.ok(204);
        tenant.api.delete(&path).await.refused(404, "not_found");
        tenant.api.get(&path).await.refused(404, "not_found");
        assert_eq!(listed(&tenant).await, [vec![good.clone()], vec![good.clone()]], "{name}");
        let posts = posts_to(&receiver, "/bad");
        let next = tenant.publish("dubbing.completed", &json!({})).await;
        tenant.settled(&tenant.delivery_of(&next, &good).await, "retrying", 1).await;
        world.aws.attempt_now(&delivery, 2).await;
        let cancelled = tenant.settled(&delivery, "cancelled", 1).await;
        assert_eq!(cancelled["reason"], "webhook_deleted", "{name}: {cancelled}");
        assert_eq!(posts_to(&receiver, "/bad"), posts, "{name}: nothing is sent to a webhook that is deleted");
    }
}

/// Whatever else cannot be read of a webhook: where each attempt went is told, also once it is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_an_unreadable_webhook_say_where_they_went() {
    let world = World::open();
    for (name, value) in spoilt() {
        let tenant = world.tenant().await;
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
        let webhook = tenant.webhook(&receiver.url("/first"), &["*"]).await;
        let path = format!("/v1/webhooks/{webhook}");
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "retrying", 1).await;
        tenant.api.patch(&path, &json!({"url": receiver.url("/second")})).await.ok(200);
        world.aws.attempt_now(&id, 2).await;
        tenant.settled(&id, "retrying", 2).await;
        world.aws.rows.amend(&tenant.id, &sort_of(&webhook), name, value).await;
        let expected = [receiver.url("/first"), receiver.url("/second")];
        assert_eq!(urls(&tenant.delivery(&id).await), expected, "{name}");
        tenant.api.delete(&path).await.ok(204);
        assert_eq!(urls(&tenant.delivery(&id).await), expected, "{name}, deleted");
    }
}

/// A row without its revision can be read, so it can be changed and deleted, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_has_lost_its_revision_is_still_its_owners() {
    let world = World::open();
    let tenant = world.tenant().await;
    let lose = async |webhook: &str| {
        let mut row = world.aws.rows.take(&tenant.id, &sort_of(webhook)).await;
        row.remove("revision").expect("a webhook has a revision");
        world.aws.rows.put_back(row).await;
    };
    let webhook = tenant.webhook("https://hooks.example/a", &["*"]).await;
    let path = format!("/v1/webhooks/{webhook}");
    lose(&webhook).await;
    tenant.api.patch(&path, &json!({"description": "mended"})).await.ok(200);
    lose(&webhook).await;
    tenant.api.delete(&path).await.ok(204);
    tenant.api.delete(&path).await.refused(404, "not_found");
}

fn posts_to(receiver: &Receiver, path: &str) -> usize {
    receiver.requests().iter().filter(|request| request.path.starts_with(path)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_key() {
    let world = World::open();
    let tenant = world.tenant().await;
    let made = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    let (id, api) = (text(&made, "id").to_owned(), world.anonymous.with_key(text(&made, "key")));
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    for (name, value) in [("dialect", s("klingon")), ("scopes", n(1)), ("created_at", n(1))] {
        world.aws.rows.amend(&tenant.id, &format!("KEY#{id}"), name, value).await;
        assert_eq!(ids(&world.admin.get(&path).await.ok(200), "keys"), std::slice::from_ref(&tenant.key_id), "{name}");
    }
    world.admin.delete(&format!("{path}/{id}")).await.ok(204);
    world.admin.delete(&format!("{path}/{id}")).await.refused(404, "not_found");
    api.get("/v1/webhooks").await.refused(401, "unauthorized");
    tenant.api.get("/v1/webhooks").await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_tenant() {
    let world = World::open();
    let (tenant, other) = (world.tenant().await, world.tenant().await);
    world.aws.rows.amend(&tenant.id, "TENANT", "plan", s("platinum")).await;
    let found = until("the other tenant in the list", SOON, || async {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.admin.get(&format!("/v1/tenants?limit=200{cursor}")).await.ok(200);
            found.extend(ids(&page, "tenants"));
            match page["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        if found.contains(&other.id) { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await;
    assert!(!found.contains(&tenant.id));
    // Its keys can be seen and revoked all the same.
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    assert_eq!(ids(&world.admin.get(&path).await.ok(200), "keys"), std::slice::from_ref(&tenant.key_id));
    world.admin.delete(&format!("{path}/{}", tenant.key_id)).await.ok(204);
    assert_eq!(ids(&world.admin.get(&path).await.ok(200), "keys"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_job() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(customer.start("https://hooks.example/").await);
    }
    world.aws.rows.amend_job(&jobs[1], "dialect", s("klingon")).await;
    let list = customer.tenant.api.get("/v1/jobs").await.ok(200);
    let shown: Vec<_> = list["data"].as_array().expect("a list").iter().map(|job| text(job, "job_id")).collect();
    assert_eq!(shown, [jobs[2].as_str(), jobs[0].as_str()]);
}

/// Lets a webhook speak a dialect that the deployment knows no more, as after an entry of `ExtraDialects` was removed.
async fn lose_the_dialect(world: &World, tenant: &Tenant, webhook: &str, name: &str) {
    world.aws.rows.amend(&tenant.id, &sort_of(webhook), "dialect", s(name)).await;
    world.aws.rows.amend_subscription(&tenant.id, "*", webhook, "dialect", s(name)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_webhook_is_as_gone_as_any_when_its_dialect_is_no_more() {
    let world = World::open();
    let tenant = world.tenant_on("acme", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let delivery = tenant.delivery_of(&event, &webhook).await;
    tenant.settled(&delivery, "retrying", 1).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.delete(&path).await.ok(204);
    lose_the_dialect(&world, &tenant, &webhook, "klingon").await;

    tenant.api.get(&path).await.refused(404, "not_found");
    tenant.api.patch(&path, &json!({"description": "x"})).await.refused(404, "not_found");
    tenant.api.delete(&path).await.refused(404, "not_found");
    tenant.api.post(&format!("{path}/secret/rotate"), &json!({})).await.refused(404, "not_found");
    tenant
        .api
        .post(&format!("{path}/recover"), &json!({"since": "2026-01-01T00:00:00Z"}))
        .await
        .refused(404, "not_found");
    assert_eq!(listed(&tenant).await, [Vec::<String>::new(), Vec::new()]);
    // What it was sent is kept, with the URL that it was sent to.
    let shown = tenant.api.get(&format!("{path}/deliveries")).await.ok(200);
    assert_eq!(shown["deliveries"][0]["attempts"][0]["url"], receiver.url("/"), "{shown}");
    world.aws.attempt_now(&delivery, 2).await;
    let cancelled = tenant.settled(&delivery, "cancelled", 1).await;
    assert_eq!(cancelled["reason"], "webhook_deleted", "{cancelled}");
    let refused =
        tenant.api.post(&format!("/v1/deliveries/{delivery}/retry"), &json!({})).await.refused(409, "conflict");
    assert!(text(&refused, "message").contains("deleted"), "{refused}");
    // Its subscription has ended: an event of afterwards goes to the others, and no row counts as unreadable.
    let other = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let next = tenant.publish("invoice.paid", &json!({})).await;
    tenant.settled(&tenant.delivery_of(&next, &other).await, "retrying", 1).await;
    let shown = tenant.api.get(&format!("/v1/events/{next}")).await.ok(200);
    assert_eq!(shown["deliveries"].as_array().map(Vec::len), Some(1), "{shown}");
    for function in ["webhooks", "events", "ledger", "deliver", "fanout"] {
        let log = world.aws.functions.log(function).await;
        let told = log.iter().find(|line| line.contains("row.unreadable") && line.contains(&webhook));
        assert_eq!(told, None, "{function}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_webhook_is_owed_waits_for_its_dialect_to_come_back() {
    let world = World::open();
    let tenant = world.tenant_on("acme", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/bad"), &["*"]).await;
    let good = tenant.webhook(&receiver.url("/good"), &["*"]).await;
    lose_the_dialect(&world, &tenant, &webhook, "klingon").await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    tenant.settled(&tenant.delivery_of(&event, &good).await, "succeeded", 1).await;
    let owed = tenant.delivery_of(&event, &webhook).await;
    assert_eq!(posts_to(&receiver, "/bad"), 0);
    lose_the_dialect(&world, &tenant, &webhook, "acme").await;
    // Its message comes again by itself, after minutes; a recovery is sooner, once it has been pending for an hour.
    world.aws.rows.put_ago(&owed, 7_200).await;
    let path = format!("/v1/webhooks/{webhook}/recover");
    tenant.api.post(&path, &json!({"since": "2026-01-01T00:00:00Z"})).await.ok(202);
    tenant.settled(&owed, "succeeded", 1).await;
}

/// A row like this one under another key.
fn moved(row: &Row, keys: &[(&str, &str)]) -> Row {
    let keys = keys.iter().map(|(name, value)| ((*name).to_owned(), s(*value)));
    row.clone().into_iter().chain(keys).collect()
}

/// Every id that a list shows, page by page of one row.
async fn paged(tenant: &Tenant, path: &str, name: &str, id: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.api.get(&format!("{path}limit=1{cursor}")).await.ok(200);
        let rows = page[name].as_array().unwrap_or_else(|| panic!("no {name}: {page}"));
        found.extend(rows.iter().map(|row| text(row, id).to_owned()));
        match page["pagination"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_key_is_no_id_ends_no_list() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(410)).await;
    let mut webhooks = Vec::new();
    for _ in 0..2 {
        webhooks.push(tenant.webhook(&receiver.url("/"), &["*"]).await);
    }
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(tenant.publish("invoice.paid", &json!({})).await);
    }
    let mut deliveries = Vec::new();
    for event in &events {
        let id = tenant.delivery_of(event, &webhooks[0]).await;
        until("the delivery to end", SOON, || async {
            let status = tenant.delivery(&id).await["status"].clone();
            if status == "failed" || status == "cancelled" { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
        deliveries.push(id);
    }
    deliveries.reverse();
    // Between the others, before and after them.
    let row = world.aws.rows.webhook(&tenant.id, &webhooks[0]).await;
    for sort in [&format!("WEBHOOK#{}!", webhooks[0]), "WEBHOOK#a", "WEBHOOK#wh_~"] {
        world.aws.rows.put_back(moved(&row, &[("sk", sort), ("id", "wh_~")])).await;
    }
    let row = world.aws.rows.delivery(&deliveries[1]).await.expect("it has a row");
    let strangers = [format!("{}!", deliveries[1]), "dlv_!".to_owned(), "dlv_~!".to_owned()];
    world.aws.rows.put_deliveries(strangers.iter().map(|id| moved(&row, &[("id", id)])).collect()).await;

    assert_eq!(listed(&tenant).await, [webhooks.clone(), webhooks.clone()]);
    let of_webhook = format!("/v1/webhooks/{}/deliveries?", webhooks[0]);
    assert_eq!(paged(&tenant, &of_webhook, "deliveries", "id").await, deliveries);
    let undelivered = paged(&tenant, "/v1/deliveries?status=undelivered&", "deliveries", "id").await;
    assert_eq!(undelivered.iter().filter(|id| deliveries.contains(id)).count(), 3, "{undelivered:?}");
    let of_event = paged(&tenant, &format!("/v1/events/{}?", events[0]), "deliveries", "webhook_id").await;
    assert_eq!(of_event, webhooks);
    let log = world.aws.functions.log("webhooks").await;
    assert!(log.iter().any(|line| line.contains("row.unreadable") && line.contains("WEBHOOK#wh_~")), "it is told of");
    let log = world.aws.functions.log("ledger").await;
    assert!(log.iter().any(|line| line.contains("row.unreadable") && line.contains("dlv_!")), "and so are these");
}
