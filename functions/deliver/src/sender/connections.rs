//! Which connection a POST goes over, for how long one is kept, and what the one limit of all is made of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use postrider_domain::attempt::{Outcome, Unreachable};

use super::targets::receiver::Receiver;
use super::targets::zone::{Answer, Zone};
use super::targets::{OK, addresses, local, post, send, send_within, sender};
use super::{COMMON_KEEP_ALIVE, Post, Sender};

const PATIENCE: Duration = Duration::from_secs(20);

/// A receiver, and a sender that finds it as `hook.example`.
async fn stand() -> (Receiver, Arc<Zone>, Sender) {
    let receiver = Receiver::start(&["hook.example"]).await;
    let zone = Zone::of(&[("hook.example", addresses(&["127.0.0.1"]))]);
    let sender = sender(&zone, local(), &receiver);
    (receiver, zone, sender)
}

#[tokio::test]
async fn a_connection_is_kept_until_an_attempt_times_out_wherever() {
    let receiver = Receiver::start(&["hook.example", "silent.example"]).await;
    let zone = Zone::of(&[("hook.example", addresses(&["127.0.0.1"])), ("silent.example", addresses(&["127.0.0.1"]))]);
    let sender = sender(&zone, local(), &receiver);
    let url = format!("https://hook.example:{}/kept", receiver.port());
    for _ in 0..3 {
        assert_eq!(send(&sender, &url).await.outcome, OK);
    }
    assert_eq!((receiver.connections(), zone.asked().len()), (1, 1));

    let silent = format!("https://silent.example:{}/silent", receiver.port());
    assert_eq!(send_within(&sender, &silent, Duration::from_millis(500)).await.outcome, Outcome::TimedOut);
    assert_eq!(send(&sender, &url).await.outcome, OK);
    assert_eq!((receiver.connections(), zone.asked().len()), (3, 3), "what a name is bound to is asked anew");
}

#[tokio::test]
async fn an_idle_connection_is_closed_before_receivers_close_theirs() {
    let (receiver, _, sender) = stand().await;
    let url = format!("https://hook.example:{}/kept", receiver.port());
    assert_eq!(send(&sender, &url).await.outcome, OK);
    let idle = Instant::now();
    receiver.until_left(1).await;
    assert!(idle.elapsed() < COMMON_KEEP_ALIVE, "kept for {:?}", idle.elapsed());
}

#[tokio::test]
async fn a_last_attempt_has_a_connection_of_its_own_that_ends_with_it() {
    let (receiver, _, sender) = stand().await;
    let url = format!("https://hook.example:{}/kept", receiver.port());
    assert_eq!(send(&sender, &url).await.outcome, OK);
    for number in 2..4 {
        let last = Post { is_last: true, ..post(&url, PATIENCE) };
        assert_eq!(sender.send(&last).await.unwrap().outcome, OK);
        assert_eq!(receiver.connections(), number);
        receiver.until_left(number - 1).await;
    }
    assert_eq!(send(&sender, &url).await.outcome, OK);
}

#[tokio::test]
async fn who_announces_less_than_others_keep_gets_a_connection_for_each_request() {
    let (receiver, _, sender) = stand().await;
    let [hasty, kept] = ["hasty", "kept"].map(|path| format!("https://hook.example:{}/{path}", receiver.port()));
    assert_eq!(send(&sender, &hasty).await.outcome, OK);
    for number in 2..5 {
        assert_eq!(send(&sender, &kept).await.outcome, OK);
        assert_eq!(receiver.connections(), number);
    }
}

/// Else each attempt would leave a descriptor behind for as long as a handshake may take.
#[tokio::test]
async fn a_connection_that_was_not_needed_after_all_is_given_up_with_its_attempt() {
    let receiver = Receiver::shaking(1, &["hook.example"]).await;
    let zone = Zone::of(&[("hook.example", addresses(&["127.0.0.1"]))]);
    let sender = sender(&zone, local(), &receiver);
    let url = format!("https://hook.example:{}/kept", receiver.port());
    let sent = join_all((0..10).map(|_| send(&sender, &url))).await;
    assert!(sent.iter().all(|sent| sent.outcome == OK), "all go over the one connection that came about");
    let begun = receiver.connections();
    assert!(begun > 1, "they raced");
    let left = tokio::time::timeout(COMMON_KEEP_ALIVE * 2, receiver.until_left(begun)).await;
    assert!(left.is_ok(), "some of {begun} connections are still being made");
}

#[tokio::test]
async fn a_look_up_may_take_as_long_as_all_else() {
    let receiver = Receiver::start(&["hook.example"]).await;
    let late = Answer::Late(Duration::from_millis(3500), vec!["127.0.0.1".parse().unwrap()]);
    let zone = Zone::of(&[("hook.example", late)]);
    let sender = sender(&zone, local(), &receiver);
    let url = format!("https://hook.example:{}/", receiver.port());
    assert_eq!(send_within(&sender, &url, Duration::from_secs(10)).await.outcome, OK);
    let started = Instant::now();
    let outcome = send_within(&sender, &url, Duration::from_secs(2)).await.outcome;
    assert_eq!(outcome, Outcome::Unreachable(Unreachable::DnsFailed));
    assert!(started.elapsed() > Duration::from_secs(1), "no more than a second is kept back");
}
