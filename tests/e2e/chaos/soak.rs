//! Thousands of deliveries to receivers good and bad, while functions die at random: the ledger must come out even.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::chaos::storm::{kill_at_random, publish, settle};
use crate::chaos::{alone, scale, with_short_visibility};
use crate::support::api::text;
use crate::support::request::Received;
use crate::support::stack::say;
use crate::support::{Receiver, Reply, Tenant, World};

/// Among the other tests; `make soak` takes two thousand.
const EVENTS: u64 = 200;
/// Longer than a batch takes on a busy machine, so that only what died comes back.
const VISIBILITY: u64 = 10;
const RETRY_SCHEDULE: [u64; 6] = [1, 1, 2, 3, 5, 8];
/// How long functions go on dying after the last event was published.
const KILLING: Duration = Duration::from_secs(15);
/// Who dies, and how often in comparison.
const VICTIMS: [&str; 6] = ["deliver", "deliver", "deliver", "fanout", "events", "sweep"];

/// What makes a run repeatable; printed, and taken from `POSTRIDER_SEED` where that is set.
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
        let body = json!({"url": url, "events": ["*"], "retry_schedule": RETRY_SCHEDULE, "timeout_seconds": 5});
        sides.push(Side { name, receiver, webhook: tenant.create(&body).await });
    }
    sides
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

/// How many of a delivery's attempts came late, beside those in turn: each was made for a copy of its message.
async fn late_ones(world: &World, delivery: &Value) -> usize {
    let row = world.aws.rows.delivery(text(delivery, "id")).await.expect("the row is there");
    row.keys().filter(|name| name.starts_with("late_")).count()
}

/// Counts one side, and holds it to what must be so on every side.
async fn tally(world: &World, tenant: &Tenant, side: &Side, published: &BTreeSet<String>) -> Tally {
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
        tally.answered += attempts.iter().filter(|attempt| attempt["status_code"].is_u64()).count();
        let own = outcomes.iter().filter(|outcome| **outcome != "internal").count();
        let event = text(&delivery, "event_id").to_owned();
        match text(&delivery, "status") {
            "succeeded" => {
                // A copy that met it in another function may have failed after it.
                let is_last = outcomes.last() == Some(&"succeeded");
                assert!(is_last || late_ones(world, &delivery).await > 0, "{delivery}");
                assert!(outcomes.contains(&"succeeded"), "{delivery}");
                assert!(received.contains(&event), "{}: told as delivered, and never seen: {delivery}", side.name);
                tally.succeeded += 1;
            }
            "failed" => {
                assert_eq!(delivery["reason"], "attempts_exhausted", "{delivery}");
                let late = if own > RETRY_SCHEDULE.len() + 1 { late_ones(world, &delivery).await } else { 0 };
                assert_eq!(
                    own - late,
                    RETRY_SCHEDULE.len() + 1,
                    "every attempt of its own was made, and no more: {delivery}"
                );
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
    let (world, _guard) = alone().await;
    let events = scale("POSTRIDER_SOAK", EVENTS);
    let seed = scale("POSTRIDER_SEED", rand::rng().random_range(0..1_000_000));
    SEED.store(seed, Ordering::Relaxed);
    say(&format!("soak: {events} events, POSTRIDER_SEED={seed}"));
    let tenant = world.tenant().await;
    let many = json!({"quotas": {"events_per_second": 10_000}});
    world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &many).await.ok(200);
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["events:write"]})).await;
    let sides = sides(&world, &tenant).await;
    let webhooks: Vec<_> = sides.iter().map(|side| side.webhook.clone()).collect();
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
        let done = tokio::join!(work, kill_at_random(&world, (&VICTIMS, seed), &stop));
        settle(&world, &tenant, &webhooks).await;
        done
    })
    .await;
    say(&format!("soak: settled after {:.0?}; killed {:?}", begun.elapsed(), killed.processes));

    let (mut finals, mut repeated) = (0, 0);
    for side in &sides {
        let tally = tally(&world, &tenant, side, &published).await;
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
        killed.processes.values().sum::<u32>()
    ));
}
