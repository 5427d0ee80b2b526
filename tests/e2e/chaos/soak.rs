//! Thousands of deliveries to receivers good and bad, down for a while and limited, while functions die at random: the ledger must
//! come out even.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::chaos::storm::{kill_at_random, publish, settle, sweep_until};
use crate::chaos::{MINUTE, alone, scale, with_outages_after, with_short_visibility};
use crate::support::api::text;
use crate::support::receiver::Gate;
use crate::support::request::Received;
use crate::support::stack::say;
use crate::support::world::publishing;
use crate::support::{Receiver, Reply, Tenant, World, until};

/// Among the other tests; `make soak` takes two thousand.
const EVENTS: u64 = 200;
/// Longer than a batch takes on a busy machine, so that only what died comes back.
const VISIBILITY: u64 = 10;
const RETRY_SCHEDULE: [u64; 6] = [1, 1, 2, 3, 5, 8];
/// After so long an outage parks, and so often it is probed: longer than the first retry waits, so that retries are parked too.
const OUTAGE_SECONDS: u64 = 4;
/// All events would take this long at the rate that one webhook allows.
const LIMITED_TO: u64 = 10;
/// What is told of an outage to whoever asks for it.
const NOTICES: [&str; 2] = ["webhook.failing", "webhook.recovered"];
/// Messages that a process has in hand when it dies.
const BATCH: usize = 10;
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

/// Webhooks of the dialect that parks, beside the others: one that is down until its gate opens, one that takes so many requests a
/// second, and one that is told of outages.
struct Standard {
    gate: Gate,
    sides: [Side; 2],
    listener: Receiver,
    notices: String,
}

impl Standard {
    async fn of(world: &World, tenant: &Tenant, events: u64) -> Self {
        let made = world.key(&tenant.id, &publishing("standard")).await;
        let api = world.anonymous.with_key(text(&made, "key"));
        let tenant = Tenant { id: tenant.id.clone(), key_id: text(&made, "id").to_owned(), api };
        let (gate, listener) = (Gate::shut(), Receiver::start(world.stack).await);
        let down = Receiver::scripted(world.stack, [], Reply::Until(gate.clone(), 503)).await;
        let limited = Receiver::start(world.stack).await;
        let rate = (events / LIMITED_TO).clamp(1, 1000);
        let to_down = tenant.webhook(&down.url("/"), &["*"]).await;
        let to_limited = json!({"url": limited.url("/"), "events": ["*"], "rate_limit": rate});
        let to_limited = tenant.create(&to_limited).await;
        let notices = tenant.webhook(&listener.url("/"), &NOTICES).await;
        let side = |name, receiver, webhook| Side { name, receiver: Some(receiver), webhook };
        let sides = [side("down", down, to_down), side("limited", limited, to_limited)];
        Self { gate, sides, listener, notices }
    }

    /// How the outage stands that one of them has.
    async fn parking(&self, tenant: &Tenant) -> Value {
        let shown = tenant.api.get(&format!("/v1/webhooks/{}", self.sides[0].webhook)).await.ok(200);
        shown["parking"].clone()
    }

    async fn is_parked(&self, tenant: &Tenant) {
        until("the outage to begin", MINUTE, || async {
            let parking = self.parking(tenant).await;
            if parking["state"] == "down" { Ok(()) } else { Err(parking.to_string()) }
        })
        .await;
    }

    /// Nothing is parked any more, and the outage was told of once, and so was its end.
    async fn is_over(&self, world: &World, tenant: &Tenant) {
        until("the outage to be over", MINUTE, || async {
            let parking = self.parking(tenant).await;
            if parking.is_null() { Ok(()) } else { Err(parking.to_string()) }
        })
        .await;
        for delivery in tenant.deliveries(&self.sides[0].webhook, "limit=100").await {
            let row = world.aws.rows.delivery(text(&delivery, "id")).await.expect("the row is there");
            assert!(!row.contains_key("waits_until"), "still parked: {delivery}");
        }
        let told = || -> BTreeSet<(String, String)> {
            let told = self.listener.requests();
            told.iter().map(|post| (text(&post.json(), "type").to_owned(), event_of(post))).collect()
        };
        until("both notices", MINUTE, || async {
            let told = told();
            if NOTICES.iter().all(|notice| told.iter().any(|(of, _)| of == notice)) {
                Ok(())
            } else {
                Err(format!("{told:?}"))
            }
        })
        .await;
        let told: Vec<String> = told().into_iter().map(|(of, _)| of).collect();
        assert_eq!(told, NOTICES, "one outage, told once");
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

/// The event that a request is about: a dialect names it in a header, or in the body.
fn event_of(post: &Received) -> String {
    post.header("webhook-id").map_or_else(|| post.event_id(), str::to_owned)
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
    let received: BTreeSet<_> = posts.iter().map(event_of).collect();
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
    let standard = Standard::of(&world, &tenant, events).await;
    let all = || sides.iter().chain(&standard.sides);
    let mut webhooks: Vec<_> = all().map(|side| side.webhook.clone()).collect();
    webhooks.push(standard.notices.clone());
    let (begun, stop) = (Instant::now(), AtomicBool::new(false));
    let work = async {
        let mut published = publish(&world, text(&key, "key"), 0..events / 2).await;
        standard.is_parked(&tenant).await;
        published.extend(publish(&world, text(&key, "key"), events / 2..events).await);
        standard.gate.open();
        assert_eq!(published.len() as u64, events, "each event once, however often its producer asked");
        say(&format!("soak: published after {:.0?}", begun.elapsed()));
        tokio::time::sleep(KILLING).await;
        say(&format!("soak: the outage is {} once nobody dies any more", standard.parking(&tenant).await["state"]));
        stop.store(true, Ordering::Relaxed);
        published
    };
    let (published, killed) = with_outages_after(
        &world,
        OUTAGE_SECONDS,
        with_short_visibility(&world, VISIBILITY, async {
            let killing = kill_at_random(&world, (&VICTIMS, seed), &stop);
            let (published, killed, ()) = tokio::join!(work, killing, sweep_until(&world, &stop));
            settle(&world, &tenant, &webhooks).await;
            standard.is_over(&world, &tenant).await;
            (published, killed)
        }),
    )
    .await;
    say(&format!("soak: settled after {:.0?}; killed {:?}", begun.elapsed(), killed.processes));

    let (mut finals, mut repeated) = (0, 0);
    for side in all() {
        let tally = tally(&world, &tenant, side, &published).await;
        say(&format!("soak: {:<12} {tally:?}, repeated POSTs {}", side.name, tally.posts - tally.answered));
        finals += tally.succeeded + tally.failed;
        repeated += tally.posts - tally.answered;
        match side.name {
            "healthy" | "slow" => assert_eq!(tally.succeeded as u64, events, "every {} delivery is made", side.name),
            "dead" => assert_eq!(tally.failed as u64, events),
            "down" | "limited" => {
                assert_eq!(tally.succeeded as u64, events, "every {} delivery is made", side.name);
                // Answers may wait for their records longer than their connections live, so these cannot be told by connections.
                let out = BATCH * killed.processes.get("deliver").copied().unwrap_or_default() as usize;
                assert!(tally.posts - tally.answered <= out, "{}: {tally:?}, and {out} were out", side.name);
            }
            _ => {}
        }
    }
    assert_eq!(finals as u64, events * all().count() as u64, "final states = events x matches");
    say(&format!(
        "soak: {finals} final states, {repeated} POSTs repeated for {:?} kills",
        killed.processes.values().sum::<u32>()
    ));
}
