//! A tenant that is deleted in the middle of everything, by sweeps that are killed: nothing is sent after a minute, nothing is left
//! in the end, and nobody else notices.

use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::chaos::{MINUTE, alone, standard, sweep, with_outages_after, with_proxy};
use crate::support::api::text;
use crate::support::customer::task_body;
use crate::support::poll::until;
use crate::support::proxy::{Fault, Proxy, Spoil, THROTTLED};
use crate::support::rows::s;
use crate::support::stack::say;
use crate::support::{Api, Gate, Receiver, Reply, SOON, Tenant, World};

const OUTAGE_SECONDS: u64 = 5;
const DELIVERIES: usize = 500;
const WAITING: usize = 20;
const PARKED: usize = 5;

/// Publishes so many events by the provider's key, which no quota refuses.
async fn publish(provider: &Api, tenant: &str, event: &str, count: usize) {
    for batch in (0..count).collect::<Vec<_>>().chunks(25) {
        let events: Vec<_> = batch
            .iter()
            .map(|number| json!({"event": event, "data": {"number": number}, "tenant_id": tenant}))
            .collect();
        provider.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
    }
}

async fn count(tenant: &Tenant, webhook: &str, status: &str, count: usize) {
    until(&format!("{count} to be {status}"), MINUTE, || async {
        let found = tenant.deliveries(webhook, &format!("status={status}&limit=200")).await.len();
        if found == count { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
}

/// A sweep that hangs at a call, and is killed there.
async fn killed_at(world: &World, fault: Fault) {
    let proxy = Proxy::start(world.stack).await;
    with_proxy(world, "sweep", &proxy, async {
        proxy.add(fault);
        let killed = async {
            until("the sweep to hang", MINUTE, || async {
                if proxy.hits() > 0 { Ok(()) } else { Err("no such call yet".to_owned()) }
            })
            .await;
            assert!(world.aws.functions.kill_all("sweep") > 0, "somebody must be sweeping");
        };
        tokio::join!(sweep(world).map(drop), killed);
    })
    .await;
}

/// A tenant with everything that can be under way at once.
struct Scene {
    tenant: Tenant,
    /// The same tenant by a key of another dialect.
    by_header: Api,
    path: String,
    external_id: String,
    provider: Api,
    /// Receivers of its webhooks: one that is well, one that refuses, one that is down until the gate opens; and that of its job.
    receivers: [Receiver; 4],
    gate: Gate,
    /// The webhook that is refused, and its deliveries, which wait for an hour.
    refused: String,
    waiting: Vec<String>,
    job: String,
}

impl Scene {
    /// 500 deliveries that arrived, 20 that wait, a parked webhook, a recovery and a cancellation that run, a creation that is remembered,
    /// and a job.
    async fn begin(world: &World) -> Self {
        let (tenant, provider, gate) = (standard(world).await, world.provider(&["events:write"]).await, Gate::shut());
        let (path, external_id) = (format!("/v1/tenants/{}", tenant.id), format!("chaos-{}", tenant.id));
        world.admin.patch(&path, &json!({"external_id": external_id})).await.ok(200);
        let by_header = world.key(&tenant.id, &json!({"dialect": "netraflow"})).await;
        let by_header = world.anonymous.with_api_key(text(&by_header, "key"));
        let receivers = [
            Receiver::start(world.stack).await,
            Receiver::scripted(world.stack, [], Reply::Status(422)).await,
            Receiver::scripted(world.stack, [], Reply::Until(gate.clone(), 503)).await,
            Receiver::start(world.stack).await,
        ];
        let big = tenant.webhook(&receivers[0].url("/"), &["order.*"]).await;
        let body = json!({
            "url": receivers[1].url("/"), "events": ["refund.*"], "retry_schedule": [3600, 3600],
            "filter": {"event": [{"prefix": "refund."}]}, "headers": {"x-team": "billing"},
        });
        let create = tenant.api.call(Method::POST, "/v1/webhooks/create").header("Idempotency-Key", "refunds");
        let refused = text(&create.json(&body).send().await.ok(201), "id").to_owned();
        let body = json!({"url": receivers[2].url("/"), "events": ["parked.*"], "timeout_seconds": 2});
        let parked = tenant.create(&body).await;
        tenant.publish("parked.first", &json!({})).await;
        publish(&provider, &tenant.id, "order.paid", DELIVERIES).await;
        publish(&provider, &tenant.id, "refund.made", WAITING).await;
        count(&tenant, &big, "succeeded", DELIVERIES).await;
        count(&tenant, &refused, "retrying", WAITING).await;
        until("the webhook to be parked", MINUTE, || async {
            let shown = tenant.api.get(&format!("/v1/webhooks/{parked}")).await.ok(200);
            if shown["parking"]["state"] == "down" { Ok(()) } else { Err(shown.to_string()) }
        })
        .await;
        publish(&provider, &tenant.id, "parked.more", PARKED).await;
        let job = by_header.post("/v1/jobs", &task_body(&receivers[3].url("/"))).await.data(201);
        let refusing = Proxy::start(world.stack).await;
        refusing.add(Fault::of(THROTTLED).on("Query"));
        with_proxy(world, "ledger", &refusing, async {
            let since = json!({"since": "2026-01-01T00:00:00Z"});
            tenant.api.post(&format!("/v1/webhooks/{big}/recover"), &since).await.ok(202);
            tenant.api.post(&format!("/v1/webhooks/{big}/cancel-pending"), &json!({})).await.ok(202);
        })
        .await;
        let waiting = tenant.deliveries(&refused, "status=retrying&limit=100").await;
        let waiting = waiting.iter().map(|row| text(row, "id").to_owned()).collect();
        let job = text(&job, "job_id").to_owned();
        Self { tenant, by_header, path, external_id, provider, receivers, gate, refused, waiting, job }
    }

    /// There is something of the tenant wherever anything of one can lie.
    async fn assert_whole(&self, world: &World) {
        let there = world.aws.rows.left_of(&self.tenant.id).await;
        let places: Vec<String> = there.config.iter().map(|row| format!("{:?} {:?}", row["pk"], row["sk"])).collect();
        for (place, count) in [
            ("\"TENANTS\"", 1),
            ("\"EXTERNAL#", 1),
            ("\"KEY#", 2 + 2),
            ("\"SUBSCRIPTION#", 3),
            ("\"PARKED\"", 1),
            ("\"RECOVERIES\"", 2),
            ("\"CALLS#", 1),
        ] {
            let found = places.iter().filter(|there| there.contains(place)).count();
            assert_eq!(found, count, "{place} of {places:#?}");
        }
        assert_eq!(there.jobs.len(), 1, "{there:?}");
    }

    /// How many POSTs came to each receiver.
    fn posts(&self) -> [usize; 4] {
        self.receivers.each_ref().map(|receiver| receiver.requests().len())
    }

    /// Everything is asked for at once: retries come due, the receiver that was down is back, the job ends, more is published.
    async fn stir(&self, world: &World) {
        self.gate.open();
        join_all(self.waiting.iter().map(|id| world.aws.rows.due_ago(id, 600))).await;
        let worker = world.provider(&["jobs:report"]).await;
        worker.post(&format!("/v1/jobs/{}/report", self.job), &json!({"status": "completed"})).await.data(200);
        let publication = json!({"event": "order.paid", "data": {}, "tenant_id": self.tenant.id});
        self.provider.post("/v1/events", &publication).await.refused(404, "not_found");
    }

    /// Nothing is left but a tombstone, and a ledger in which nothing waits.
    async fn assert_gone(&self, world: &World) {
        for of in ["", "/keys", "/stats"] {
            world.admin.get(&format!("{}{of}", self.path)).await.refused(404, "not_found");
            world.admin.get(&format!("/v1/tenants/ext:{}{of}", self.external_id)).await.refused(404, "not_found");
        }
        world.admin.delete(&self.path).await.refused(404, "not_found");
        world.admin.patch(&self.path, &json!({"status": "active"})).await.refused(404, "not_found");
        for api in [&self.tenant.api, &self.by_header] {
            assert_eq!(api.get("/v1/deliveries?status=undelivered").await.status, 401);
        }
        let left = world.aws.rows.left_of(&self.tenant.id).await;
        assert_eq!((left.config.len(), left.jobs.len()), (1, 0), "{:?} {:?}", left.config, left.jobs);
        assert!(left.deliveries.len() >= DELIVERIES + WAITING, "the ledger goes with its retention");
        for row in &left.deliveries {
            let is_waiting = row["status"] == s("retrying") || row["status"] == s("pending");
            assert!(!is_waiting && !row.contains_key("waits_until") && !row.contains_key("due_at"), "{row:?}");
        }
        let off = left.deliveries.iter().filter(|row| row.get("reason") == Some(&s("tenant_deleted"))).count();
        assert!(off > WAITING + PARKED, "{off} were called off");
    }
}

/// Waits until so much time has passed, which is promised to whoever deletes a tenant.
async fn passed(begun: Instant, time: Duration) {
    until(&format!("{time:?} to be over"), time + SOON, || async {
        if begun.elapsed() > time { Ok(()) } else { Err(format!("{:?}", begun.elapsed())) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_tenant_is_deleted_whatever_is_under_way_and_however_often_its_sweeps_are_killed() {
    let (world, _guard) = alone().await;
    let stranger = standard(&world).await;
    let others = Receiver::start(world.stack).await;
    let others_webhook = stranger.webhook(&others.url("/"), &["*"]).await;
    let scene = with_outages_after(&world, OUTAGE_SECONDS, async {
        let scene = Scene::begin(&world).await;
        scene.assert_whole(&world).await;
        world.admin.delete(&scene.path).await.ok(202);
        let begun = Instant::now();
        // What comes in that very moment is stored, and nothing comes of it but its end.
        publish(&scene.provider, &scene.tenant.id, "order.late", 5).await;
        for api in [&scene.tenant.api, &scene.by_header] {
            until("the key to be none", MINUTE, || async {
                let answer = api.get("/v1/deliveries?status=undelivered").await;
                if answer.status == 401 { Ok(()) } else { Err(answer.body) }
            })
            .await;
        }
        passed(begun, MINUTE).await;
        let before = scene.posts();
        assert!(before[..3].iter().all(|posts| *posts > 0), "each webhook was sent to before: {before:?}");
        scene.stir(&world).await;
        passed(begun, 2 * MINUTE).await;

        // Sweeps that are killed: at a webhook, beside which others go, at the note of that, at a job, and when all is done but nobody
        // knows.
        let at = |spoil, operation: &'static str, about: &str| Fault::of(spoil).on(operation).about(about);
        killed_at(&world, at(Spoil::Hang, "TransactWriteItems", &format!("WEBHOOK#{}", scene.refused))).await;
        killed_at(&world, at(Spoil::LoseAnswer, "TransactWriteItems", "DELETIONS").about("revision")).await;
        killed_at(&world, at(Spoil::Hang, "DeleteItem", &scene.job)).await;
        killed_at(&world, at(Spoil::LoseAnswer, "TransactWriteItems", "erased_at")).await;
        let mut sweeps = 0;
        until("nothing to be left", MINUTE, || {
            sweeps += 1;
            async {
                world.aws.functions.sweep().await;
                let answer = world.admin.get(&scene.path).await;
                if answer.status == 404 { Ok(()) } else { Err(answer.body) }
            }
        })
        .await;
        say(&format!("deleted in {:.0?}, with {sweeps} sweeps after those that were killed", begun.elapsed()));
        assert_eq!(scene.posts(), before, "no POST after a minute");
        scene
    })
    .await;
    scene.assert_gone(&world).await;
    // Nobody else has noticed, and its name is free.
    let event = stranger.publish("order.paid", &json!({})).await;
    let delivery = stranger.delivery_of(&event, &others_webhook).await;
    stranger.settled(&delivery, "succeeded", 1).await;
    assert_eq!(others.requests().len(), 1);
    let path = format!("/v1/tenants/ext:{}", scene.external_id);
    world.admin.put(&path, &json!({"name": "Anew", "plan": "pro"})).await.ok(201);
}
