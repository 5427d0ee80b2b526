//! AWS throttles, is slow, or tells another time: callers are told so, and it costs time alone.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use crate::chaos::{
    MINUTE, TRIES, alone, delivery_to, standard, sweep, with_proxies, with_proxy, with_short_visibility,
};
use crate::support::api::text;
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil};
use crate::support::time::instant;
use crate::support::{Receiver, Reply, SOON, World, until};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn rotate_slow_aws() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let webhook = tenant.webhook("https://hooks.example/", &["*"]).await;
    let before = world.aws.rows.webhook(&tenant.id, &webhook).await;
    let proxy = Proxy::start(world.stack).await;
    with_proxy(&world, "webhooks", &proxy, async {
        proxy.add(Fault::of(Spoil::Delay(Duration::from_millis(3_500))));
        let begun = Instant::now();
        let path = format!("/v1/webhooks/{webhook}/secret/rotate");
        let answer = tenant.api.post(&path, &json!({"grace_seconds": 0})).await;
        let took = begun.elapsed();
        let error = answer.refused(503, "unavailable");
        assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{answer:?}");
        assert!(text(&error, "message").contains("repeating the request is safe"), "{error}");
        assert!(took < Duration::from_secs(15), "it took {took:?}");
        assert_eq!(world.aws.rows.webhook(&tenant.id, &webhook).await, before, "nothing has changed");
        // As soon as there is time, it is done.
        proxy.heal();
        let secret = tenant.api.post(&path, &json!({"grace_seconds": 0})).await.ok(200);
        assert!(text(&secret, "secret").starts_with("whsec_"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn throttling_is_told_in_each_paths_shape() {
    let (world, _guard) = alone().await;
    let (nur, nouvel, netraflow) = (world.tenant().await, world.nouvel().await, world.netraflow("pro").await);
    let proxy = Proxy::start(world.stack).await;
    let throttled = |proxy: &Proxy| proxy.add(Fault::of(NO_CAPACITY).on("GetItem"));
    with_proxy(
        &world,
        "jobs",
        &proxy,
        with_proxy(&world, "webhooks", &proxy, async {
            throttled(&proxy);
            let answers = [
                nur.api.get("/v1/webhooks").await,
                nouvel.tenant.api.get("/api/v1/jobs/00000000-0000-4000-8000-000000000000").await,
                netraflow.tenant.api.get("/v1/jobs").await,
            ];
            answers[0].refused(503, "unavailable");
            answers[1].refused_plainly(503, "unavailable");
            answers[2].refused_with_meta(503, "unavailable");
            for answer in &answers {
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
            }
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn herd_cold_start() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let proxy = Proxy::start(world.stack).await;
    with_short_visibility(
        &world,
        2,
        with_proxy(&world, "deliver", &proxy, async {
            let events: Vec<_> = (0..25).map(|_| json!({"event": "invoice.paid", "data": {}})).collect();
            let publish = || async {
                for _ in 0..2 {
                    tenant.api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
                }
            };
            publish().await;
            receiver.wait_for(50, SOON).await;
            let (calls, processes) = (proxy.calls("GetSecretValue"), world.aws.functions.processes("deliver").len());
            assert!(calls as usize <= processes.max(1), "{calls} calls in {processes} processes");

            // While Secrets Manager is down, each process asks it now and then, not for each delivery.
            world.aws.functions.kill_all("deliver");
            proxy.add(Fault::of(Spoil::Refuse(500, "InternalServiceError")).service("secretsmanager"));
            let (begun, before) = (Instant::now(), proxy.calls("GetSecretValue"));
            publish().await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            let (asked, seconds) = (proxy.calls("GetSecretValue") - before, begun.elapsed().as_secs() + 1);
            proxy.heal();
            let processes = u64::try_from(world.aws.functions.processes("deliver").len().max(1)).expect("a few");
            // A load is three calls, and a failure stands for a second.
            let most = processes * seconds * u64::from(TRIES);
            assert!(u64::from(asked) <= most, "{asked} calls in {seconds} s by {processes} processes");
            until("all to be delivered", 2 * MINUTE, || async {
                sweep(&world).await;
                let left = tenant.deliveries(&webhook, "limit=100").await;
                let left: Vec<_> = left.into_iter().filter(|delivery| delivery["status"] != "succeeded").collect();
                if left.is_empty() { Ok(()) } else { Err(format!("{} left, such as {}", left.len(), left[0])) }
            })
            .await;
        }),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_clock_that_is_minutes_off_goes_by_awss() {
    let (world, _guard) = alone().await;
    // Without a secret: the emulator's Secrets Manager goes by its own clock, and would refuse what AWS takes.
    let tenant = world.tenant().await;
    let body = |receiver: &Receiver| json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [3600]});
    // The emulator takes a signature of minutes ago, but not of more than five to come, whatever its answers' clock says.
    for ahead in [240, -600] {
        let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
        let webhook = tenant.create(&body(&receiver)).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.set_clock_ahead(ahead);
        with_proxy(&world, "deliver", &proxy, async {
            let (_, id) = delivery_to(&tenant, &webhook).await;
            let delivery = tenant.settled(&id, "retrying", 1).await;
            let due = crate::support::time::instant(text(&delivery, "next_attempt_at"));
            let in_seconds = due.as_second() - jiff::Timestamp::now().as_second();
            let off = in_seconds - 3600 - ahead;
            assert!((-60..10).contains(&off), "{in_seconds} s, while AWS is {ahead} s ahead: {delivery}");
            assert_eq!(receiver.requests().len(), 1, "it comes neither at once nor never");
        })
        .await;
    }
}

/// POSTs that came after a receiver had answered the same event with a 2xx.
fn surplus(receivers: &[Receiver]) -> usize {
    receivers
        .iter()
        .map(|receiver| {
            let requests = receiver.requests();
            let events: std::collections::BTreeSet<_> =
                requests.iter().map(|request| request.header("webhook-id").map(str::to_owned)).collect();
            requests.len() - events.len()
        })
        .sum()
}

/// How many runs of fan-out have left events to be run again so far.
async fn failed_runs(world: &World) -> usize {
    let log = world.aws.functions.log("fanout").await;
    let failed = ["fanout.unfinished", "fanout.still_unfinished"];
    log.iter().filter(|line| failed.iter().any(|name| line.contains(name))).count()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn fanout_rerun_twice() {
    let (world, _guard) = alone().await;
    let tenant = standard(&world).await;
    let mut receivers = Vec::new();
    for _ in 0..5 {
        let receiver = Receiver::start(world.stack).await;
        tenant.webhook(&receiver.url("/"), &["*"]).await;
        receivers.push(receiver);
    }
    let proxy = Proxy::start(world.stack).await;
    // One chunk of every few fails for good at first: the whole batch is run again. Not for ever: an event that fails six times in a
    // row waits for minutes.
    proxy.add(Fault::of(NO_CAPACITY).on("BatchExecuteStatement").percent(60).times(150));
    proxy.add(Fault::of(Spoil::InPart).on("BatchExecuteStatement").percent(50).times(100));
    proxy.add(Fault::of(Spoil::Half).on("BatchGetItem"));
    let work = with_proxy(&world, "fanout", &proxy, async {
        for _ in 0..4 {
            let events: Vec<_> = (0..25).map(|_| json!({"event": "invoice.paid", "data": {}})).collect();
            tenant.api.post("/v1/events/batch", &json!({"events": events})).await.ok(202);
        }
        let came = || receivers.iter().map(|receiver| receiver.wait_for(100, 3 * MINUTE));
        futures::future::join_all(came()).await;
        failed_runs(&world).await
    });
    let failed_before = failed_runs(&world).await;
    let failures = with_short_visibility(&world, 15, work).await - failed_before;
    // What a rerun announces it announces later than the first run: long enough for it to have come.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let surplus = surplus(&receivers);
    crate::support::stack::say(&format!("{failures} runs failed, {surplus} surplus POSTs of 500"));
    assert!(failures > 0, "no run failed, so none was run again");
    assert!(surplus <= 10, "{surplus} POSTs after a 2xx");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn what_is_asked_of_an_api_whose_clock_is_wrong_goes_by_awss() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant().await;
    let off = |told: &str, ahead: i64| instant(told).as_second() - Timestamp::now().as_second() - ahead;
    for ahead in [240, -600] {
        let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
        let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []});
        let (_, id) = delivery_to(&tenant, &tenant.create(&body).await).await;
        tenant.settled(&id, "failed", 1).await;
        let proxy = Proxy::start(world.stack).await;
        proxy.set_clock_ahead(ahead);
        with_proxies(&world, &["events", "ledger"], &proxy, async {
            let event = json!({"event": "dubbing.completed", "data": {}});
            let accepted = tenant.api.post("/v1/events", &event).await.ok(202);
            assert!(off(text(&accepted, "timestamp"), ahead).abs() <= 5, "{ahead} s: {accepted}");
            let asked = tenant.api.post(&format!("/v1/deliveries/{id}/retry"), &json!({})).await.ok(202);
            assert!(off(text(&asked, "next_attempt_at"), ahead).abs() <= 5, "{ahead} s: {asked}");
        })
        .await;
        tenant.settled(&id, "succeeded", 2).await;
    }
}
