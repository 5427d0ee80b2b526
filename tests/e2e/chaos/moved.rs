//! Attempts that leave their row while AWS is not heard, refuses it, or their function dies: each is on record once.

use serde_json::{Value, json};

use crate::chaos::{SHORT, TRIES, alone, core_of, with_proxy, with_short_visibility};
use crate::support::proxy::{Fault, Proxy, Spoil, THROTTLED};
use crate::support::rows::{Row, attempts_in, bytes_of};
use crate::support::{Receiver, Reply, SOON, Tenant, World, until};

const MOST_BYTES: usize = 2048;

/// A delivery that was tried so often that its row has no room for one more.
struct Full {
    tenant: Tenant,
    /// Refuses everything, at length.
    receiver: Receiver,
    webhook: String,
    id: String,
    attempts: usize,
}

impl Full {
    async fn of(world: &World) -> Self {
        let tenant = world.tenant().await;
        let receiver = Receiver::scripted(world.stack, [], wordy()).await;
        let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": vec![3600; 12]});
        let webhook = tenant.create(&body).await;
        let event = tenant.publish("dubbing.completed", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        tenant.settled(&id, "retrying", 1).await;
        let mut attempts = 1;
        while bytes_of(&row(world, &id).await) < MOST_BYTES - 300 {
            attempts += 1;
            world.aws.attempt_now(&id, u32::try_from(attempts).expect("small")).await;
            tenant.settled(&id, "retrying", attempts).await;
        }
        Self { tenant, receiver, webhook, id, attempts }
    }
}

fn wordy() -> Reply {
    Reply::Full(503, Vec::new(), "temporarily unavailable, ".repeat(20).into_bytes())
}

async fn row(world: &World, id: &str) -> Row {
    world.aws.rows.delivery(id).await.expect("a row")
}

/// That each attempt is shown once, and lies in one place.
async fn assert_once(world: &World, tenant: &Tenant, id: &str, attempts: usize) {
    let delivery: Value = tenant.settled(id, "retrying", attempts).await;
    let times: std::collections::BTreeSet<_> =
        delivery["attempts"].as_array().expect("attempts").iter().map(|attempt| attempt["at"].to_string()).collect();
    assert_eq!(times.len(), attempts, "none twice: {delivery}");
    let apart: usize = world.aws.rows.moved_of(id).await.iter().map(attempts_in).sum();
    let here = attempts_in(&row(world, id).await);
    assert_eq!(apart + here, attempts, "none lies in two places");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_move_whose_answers_are_lost_is_made_once() {
    let (world, _guard) = alone().await;
    let Full { tenant, receiver, webhook, id, attempts } = Full::of(&world).await;
    let proxy = Proxy::start(world.stack).await;
    let table = &world.stack.tables.deliveries;
    for operation in ["PutItem", "UpdateItem"] {
        proxy.add(Fault::of(Spoil::LoseAnswer).on(operation).table(table).about(core_of(&webhook)).times(1));
    }
    with_proxy(&world, "deliver", &proxy, async {
        world.aws.attempt_now(&id, u32::try_from(attempts + 1).expect("small")).await;
        tenant.settled(&id, "retrying", attempts + 1).await;
        assert_eq!(proxy.hits(), 2);
    })
    .await;
    assert_once(&world, &tenant, &id, attempts + 1).await;
    assert!(bytes_of(&row(&world, &id).await) <= MOST_BYTES);
    assert_eq!(receiver.requests().len(), attempts + 1, "nothing was sent again");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_cannot_move_now_keeps_no_attempt_from_its_record() {
    let (world, _guard) = alone().await;
    let Full { tenant, receiver, webhook, id, attempts } = Full::of(&world).await;
    let proxy = Proxy::start(world.stack).await;
    let table = &world.stack.tables.deliveries;
    proxy.add(Fault::of(THROTTLED).on("PutItem").table(table).about(core_of(&webhook)).times(TRIES));
    with_proxy(&world, "deliver", &proxy, async {
        for number in [attempts + 1, attempts + 2] {
            world.aws.attempt_now(&id, u32::try_from(number).expect("small")).await;
            tenant.settled(&id, "retrying", number).await;
            let is_large = bytes_of(&row(&world, &id).await) > MOST_BYTES;
            assert_eq!(is_large, number == attempts + 1, "it grows until it can move");
        }
    })
    .await;
    assert_eq!(receiver.requests().len(), attempts + 2, "nothing was sent again");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn killed_after_the_move_and_before_the_record_nothing_is_on_record_twice() {
    let (world, _guard) = alone().await;
    let Full { tenant, receiver: _receiver, webhook, id, attempts } = Full::of(&world).await;
    let proxy = Proxy::start(world.stack).await;
    let table = &world.stack.tables.deliveries;
    with_short_visibility(
        &world,
        SHORT,
        with_proxy(&world, "deliver", &proxy, async {
            proxy.add(Fault::of(Spoil::Hang).on("UpdateItem").table(table).about(core_of(&webhook)).times(1));
            world.aws.attempt_now(&id, u32::try_from(attempts + 1).expect("small")).await;
            until("the record to hang", SOON, || async {
                if proxy.hits() > 0 { Ok(()) } else { Err("no call yet".to_owned()) }
            })
            .await;
            assert_eq!(world.aws.rows.moved_of(&id).await.len(), 1, "what leaves the row was put");
            assert!(world.aws.functions.kill_all("deliver") > 0, "somebody must be recording");
            proxy.heal();
            tenant.settled(&id, "retrying", attempts + 1).await;
        }),
    )
    .await;
    assert_once(&world, &tenant, &id, attempts + 1).await;
    assert_eq!(world.aws.rows.moved_of(&id).await.len(), 1, "who came next took it for his own");
}
