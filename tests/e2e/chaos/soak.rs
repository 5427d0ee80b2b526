//! Thousands of deliveries to receivers good and bad, while functions die at random: the ledger must come out even.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::chaos::{alone, scale, with_short_visibility};
use crate::support::api::text;
use crate::support::request::Received;
use crate::support::stack::say;
use crate::support::time::instant;
use crate::support::{Receiver, Reply, Tenant, World, canary};

/// Among the other tests; `make soak` takes two thousand.
const EVENTS: u64 = 200;
const BATCH: usize = 25;
/// Longer than a batch takes on a busy machine, so that only what died comes back.
const VISIBILITY: u64 = 10;
const CALENDAR: [u64; 6] = [1, 1, 2, 3, 5, 8];
/// How long functions go on dying after the last event was published.
const KILLING: Duration = Duration::from_secs(15);
const PATIENCE: Duration = Duration::from_secs(600);
/// Who dies, and how often in comparison.
const VICTIMS: [&str; 6] = ["deliver", "deliver", "deliver", "fanout", "events", "sweep"];

/// What makes chance repeatable; printed, and taken from `POSTRIDER_SEED` where that is set.
static SEED: AtomicU64 = AtomicU64::new(0);

/// 500 to three in ten, told by the number of the request and the seed (splitmix64).
fn erring(before: usize) -> u16 {
    let mut x = (before as u64).wrapping_add(SEED.load(Ordering::Relaxed)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    if (x ^ (x >> 31)) % 10 < 3 { 500 } else { 200 }
}

fn flapping(before: usize) -> u16 {
    if (before / 40).is_multiple_of(2) { 503 } else { 200 }
}

/// A receiver, or nobody, at a webhook.
struct Side {
    name: &'static str,
    receiver: Option<Receiver>,
    webhook: String,
}

async fn sides(world: &World, tenant: &Tenant) -> Vec<Side> {
    let vacant = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
    let vacant = vacant.local_addr().expect("a bound listener has an address").port();
    let replies = [
        ("healthy", Some(Reply::Status(200))),
        ("500 at 30 %", Some(Reply::Changing(erring))),
        ("slow", Some(Reply::Late(Duration::from_millis(700), 200))),
        ("dead", None),
        ("flapping", Some(Reply::Changing(flapping))),
    ];
    let mut sides = Vec::new();
    for (name, reply) in replies {
        let receiver = match reply {
            Some(reply) => Some(Receiver::scripted(world.stack, [], reply).await),
            None => None,
        };
        let nobody = || format!("https://localhost:{vacant}/");
        let url = receiver.as_ref().map_or_else(nobody, |receiver| receiver.url("/"));
        let body = json!({"url": url, "events": ["*"], "retry_schedule": CALENDAR, "timeout_seconds": 5});
        sides.push(Side { name, receiver, webhook: tenant.create(&body).await });
    }
    sides
}

/// Publishes until every event is taken, as a producer would whose calls may fail; returns the events' ids.
async fn publish(world: &World, key: &str, events: u64) -> BTreeSet<String> {
    let http = reqwest::Client::builder().no_proxy().build().expect("a plain client should build");
    let numbers: Vec<u64> = (0..events).collect();
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

/// Kills a function's process now and then until told to stop; how many it killed.
async fn kill_at_random(world: &World, seed: u64, stop: &AtomicBool) -> BTreeMap<&'static str, u32> {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut killed = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(chance.random_range(100..600))).await;
        let victim = VICTIMS[chance.random_range(0..VICTIMS.len())];
        let processes = world.aws.functions.processes(victim);
        if !processes.is_empty() {
            world.aws.functions.kill(processes[chance.random_range(0..processes.len())]);
            *killed.entry(victim).or_default() += 1;
        }
    }
    killed
}

/// Everything of the tenant that is not final yet.
async fn unfinished(tenant: &Tenant, sides: &[Side]) -> Vec<Value> {
    let mut found = Vec::new();
    for side in sides {
        for status in ["pending", "retrying"] {
            found.extend(tenant.deliveries(&side.webhook, &format!("status={status}&limit=100")).await);
        }
    }
    found
}

/// Sweeps, and runs time forward for what waits for a schedule or for the sweep, until everything is final.
async fn settle(world: &World, tenant: &Tenant, sides: &[Side]) {
    let (begun, queues) = (Instant::now(), &world.stack.queues);
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // While messages wait, asking after thousands of deliveries would only slow them down.
        let waiting = world.aws.waiting(&queues.deliver).await + world.aws.waiting(&queues.retry).await;
        if waiting > 0 && begun.elapsed() < PATIENCE {
            continue;
        }
        world.aws.functions.sweep().await;
        let left = unfinished(tenant, sides).await;
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{} deliveries are stuck, such as {}", left.len(), left[0]);
        let (now, a_while) = (jiff::Timestamp::now(), jiff::SignedDuration::from_secs(15));
        for delivery in left {
            let due = delivery["next_attempt_at"].as_str().map(instant);
            // What is due in between is on its way; what is overdue is the sweep's, which waits for two minutes.
            if due.is_some_and(|due| due.duration_since(now).abs() > a_while) {
                let attempts = delivery["attempts"].as_array().map_or(0, Vec::len);
                let message = json!({
                    "v": 1,
                    "tenant_id": tenant.id,
                    "endpoint_id": delivery["webhook_id"],
                    "event_id": delivery["event_id"],
                    "delivery_id": delivery["id"],
                    "attempt": attempts + 1,
                });
                world.aws.send_retry(&message.to_string()).await;
            }
        }
    }
}

/// What became of one side's deliveries.
#[derive(Debug, Default)]
struct Tally {
    succeeded: usize,
    failed: usize,
    answered: usize,
    internal: usize,
    posts: usize,
}

/// Counts one side, and holds it to what must be so on every side.
async fn tally(tenant: &Tenant, side: &Side, published: &BTreeSet<String>) -> Tally {
    let mut tally = Tally::default();
    let posts = side.receiver.as_ref().map(Receiver::requests).unwrap_or_default();
    let received: BTreeSet<_> = posts.iter().map(Received::event_id).collect();
    tally.posts = posts.len();
    assert!(received.is_subset(published), "{}: an event that nobody published", side.name);
    let mut told = BTreeSet::new();
    for delivery in tenant.deliveries(&side.webhook, "limit=100").await {
        let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
        let numbers: Vec<_> = attempts.iter().filter_map(|attempt| attempt["number"].as_u64()).collect();
        assert!(numbers.iter().copied().eq(1..=attempts.len() as u64), "counted twice, or not at all: {delivery}");
        let outcomes: Vec<_> = attempts.iter().map(|attempt| text(attempt, "outcome")).collect();
        tally.internal += outcomes.iter().filter(|outcome| **outcome == "internal").count();
        tally.answered += outcomes.iter().filter(|o| **o == "succeeded" || o.starts_with("status_")).count();
        let own = outcomes.iter().filter(|outcome| **outcome != "internal").count();
        let event = text(&delivery, "event_id").to_owned();
        match text(&delivery, "status") {
            "succeeded" => {
                assert_eq!(outcomes.last(), Some(&"succeeded"), "{delivery}");
                assert!(received.contains(&event), "{}: told as delivered, and never seen: {delivery}", side.name);
                tally.succeeded += 1;
            }
            "failed" => {
                assert_eq!(delivery["reason"], "attempts_exhausted", "{delivery}");
                assert_eq!(own, CALENDAR.len() + 1, "every attempt of its own was made: {delivery}");
                tally.failed += 1;
            }
            _ => panic!("no final state: {delivery}"),
        }
        assert!(told.insert(event), "an event twice in one webhook's ledger: {delivery}");
    }
    assert_eq!(&told, published, "{}: final states, one for every event", side.name);
    assert!(tally.answered <= tally.posts, "{}: an answer that nobody gave: {tally:?}", side.name);
    tally
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn soak() {
    let Some((world, _guard)) = alone().await else { return };
    let events = scale("POSTRIDER_SOAK", EVENTS);
    let seed = scale("POSTRIDER_SEED", rand::rng().random_range(0..1_000_000));
    SEED.store(seed, Ordering::Relaxed);
    say(&format!("soak: {events} events, POSTRIDER_SEED={seed}"));
    let tenant = world.tenant().await;
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["events:write"]})).await;
    let sides = sides(&world, &tenant).await;
    let (begun, stop) = (Instant::now(), AtomicBool::new(false));
    let work = async {
        let published = publish(&world, text(&key, "key"), events).await;
        assert_eq!(published.len() as u64, events, "each event once, however often its producer asked");
        say(&format!("soak: published after {:.0?}", begun.elapsed()));
        tokio::time::sleep(KILLING).await;
        stop.store(true, Ordering::Relaxed);
        published
    };
    let (published, killed) = with_short_visibility(&world, VISIBILITY, async {
        let done = tokio::join!(work, kill_at_random(&world, seed, &stop));
        settle(&world, &tenant, &sides).await;
        done
    })
    .await;
    say(&format!("soak: settled after {:.0?}; killed {killed:?}", begun.elapsed()));

    let (mut finals, mut repeated) = (0, 0);
    for side in &sides {
        let tally = tally(&tenant, side, &published).await;
        say(&format!("soak: {:<12} {tally:?}, repeated POSTs {}", side.name, tally.posts - tally.answered));
        finals += tally.succeeded + tally.failed;
        repeated += tally.posts - tally.answered;
        match side.name {
            "healthy" | "slow" => assert_eq!(tally.succeeded as u64, events, "every {} delivery is made", side.name),
            "dead" => assert_eq!(tally.failed as u64, events),
            _ => {}
        }
    }
    assert_eq!(finals as u64, events * sides.len() as u64, "final states = events x matches");
    say(&format!(
        "soak: {finals} final states, {repeated} POSTs repeated for {:?} kills",
        killed.values().sum::<u32>()
    ));
}
