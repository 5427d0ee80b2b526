//! Quotas: what a tenant may have and ask for, what it is told beyond that, and what its operator may set.

use std::time::Instant;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::again::act;
use crate::support::api::{keys, text};
use crate::support::rows::{FAR_OFF, Row, ago, n, s};
use crate::support::{Answer, Receiver, SOON, Tenant, World, until};

/// Holds a refusal to what every quota's says.
#[track_caller]
fn exceeded(answer: &Answer, name: &str, limit: usize) -> u64 {
    let error = answer.refused(429, "quota_exceeded");
    assert_eq!(error["details"], json!({"quota": {"name": name, "limit": limit}}), "{answer:?}");
    assert!(text(&error, "message").contains(&limit.to_string()), "the limit in words: {answer:?}");
    let seconds = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
    seconds.filter(|seconds| *seconds > 0).unwrap_or_else(|| panic!("whole seconds in Retry-After: {answer:?}"))
}

/// Sets a tenant's own quotas, and gives it a key that no function has seen: what was lowered counts at once.
async fn set(world: &World, tenant: &mut Tenant, quotas: &Value) -> Value {
    let change = json!({"quotas": quotas});
    let changed = world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &change).await.ok(200);
    let key = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    changed["quotas"].clone()
}

/// A tenant that may have so many webhooks, and where they lead.
async fn with_room_for(world: &World, webhooks: usize) -> (Tenant, Value) {
    let mut tenant = world.tenant().await;
    set(world, &mut tenant, &json!({"webhooks": webhooks})).await;
    let receiver = Receiver::start(world.stack).await;
    (tenant, json!({"url": receiver.url("/"), "events": ["*"]}))
}

async fn make(tenant: &Tenant, body: &Value) -> Answer {
    tenant.api.post("/v1/webhooks/create", body).await
}

async fn listed(tenant: &Tenant) -> usize {
    tenant.api.get("/v1/webhooks").await.ok(200)["webhooks"].as_array().expect("they should be listed").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_that_race_exactly_the_quota_is_made() {
    let world = World::open();
    let (tenant, body) = with_room_for(&world, 20).await;
    let answers = join_all((0..50).map(|_| make(&tenant, &body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    for answer in refused {
        exceeded(answer, "webhooks", 20);
    }
    assert_eq!((made.len(), listed(&tenant).await), (20, 20));
    // Those that were refused left nothing, and one that is deleted makes room for one.
    let gone = text(&made[0].json(), "id").to_owned();
    tenant.api.delete(&format!("/v1/webhooks/{gone}")).await.ok(204);
    let again = join_all((0..5).map(|_| make(&tenant, &body))).await;
    assert_eq!(again.iter().filter(|answer| answer.status == 201).count(), 1, "{again:?}");
    assert_eq!(listed(&tenant).await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_webhook_counts_and_a_deleted_one_does_not() {
    let world = World::open();
    let (tenant, body) = with_room_for(&world, 1).await;
    let webhook = tenant.create(&body).await;
    let path = format!("/v1/webhooks/{webhook}");
    tenant.api.patch(&path, &json!({"status": "disabled"})).await.ok(200);
    exceeded(&make(&tenant, &body).await, "webhooks", 1);
    // Nobody can read it, and it gives its place back all the same, once.
    world.aws.rows.amend(&tenant.id, &format!("WEBHOOK#{webhook}"), "dialect", s("klingon")).await;
    tenant.api.delete(&path).await.ok(204);
    tenant.api.delete(&path).await.refused(404, "not_found");
    make(&tenant, &body).await.ok(201);
    exceeded(&make(&tenant, &body).await, "webhooks", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_sets_counts_and_null_is_the_plans() {
    let world = World::open();
    let (plans, by_plan) = ([("free", 20, 10), ("pro", 200, 100), ("enterprise", 2000, 1000)], "as the plan has it");
    for (plan, webhooks, events) in plans {
        let made = world.admin.post("/v1/tenants", &json!({"name": "Acme", "plan": plan})).await.ok(201);
        let quotas =
            json!({"webhooks": webhooks, "list_bytes": 4_194_304, "events_per_second": events, "recoveries": 2});
        assert_eq!(made["quotas"], quotas, "{by_plan}");
        let own = json!({"name": "Acme", "plan": plan, "quotas": {"recoveries": 7, "webhooks": null}});
        let made = world.admin.post("/v1/tenants", &own).await.ok(201);
        assert_eq!((&made["quotas"]["recoveries"], &made["quotas"]["webhooks"]), (&json!(7), &json!(webhooks)));
        let read = world.admin.get(&format!("/v1/tenants/{}", text(&made, "id"))).await.ok(200);
        assert_eq!((keys(&read["quotas"]).len(), &read["quotas"]), (4, &made["quotas"]));
    }
    let (mut tenant, body) = with_room_for(&world, 1).await;
    let path = format!("/v1/webhooks/{}", tenant.create(&body).await);
    exceeded(&make(&tenant, &body).await, "webhooks", 1);
    // What is raised counts at once, with a key that has been used.
    let raised = json!({"quotas": {"webhooks": 2, "recoveries": 5}});
    world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &raised).await.ok(200);
    make(&tenant, &body).await.ok(201);
    // What is lowered takes nothing away, and what is there can be changed, if it does not grow.
    let quotas = set(&world, &mut tenant, &json!({"webhooks": 0, "list_bytes": 0})).await;
    assert_eq!((&quotas["webhooks"], &quotas["recoveries"]), (&json!(0), &json!(5)), "what was not named stays");
    exceeded(&make(&tenant, &body).await, "webhooks", 0);
    assert_eq!(listed(&tenant).await, 2);
    tenant.api.patch(&path, &json!({"description": "mine", "status": "disabled"})).await.ok(200);
    let quotas = set(&world, &mut tenant, &json!({"webhooks": null, "list_bytes": null, "recoveries": null})).await;
    let plans = json!({"webhooks": 200, "list_bytes": 4_194_304, "events_per_second": 100, "recoveries": 2});
    assert_eq!(quotas, plans);
    make(&tenant, &body).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_list_grows_to_its_quota_and_no_further() {
    let world = World::open();
    let (mut tenant, body) = with_room_for(&world, 9).await;
    let path = format!("/v1/webhooks/{}", tenant.create(&body).await);
    let shown = tenant.api.get("/v1/webhooks").await.body;
    // Without what stands around it, and as if it were disabled, which is two letters longer; with a comma.
    let one = shown.len() - r#"{"webhooks":[]}"#.len() + 2 + 1;
    let limit = one * 2 + 3;
    set(&world, &mut tenant, &json!({"list_bytes": limit})).await;
    let second = make(&tenant, &body).await.ok(201);
    exceeded(&make(&tenant, &body).await, "list_bytes", limit);
    let longer = |by: &str| json!({"url": format!("{}{by}", text(&body, "url"))});
    tenant.api.patch(&path, &longer("123")).await.ok(200);
    exceeded(&tenant.api.patch(&path, &longer("1234")).await, "list_bytes", limit);
    tenant.api.patch(&path, &longer("789")).await.ok(200);
    tenant.api.patch(&path, &longer("")).await.ok(200);
    tenant.api.patch(&path, &longer("123")).await.ok(200);
    tenant.api.delete(&format!("/v1/webhooks/{}", text(&second, "id"))).await.ok(204);
    make(&tenant, &body).await.ok(201);
    exceeded(&make(&tenant, &body).await, "list_bytes", limit);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_asks_for_48_patterns_at_the_most() {
    let world = World::open();
    let mut tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "standard"})).await;
    tenant.api = world.anonymous.with_key(text(&key, "key"));
    let receiver = Receiver::start(world.stack).await;
    let patterns = |count: usize| (0..count).map(|number| format!("a.n{number}")).collect::<Vec<_>>();
    make(&tenant, &json!({"url": receiver.url("/"), "events": patterns(49)})).await.invalid("events");
    let made = make(&tenant, &json!({"url": receiver.url("/"), "events": patterns(48)})).await.ok(201);
    let path = format!("/v1/webhooks/{}", text(&made, "id"));
    tenant.api.patch(&path, &json!({"events": patterns(49)})).await.invalid("events");
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_of_before_are_counted_and_a_wrong_count_refuses_nobody() {
    let world = World::open();
    let (tenant, body) = with_room_for(&world, 3).await;
    for _ in 0..2 {
        let webhook = tenant.create(&body).await;
        let sort = format!("WEBHOOK#{webhook}");
        let mut row = world.aws.rows.take(&tenant.id, &sort).await;
        row.remove("counted_bytes").expect("it should remember what it was counted with");
        world.aws.rows.put_back(row).await;
    }
    let count = world.aws.rows.take(&tenant.id, "WEBHOOKS").await;
    let answers = join_all((0..10).map(|_| make(&tenant, &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1, "{answers:?}");
    let counted = world.aws.rows.take(&tenant.id, "WEBHOOKS").await;
    let longer = |row: &Row| row["list_bytes"].as_n().expect("a number").parse::<u64>().expect("a number");
    assert_eq!(longer(&counted), longer(&count) / 2 * 3, "as if each had been counted when it was made");
    // Somebody restored a row that says too much: before anybody is refused by it, it is counted again, once a minute.
    let wrong = |at: i64| {
        let mut row = counted.clone();
        row.insert("webhooks".to_owned(), n(7));
        row.insert("counted_at".to_owned(), n(at));
        row
    };
    tenant.api.delete(&format!("/v1/webhooks/{}", text(&first(&tenant).await, "id"))).await.ok(204);
    world.aws.rows.put_back(wrong(jiff::Timestamp::now().as_second())).await;
    exceeded(&make(&tenant, &body).await, "webhooks", 3);
    world.aws.rows.put_back(wrong(0)).await;
    make(&tenant, &body).await.ok(201);
    exceeded(&make(&tenant, &body).await, "webhooks", 3);
    assert_eq!(listed(&tenant).await, 3);
}

async fn first(tenant: &Tenant) -> Value {
    tenant.api.get("/v1/webhooks").await.ok(200)["webhooks"][0].clone()
}

/// A recovery's row that says that it runs; no sweep knows of it.
fn running(tenant: &Tenant, webhook: &str, id: &str) -> Row {
    let texts = [
        ("pk", format!("TENANT#{}", tenant.id)),
        ("sk", format!("RECOVERY#{id}")),
        ("id", id.to_owned()),
        ("tenant_id", tenant.id.clone()),
        ("endpoint_id", webhook.to_owned()),
        ("since", ago(60)),
        ("until", ago(0)),
        ("status", "running".to_owned()),
    ];
    let numbers = [("found", n(0)), ("requeued", n(0)), ("expires_at", n(FAR_OFF))];
    let texts = texts.map(|(name, value)| (name.to_owned(), s(value)));
    texts.into_iter().chain(numbers.map(|(name, value)| (name.to_owned(), value))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_recoveries_run_at_once_and_one_that_ends_makes_room() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let recover = async || {
        let body = json!({"since": ago(600)});
        tenant.api.post(&format!("/v1/webhooks/{webhook}/recover"), &body).await
    };
    // One that has nothing to do is done at once, and gives its place back.
    for _ in 0..4 {
        recover().await.ok(202);
    }
    let ids = ["rec_0000000000000001", "rec_0000000000000002"];
    for id in ids {
        world.aws.rows.put_back(running(&tenant, &webhook, id)).await;
    }
    let set = aws_sdk_dynamodb::types::AttributeValue::Ss(ids.map(str::to_owned).to_vec());
    world.aws.rows.amend(&tenant.id, "RECOVERING", "running", set).await;
    let answers = join_all((0..5).map(|_| recover())).await;
    for answer in &answers {
        exceeded(answer, "recoveries", 2);
    }
    // What calls off all that waits has one of the same places.
    exceeded(&tenant.api.post(&format!("/v1/webhooks/{webhook}/cancel-pending"), &json!({})).await, "recoveries", 2);
    world.aws.rows.amend(&tenant.id, &format!("RECOVERY#{}", ids[0]), "status", s("done")).await;
    recover().await.ok(202);
    // The operator's word counts at once.
    let path = format!("/v1/tenants/{}", tenant.id);
    world.admin.patch(&path, &json!({"quotas": {"recoveries": 1}})).await.ok(200);
    exceeded(&recover_now(&world, &tenant, &webhook).await, "recoveries", 1);
    world.admin.patch(&path, &json!({"quotas": {"recoveries": 3}})).await.ok(200);
    recover().await.ok(202);
}

/// The same with a key that no function has seen.
async fn recover_now(world: &World, tenant: &Tenant, webhook: &str) -> Answer {
    let key = world.key(&tenant.id, &json!({"dialect": "nur"})).await;
    let api = world.anonymous.with_key(text(&key, "key"));
    api.post(&format!("/v1/webhooks/{webhook}/recover"), &json!({"since": ago(600)})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_by_hand_are_sixty_at_once_for_each_webhook_and_then_one_a_second() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let [flooded, other] =
        [tenant.webhook(&receiver.url("/a"), &["*"]).await, tenant.webhook(&receiver.url("/b"), &["*"]).await];
    let provider = world.provider(&["events:write"]).await;
    for _ in 0..4 {
        let event = json!({"event": "dubbing.completed", "data": {}, "tenant_id": tenant.id});
        provider.post("/v1/events/batch", &json!({"events": vec![event; 25]})).await.ok(202);
    }
    let all_done = async |webhook: &str| {
        until("all to be delivered", SOON * 2, || async {
            let rows = tenant.deliveries(webhook, "status=succeeded&limit=200").await;
            if rows.len() == 100 { Ok(rows) } else { Err(rows.len().to_string()) }
        })
        .await
    };
    let rows = all_done(&flooded).await;
    let begun = Instant::now();
    let answers = join_all(rows.iter().map(|row| act(&tenant, text(row, "id"), "retry"))).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    let come_back = usize::try_from(begun.elapsed().as_secs()).expect("some seconds") + 1;
    assert!((60..=60 + come_back).contains(&taken), "{taken} in {come_back} s");
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        assert_eq!(exceeded(refused, "retries", 60), 1, "one comes back each second");
    }
    let left = answers.iter().zip(&rows).find(|(answer, _)| answer.status == 429).expect("one that was refused").1;
    until("its turn to come", SOON, || async {
        match act(&tenant, text(left, "id"), "retry").await {
            answer if answer.status == 202 => Ok(()),
            answer => Err(format!("{:?}", exceeded(&answer, "retries", 60))),
        }
    })
    .await;
    let elsewhere = all_done(&other).await;
    act(&tenant, text(&elsewhere[0], "id"), "retry").await.ok(202);
}
