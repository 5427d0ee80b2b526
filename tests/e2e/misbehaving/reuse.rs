//! Connections that were used before: what a receiver leaves behind on one spoils nothing for the next delivery.

use std::time::Duration;

use serde_json::json;

use super::frames::{END_STREAM, NO_ERROR, goaway, head, hello};
use super::raw::Raw;
use super::script::{Progress, Step, answer};
use crate::support::World;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const DELIVERIES: usize = 6;
/// Long enough for an answer to be taken off the wire: a reset that overtakes its answer destroys it.
const TAKEN: Duration = Duration::from_millis(100);

/// One delivery after another: each succeeds at its first attempt, with one POST.
async fn succeeds_again_and_again(world: &World, receiver: &Raw) {
    let tenant = world.tenant_on("standard", "pro").await;
    // With a retry to come, so that the first attempt goes over a connection that is kept.
    let body = json!({"url": receiver.url(), "events": ["*"], "timeout_seconds": 5, "retry_schedule": [3600]});
    let webhook = tenant.create(&body).await;
    for before in 0..DELIVERIES {
        let event = tenant.publish("trial.held", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        let settled = tenant.settled(&id, "succeeded", 1).await;
        assert_eq!(receiver.posts(), before + 1, "{settled}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closed_after_its_answer_costs_no_attempt() {
    let world = World::open();
    let receiver = Raw::http1(world.stack, answer(OK)).await;
    succeeds_again_and_again(&world, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_reset_after_its_answer_costs_no_attempt() {
    let world = World::open();
    let receiver = Raw::http1(world.stack, [answer(OK), vec![Step::Pause(TAKEN), Step::Reset]].concat()).await;
    succeeds_again_and_again(&world, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_idle_connection_is_told_is_no_answer() {
    let world = World::open();
    let too_late = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let steps = [answer(OK), vec![Step::Pause(TAKEN), Step::Send(too_late.into())]].concat();
    let receiver = Raw::http1(world.stack, steps).await;
    succeeds_again_and_again(&world, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_nobody_means_to_keep_cost_no_attempt() {
    let world = World::open();
    for answered in [
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nkeep-alive: timeout=0\r\n\r\n",
    ] {
        let receiver = Raw::http1(world.stack, answer(answered)).await;
        succeeds_again_and_again(&world, &receiver).await;
    }
}

/// Resets what comes second on a connection, as a close does that crosses with it on the way.
#[tokio::test(flavor = "multi_thread")]
async fn stale_connection_nouvel() {
    let world = World::open();
    let steps = [answer(OK), vec![Step::Another, Step::Reset]].concat();
    let receiver = Raw::http1(world.stack, steps).await;
    let customer = world.nouvel().await;
    for before in 0..DELIVERIES {
        let job = customer.generate(1, 1, &receiver.url()).await;
        customer.report_project(&job.id, &job.projects[0], "failed").await.ok(200);
        let settled = customer.settled(&job.id, "succeeded", 1).await;
        assert_eq!(receiver.posts(), before + 1, "{settled}");
    }
    assert_eq!(receiver.connections(), DELIVERIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_is_not_taken_for_the_next_request() {
    let world = World::open();
    let twice = format!("{OK}HTTP/1.1 500 Nobody Asked\r\ncontent-length: 0\r\n\r\n");
    let receiver = Raw::http1(world.stack, [answer(twice), vec![Step::Hold]].concat()).await;
    succeeds_again_and_again(&world, &receiver).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_read_of_an_answer_is_not_taken_for_the_next() {
    let world = World::open();
    let inside = "HTTP/1.1 500 Inside A Body\r\ncontent-length: 0\r\n\r\n".repeat(20_000);
    let long = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{inside}", inside.len());
    let receiver = Raw::http1(world.stack, [answer(long), vec![Step::Hold]].concat()).await;
    succeeds_again_and_again(&world, &receiver).await;
    assert_eq!(receiver.connections(), DELIVERIES, "a connection with unread data was used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http2_connection_that_was_taken_leave_of_costs_no_attempt() {
    let world = World::open();
    let steps = vec![
        Step::Send(hello()),
        Step::Until(Progress::Request),
        Step::Send([head("200", END_STREAM), goaway(1, NO_ERROR)].concat()),
        Step::Hold,
    ];
    let receiver = Raw::http2(world.stack, steps).await;
    succeeds_again_and_again(&world, &receiver).await;
}
