//! What dies in between: functions killed, calls that fail, queues emptied, events that poison.
//!
//! These tests disturb everybody on the stack, so they are ignored unless asked for and run one at a time (`make test`
//! runs them after the others; by hand: `cargo test --workspace --test e2e -- --ignored chaos::`). Each leaves the stack
//! as it found it. After every disturbance the same must hold: nothing is lost, no attempt is counted twice, and the
//! receiver sees the same event under the same id.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::support::api::text;
use crate::support::proxy::Proxy;
use crate::support::timer::Stilled;
use crate::support::{Receiver, Tenant, World, canary};

mod bad_days;
mod cancellation;
mod creations;
mod dead_letters;
mod deleted_tenant;
mod fan_out;
mod fault_runs;
mod faults;
mod held_back;
mod killed;
mod limited;
mod lost;
mod lost_answers;
mod marks;
mod missing;
mod moved;
mod notices;
mod owner;
mod parked;
mod recovered;
mod recovery;
mod slow;
mod smoke;
mod soak;
mod stopped;
mod storm;
mod sweeps;
mod throttled;
mod traces;
mod turns;

/// A visibility time-out that a test can wait for.
const SHORT: u64 = 4;
const MINUTE: Duration = Duration::from_secs(60);
/// Tries of the SDK for one call.
const TRIES: u32 = 3;

/// What a test holds while the stack is its own. The timer is on again before the next test has its turn.
#[derive(Debug)]
struct Alone {
    _timer: Stilled,
    _turn: MutexGuard<'static, ()>,
}

/// The stack, and nobody else on it while the guard lives. Its timer starts no sweep: it would bring what a test has just made
/// overdue, past the proxy and before its fault. What others left in its queues, such as messages that a killed function had in
/// hand, would come back in the middle of it.
async fn alone() -> (World, Alone) {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let world = World::open();
    let turn = ALONE.lock().await;
    let timer = world.aws.still_timer().await;
    let queues = &world.stack.queues;
    for queue in [
        &queues.deliver,
        &queues.retry,
        &queues.slow,
        &queues.dead,
        &queues.unfinished,
        &queues.continuation,
        &queues.quarantine,
    ] {
        world.aws.purge(queue).await;
    }
    (world, Alone { _timer: timer, _turn: turn })
}

/// How many of something a test makes: what this variable says, or what suits a test among others.
fn scale(variable: &str, otherwise: u64) -> u64 {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}

/// Does the work, then puts back what was changed for it, however the work ended.
async fn then<T>(work: impl Future<Output = T>, put_back: impl Future<Output = ()>) -> T {
    // Boxed, since such work is put into such work, and a test's thread has little of a stack.
    let result = AssertUnwindSafe(Box::pin(work)).catch_unwind().await;
    put_back.await;
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Does the work while failed messages come back soon.
async fn with_short_visibility<T>(world: &World, seconds: u64, work: impl Future<Output = T>) -> T {
    let queues = &world.stack.queues;
    let queues = [&queues.deliver, &queues.retry, &queues.slow];
    let before = world.aws.visibility(queues[0]).await;
    for queue in queues {
        world.aws.set_visibility(queue, seconds).await;
    }
    then(work, async {
        for queue in queues {
            world.aws.set_visibility(queue, before).await;
        }
    })
    .await
}

/// Does the work while an outage begins after so many seconds, and is probed as often.
async fn with_outages_after<T>(world: &World, seconds: u64, work: impl Future<Output = T>) -> T {
    let functions = &world.aws.functions;
    let variables = functions.environment("deliver").await;
    let short = [("OUTAGE_SECONDS".to_owned(), json!(seconds.to_string()))];
    functions.set_environment("deliver", variables.clone().into_iter().chain(short).collect()).await;
    then(work, functions.set_environment("deliver", variables)).await
}

/// Does the work while `function` reaches AWS through the proxy only.
async fn with_proxy<T>(world: &World, function: &str, proxy: &Proxy, work: impl Future<Output = T>) -> T {
    with_proxies(world, &[function], proxy, work).await
}

/// The same with several functions.
async fn with_proxies<T>(world: &World, functions: &[&str], proxy: &Proxy, work: impl Future<Output = T>) -> T {
    let mut before = Vec::new();
    for function in functions {
        let variables = world.aws.functions.environment(function).await;
        let services = ["DYNAMODB", "EVENTBRIDGE", "SCHEDULER", "SECRETS_MANAGER", "SQS"];
        let through = services.map(|service| (format!("AWS_ENDPOINT_URL_{service}"), json!(proxy.url)));
        let spoilt = variables.clone().into_iter().chain(through).collect();
        before.push((function, variables));
        world.aws.functions.set_environment(function, spoilt).await;
    }
    then(work, async {
        proxy.heal();
        for (function, variables) in before {
            world.aws.functions.set_environment(function, variables).await;
        }
    })
    .await
}

/// Does the work while a function's event source is switched off.
async fn without_mapping<T>(world: &World, function: &str, source: &str, work: impl Future<Output = T>) -> T {
    world.aws.functions.set_mapping(function, source, false).await;
    then(work, world.aws.functions.set_mapping(function, source, true)).await
}

/// A tenant whose webhooks speak the standard dialect.
async fn standard(world: &World) -> Tenant {
    world.tenant_on("standard", "pro").await
}

/// Publishes so many events to a webhook; the deliveries' ids.
async fn published(tenant: &Tenant, webhook: &str, events: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..events {
        let event = tenant.publish("invoice.paid", &json!({})).await;
        ids.push(tenant.delivery_of(&event, webhook).await);
    }
    ids
}

/// Sweeps, whether or not the sweep says that it failed.
async fn sweep(world: &World) -> Value {
    world.aws.functions.invoke("sweep", &json!({})).await
}

/// Publishes one event to a new webhook; returns the event's id and the delivery's.
async fn one_delivery(tenant: &Tenant, receiver: &Receiver) -> (String, String) {
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    delivery_to(tenant, &webhook).await
}

/// Publishes one event to a webhook; returns the event's id and the delivery's.
async fn delivery_to(tenant: &Tenant, webhook: &str) -> (String, String) {
    let event = tenant.publish("dubbing.completed", &json!({"secret": canary!("data")})).await;
    let id = tenant.delivery_of(&event, webhook).await;
    (event, id)
}

/// The part of a webhook's id that stands in its deliveries' ids and schedules too, and in nobody else's.
fn core_of(webhook: &str) -> &str {
    &webhook["wh_".len()..]
}

/// Holds a ledger entry to these outcomes, numbered from 1 without a gap or a double, and every POST to its event's id.
#[track_caller]
fn assert_told(delivery: &Value, outcomes: &[&str], receiver: &Receiver, posts: usize) {
    let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
    let told: Vec<_> = attempts.iter().map(|attempt| (attempt["number"].as_u64(), text(attempt, "outcome"))).collect();
    let expected: Vec<_> = (1..).map(Some).zip(outcomes.iter().copied()).collect();
    assert_eq!(told, expected, "{delivery}");
    let received = receiver.requests();
    assert_eq!(received.len(), posts, "{delivery}");
    for request in received {
        assert_eq!(request.event_id(), text(delivery, "event_id"));
    }
}
