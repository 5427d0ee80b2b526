//! Receivers that are late in any phase: what counts is the webhook's time-out, from the look-up to the status line.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::raw::{Delays, Raw, Speech, server_config};
use super::script::{Progress, Step};
use super::trial::{Case, hold};
use crate::support::{SOON, World, until};

const AT_ONCE: usize = 10;
const CLOSED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const KEPT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn answering_after(pause: Duration, answer: &str) -> Vec<Step> {
    let end = if answer == KEPT { Step::Hold } else { Step::Pause(Duration::ZERO) };
    vec![Step::Until(Progress::Request), Step::Pause(pause), Step::Send(answer.into()), end]
}

async fn late(world: &World, handshake: u64, reading: u64, answer: u64) -> Raw {
    let tls = &world.stack.receiver_tls;
    let [handshake, reading, answer] = [handshake, reading, answer].map(Duration::from_secs);
    let speech = Speech::Late(server_config(&tls.cert, &tls.key, &[b"http/1.1"]), Delays { handshake, reading });
    Raw::start(speech, answering_after(answer, CLOSED)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_late_within_the_timeout_is_waited_for() {
    let world = World::open();
    // More than the buffers on the way hold, so that bytes are not acknowledged while nobody reads.
    let data = json!({"filler": "x".repeat(250 * 1024)});
    let cases = vec![
        Case::new("a late handshake", "succeeded", late(&world, 6, 0, 0).await).patience(30),
        Case::new("a late read", "succeeded", late(&world, 0, 13, 0).await).patience(30),
        Case::new("a late answer", "succeeded", late(&world, 0, 0, 14).await).patience(30),
        Case::new("all of it late", "succeeded", late(&world, 6, 6, 6).await).patience(30),
        Case::new("a handshake too late", "connect_timeout", late(&world, 7, 0, 0).await).patience(5).unposted(),
        Case::new("a handshake that leaves too little", "timed_out", late(&world, 3, 0, 3).await).patience(5),
        Case::new("a read too late", "timed_out", late(&world, 0, 600, 0).await).patience(5).unposted(),
    ];
    hold(&world, cases, &data).await;
}

/// Ten first attempts, and ten last ones, that come at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_takes_one_connection_at_a_time_loses_none_of_ten() {
    let world = World::open();
    let tenant = &world.tenant_on("standard", "pro").await;
    let pause = Duration::from_millis(700);
    let table = [(CLOSED, json!([])), (CLOSED, json!([3600])), (KEPT, json!([]))];
    let tries = table.map(|(answer, schedule)| {
        let world = &world;
        async move {
            let receiver = Raw::one_at_a_time(world.stack, answering_after(pause, answer)).await;
            let body =
                json!({"url": receiver.url(), "events": ["*"], "timeout_seconds": 30, "retry_schedule": schedule});
            (tenant.create(&body).await, receiver)
        }
    });
    let made = join_all(tries).await;
    let data = json!({});
    let events = join_all((0..AT_ONCE).map(|_| tenant.publish("trial.held", &data))).await;
    for (webhook, receiver) in &made {
        for event in &events {
            let id = tenant.delivery_of(event, webhook).await;
            let delivery = until("it to be delivered", SOON * 3, || async {
                let delivery = tenant.delivery(&id).await;
                if delivery["status"] == "succeeded" { Ok(delivery) } else { Err(delivery.to_string()) }
            })
            .await;
            // On a busy machine a copy of a message may come too; none is lost, and none fails.
            let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
            assert!(attempts.iter().all(|attempt| attempt["outcome"] == "succeeded"), "{delivery}");
        }
        assert!(receiver.posts() >= AT_ONCE, "{} POSTs", receiver.posts());
    }
}
