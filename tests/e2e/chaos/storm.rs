//! What soaks are made of: producers who do not give up, functions that die at random, and an end to it all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Tenant, World, canary};

const BATCH: usize = 25;
const PATIENCE: Duration = Duration::from_secs(600);
const SWEPT_EVERY: Duration = Duration::from_secs(2);

/// Publishes the events of these numbers until each is taken, as a producer would whose calls may fail; returns the events' ids.
pub(super) async fn publish(world: &World, key: &str, numbers: Range<u64>) -> BTreeSet<String> {
    let http = reqwest::Client::builder().no_proxy().build().expect("a plain client should build");
    let numbers: Vec<u64> = numbers.collect();
    let batches = numbers.chunks(BATCH).map(|batch| {
        let event = |number: &u64| {
            let data = json!({"number": number, "secret": canary!("data")});
            json!({"event": "dubbing.completed", "id": format!("soak-{number}"), "data": data})
        };
        let body = json!({"events": batch.iter().map(event).collect::<Vec<_>>()}).to_string();
        let request = http.post(format!("{}/v1/events/batch", world.stack.api_url)).bearer_auth(key);
        let request = request.header("content-type", "application/json").body(body);
        async move {
            loop {
                let request = request.try_clone().expect("its body is text");
                let answer = match request.send().await {
                    Ok(answer) if answer.status() == 202 => answer.text().await.unwrap_or_default(),
                    Ok(answer) if answer.status().is_server_error() => String::new(),
                    Ok(answer) => panic!("a publish was refused: {}", answer.status()),
                    Err(_) => String::new(),
                };
                let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
                let ids = answer["results"].as_array().map(|results| results.iter().map(|result| &result["id"]));
                let ids: Option<Vec<_>> = ids.and_then(|ids| ids.map(|id| id.as_str().map(str::to_owned)).collect());
                if let Some(ids) = ids {
                    return ids;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    let batches: Vec<_> = batches.collect();
    stream::iter(batches).buffer_unordered(4).flat_map(stream::iter).collect().await
}

/// What a storm destroyed.
#[derive(Debug, Default)]
pub(super) struct Killed {
    /// How many processes of each function.
    pub(super) processes: BTreeMap<&'static str, u32>,
    /// The remote port of every connection that one of them held.
    connections: Vec<u16>,
}

impl Killed {
    /// How many connections to this port were held when their processes died: over each at most one POST was out.
    pub(super) fn connections_to(&self, port: u16) -> usize {
        self.connections.iter().filter(|&&remote| remote == port).count()
    }
}

/// Kills a function's process now and then until told to stop.
pub(super) async fn kill_at_random(
    world: &World,
    (victims, seed): (&[&'static str], u64),
    stop: &AtomicBool,
) -> Killed {
    let mut random = StdRng::seed_from_u64(seed);
    let mut killed = Killed::default();
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(random.random_range(100..600))).await;
        let victim = victims[random.random_range(0..victims.len())];
        let processes = world.aws.functions.processes(victim);
        if !processes.is_empty() {
            let process = processes[random.random_range(0..processes.len())];
            killed.connections.extend(world.aws.functions.kill(process));
            *killed.processes.entry(victim).or_default() += 1;
        }
    }
    killed
}

/// Sweeps now and then until told to stop, whether or not a sweep is killed half-way.
pub(super) async fn sweep_until(world: &World, stop: &AtomicBool) {
    let mut timer = tokio::time::interval(SWEPT_EVERY);
    while !stop.load(Ordering::Relaxed) {
        timer.tick().await;
        world.aws.functions.invoke("sweep", &json!({})).await;
    }
}

/// Everything of these webhooks that is not final yet.
pub(super) async fn unfinished(tenant: &Tenant, webhooks: &[String]) -> Vec<Value> {
    let mut found = Vec::new();
    for webhook in webhooks {
        for status in ["pending", "retrying"] {
            found.extend(tenant.deliveries(webhook, &format!("status={status}&limit=100")).await);
        }
    }
    found
}

/// Sweeps, and runs time forward for what waits for a schedule or for the sweep, until everything is final.
pub(super) async fn settle(world: &World, tenant: &Tenant, webhooks: &[String]) {
    let (begun, queues) = (Instant::now(), &world.stack.queues);
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // While messages wait, asking after thousands of deliveries would only slow them down.
        let waiting = world.aws.waiting(&queues.deliver).await + world.aws.waiting(&queues.retry).await;
        if waiting > 0 && begun.elapsed() < PATIENCE {
            continue;
        }
        // One that fails, since the emulator is too busy, is followed by the next.
        world.aws.functions.invoke("sweep", &json!({})).await;
        let left = unfinished(tenant, webhooks).await;
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{} deliveries are stuck, such as {}", left.len(), left[0]);
        let (now, a_while) = (jiff::Timestamp::now(), jiff::SignedDuration::from_secs(15));
        for delivery in left {
            let due = delivery["next_attempt_at"].as_str().map(instant);
            // What is due in between is on its way; what is overdue is the sweep's, which waits for two minutes.
            if due.is_some_and(|due| due.duration_since(now).abs() > a_while) {
                bring(world, tenant, &delivery).await;
            }
        }
    }
}

/// Brings a delivery's next attempt: the row's own counter says which that is.
async fn bring(world: &World, tenant: &Tenant, delivery: &Value) {
    let Some(row) = world.aws.rows.delivery(text(delivery, "id")).await else { return };
    let made: u32 = row["attempt"].as_n().expect("a number").parse().expect("a whole number");
    let message = json!({
        "v": 2,
        "tenant_id": tenant.id,
        "endpoint_id": delivery["webhook_id"],
        "event_id": delivery["event_id"],
        "delivery_id": delivery["id"],
        "attempt": made + 1,
    });
    world.aws.send_retry(&message.to_string()).await;
}
