//! An owner who retries, cancels, recovers, moves and rotates at random while deliveries are made, first alone and then while
//! functions die: what receivers saw is what the ledger tells.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::chaos::storm::{kill_at_random, publish, settle};
use crate::chaos::{alone, scale, with_short_visibility};
use crate::support::api::text;
use crate::support::rows::ago;
use crate::support::stack::say;
use crate::support::{Receiver, Reply, Tenant, World, until};

/// Among the other tests; `make soak` takes five hundred.
const EVENTS: u64 = 60;
const SCHEDULE: [u64; 4] = [1, 1, 2, 3];
const VISIBILITY: u64 = 10;
/// Who act at the same time.
const PEOPLE: u64 = 4;
/// How long the owner goes on at the least after the last event was published; he also makes a call for every event.
const ACTING: Duration = Duration::from_secs(10);
/// How long those calls may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// What never reached a receiver.
const UNSEEN: [&str; 4] = ["internal", "dns_failed", "connect_refused", "connect_timeout"];

fn every_third_fails(before: usize) -> u16 {
    if before.is_multiple_of(3) { 500 } else { 200 }
}

fn always(_: usize) -> u16 {
    200
}

struct Side {
    name: &'static str,
    receiver: Receiver,
    webhook: String,
    /// What the receiver answers, by the number of requests before.
    answers: fn(usize) -> u16,
}

impl Side {
    /// The events that the receiver took.
    fn taken(&self) -> BTreeSet<String> {
        let requests = self.receiver.requests();
        let taken = requests.iter().enumerate().filter(|(before, _)| (self.answers)(*before) == 200);
        taken.map(|(_, request)| request.event_id()).collect()
    }
}

async fn sides(world: &World, tenant: &Tenant) -> Vec<Side> {
    let replies = [
        ("healthy", Reply::Status(200), always as fn(usize) -> u16),
        ("500 to a third", Reply::Changing(every_third_fails), every_third_fails),
        ("slow", Reply::Late(Duration::from_millis(700), 200), always),
    ];
    let mut sides = Vec::new();
    for (name, reply, answers) in replies {
        let receiver = Receiver::scripted(world.stack, [], reply).await;
        let body = json!({"url": receiver.url("/0"), "events": ["*"], "retry_schedule": SCHEDULE, "secret": "whsec_of_this_soak"});
        let webhook = tenant.create(&body).await;
        sides.push(Side { name, receiver, webhook, answers });
    }
    sides
}

/// What an owner did.
#[derive(Debug, Default)]
struct Calls {
    taken: AtomicU64,
    refused: AtomicU64,
    /// That it is enough.
    stop: AtomicBool,
}

impl Calls {
    fn made(&self) -> u64 {
        self.taken.load(Ordering::Relaxed) + self.refused.load(Ordering::Relaxed)
    }
}

/// Several people act side by side until told to stop.
async fn act_together(tenant: &Tenant, sides: &[Side], seed: u64, calls: &Calls) {
    join_all((0..PEOPLE).map(|person| act_at_random(tenant, sides, seed + person, calls))).await;
}

async fn act_at_random(tenant: &Tenant, sides: &[Side], seed: u64, calls: &Calls) {
    let mut random = StdRng::seed_from_u64(seed);
    while !calls.stop.load(Ordering::Relaxed) {
        let side = sides.choose(&mut random).expect("there are some");
        let webhook = format!("/v1/webhooks/{}", side.webhook);
        let page = tenant.api.get(&format!("{webhook}/deliveries?limit=100")).await.ok(200);
        let known = page["deliveries"].as_array().expect("deliveries should be listed");
        let Some(delivery) = known.choose(&mut random).map(|row| text(row, "id").to_owned()) else { continue };
        let answer = match random.random_range(0..12) {
            0..5 => tenant.api.post(&format!("/v1/deliveries/{delivery}/retry"), &json!({})).await,
            5..9 => tenant.api.post(&format!("/v1/deliveries/{delivery}/cancel"), &json!({})).await,
            9 => tenant.api.post(&format!("{webhook}/recover"), &json!({"since": ago(600)})).await,
            10 => {
                let url = side.receiver.url(&format!("/{}", random.random_range(0..1000)));
                tenant.api.patch(&webhook, &json!({"url": url})).await
            }
            _ => tenant.api.post(&format!("{webhook}/secret/rotate"), &json!({"grace_seconds": 0})).await,
        };
        match answer.status {
            200 | 202 => calls.taken.fetch_add(1, Ordering::Relaxed),
            // Of some dozens of retries by hand, a few are too many.
            409 | 429 => calls.refused.fetch_add(1, Ordering::Relaxed),
            status => panic!("{status}: {}", answer.body),
        };
    }
}

/// Holds a side to what must be so: every event has come to one end, and what was taken is told. How many POSTs the receiver
/// saw, and how many the ledger tells of.
async fn count(tenant: &Tenant, side: &Side, published: &BTreeSet<String>, alive: bool) -> (u64, u64) {
    let (mut told, mut delivered, mut recorded) = (BTreeSet::new(), BTreeSet::new(), 0);
    for delivery in tenant.deliveries(&side.webhook, "limit=100").await {
        let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
        let numbers: Vec<_> = attempts.iter().filter_map(|attempt| attempt["number"].as_u64()).collect();
        assert!(numbers.iter().copied().eq(1..=attempts.len() as u64), "{delivery}");
        let seen = |attempt: &&Value| !UNSEEN.contains(&text(attempt, "outcome"));
        recorded += attempts.iter().filter(seen).count() as u64;
        let taken = attempts.iter().any(|attempt| attempt["outcome"] == "succeeded");
        assert_eq!(taken, delivery["delivered_at"].is_string(), "{delivery}");
        if taken {
            delivered.insert(text(&delivery, "event_id").to_owned());
        }
        let status = text(&delivery, "status");
        assert!(["succeeded", "failed", "cancelled"].contains(&status), "no final state: {delivery}");
        assert!(told.insert(text(&delivery, "event_id").to_owned()), "an event twice: {delivery}");
    }
    assert_eq!(&told, published, "{}: one end for every event", side.name);
    // Where a function died, the event was sent again, unless somebody had called it off.
    assert!(!alive || delivered == side.taken(), "{}: a success that a receiver gave is never lost", side.name);
    assert!(delivered.is_subset(&side.taken()), "{}: told as delivered, and never taken", side.name);
    (side.receiver.requests().len() as u64, recorded)
}

/// Publishes, acts and, where `victims` are given, kills; then compares.
async fn run(world: &World, events: u64, seed: u64, victims: &[&'static str]) {
    let tenant = world.tenant().await;
    let many = json!({"quotas": {"recoveries": 100, "events_per_second": 10_000}});
    world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &many).await.ok(200);
    let key = world.key(&tenant.id, &json!({"dialect": "nur", "scopes": ["events:write"]})).await;
    let sides = sides(world, &tenant).await;
    let webhooks: Vec<_> = sides.iter().map(|side| side.webhook.clone()).collect();
    let (calls, alive) = (Calls::default(), AtomicBool::new(victims.is_empty()));
    let work = async {
        let published = publish(world, text(&key, "key"), 0..events).await;
        tokio::time::sleep(ACTING).await;
        until("the owner's calls to be made", PATIENCE, || async {
            if calls.made() >= events { Ok(()) } else { Err(format!("{calls:?}")) }
        })
        .await;
        calls.stop.store(true, Ordering::Relaxed);
        alive.store(true, Ordering::Relaxed);
        published
    };
    let (published, (), killed) =
        tokio::join!(work, act_together(&tenant, &sides, seed, &calls), kill_at_random(world, (victims, seed), &alive));
    settle(world, &tenant, &webhooks).await;
    say(&format!("owner: {events} events, {calls:?}, killed {:?}", killed.processes));
    for side in &sides {
        let (posts, recorded) = count(&tenant, side, &published, victims.is_empty()).await;
        let out = killed.connections_to(side.receiver.port()) as u64;
        say(&format!("owner: {:<14} {posts} POSTs, {recorded} on record, at most {out} out when killed", side.name));
        let lost = posts.checked_sub(recorded).expect("an attempt on record that no receiver saw");
        assert!(lost <= out, "{}: {lost} POSTs that no row tells of, and {out} were out", side.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn soak_with_an_owner_who_acts() {
    let (world, _guard) = alone().await;
    let events = scale("POSTRIDER_OWNER", EVENTS);
    let seed = scale("POSTRIDER_SEED", rand::rng().random_range(0..1_000_000));
    say(&format!("owner: POSTRIDER_SEED={seed}"));
    with_short_visibility(&world, VISIBILITY, async {
        run(&world, events, seed, &[]).await;
        run(&world, events, seed, &["deliver", "deliver", "fanout", "sweep"]).await;
    })
    .await;
}
