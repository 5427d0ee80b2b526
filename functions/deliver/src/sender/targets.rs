//! Where the sender connects and where it never does: the published vectors, and name servers that mean ill.

pub(super) mod receiver;
mod vectors;
pub(super) mod zone;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use postrider_domain::attempt::{Outcome, Unreachable};
use postrider_domain::egress::{Egress, PrivateTargets};
use postrider_domain::hidden::Hidden;
use postrider_host::resolver::Resolver;
use receiver::{Receiver, Seen};
use zone::Answer::{Addresses, Alias, Missing, Silence};
use zone::Zone;

use super::{Post, Sender, Sent};
use crate::trust::Trust;

const PUBLIC: &str = "93.184.215.14";
const PUBLIC_V6: &str = "2606:4700:4700::1111";
const DNS_FAILED: Outcome = Outcome::Unreachable(Unreachable::DnsFailed);
pub(super) const OK: Outcome = Outcome::Responded { status: 200, retry_after: None };

fn strict() -> Egress {
    Egress::new(PrivateTargets::Refuse)
}

/// As a local stack has it: the one address that a receiver of these tests can have counts as public.
pub(super) fn local() -> Egress {
    Egress::new(PrivateTargets::AllowLoopback)
}

fn asking(zone: &Arc<Zone>, egress: Egress) -> Resolver {
    let zone = zone.clone();
    let look_up = Arc::new(move |name: String| zone.clone().answer(name));
    Resolver::asking(egress, look_up)
}

pub(super) fn sender(zone: &Arc<Zone>, egress: Egress, receiver: &Receiver) -> Sender {
    Sender::trusting(Trust::with([receiver.trusted()]), asking(zone, egress))
}

pub(super) async fn send(sender: &Sender, url: &str) -> Sent {
    send_within(sender, url, Duration::from_secs(20)).await
}

pub(super) async fn send_within(sender: &Sender, url: &str, timeout: Duration) -> Sent {
    sender.send(&post(url, timeout)).await.unwrap()
}

pub(super) fn post(url: &str, timeout: Duration) -> Post {
    let (headers, hidden) = (Vec::new(), Hidden::default());
    Post { url: url.to_owned(), headers, body: b"{}".to_vec(), hidden, timeout, is_last: false }
}

fn assert_blocked(sent: &Sent, why: &str) {
    let error = sent.error.clone().unwrap_or_default();
    assert!(sent.outcome == Outcome::Blocked && error.contains(why), "{:?}: {error}", sent.outcome);
}

pub(super) fn addresses(list: &[&str]) -> zone::Answer {
    Addresses(list.iter().map(|text| text.parse().unwrap()).collect())
}

#[tokio::test]
async fn the_name_is_kept_for_the_certificate_and_the_host_header() {
    let receiver = Receiver::start(&["hook.example", "xn--bcher-kva.example"]).await;
    let zone =
        Zone::of(&[("hook.example", addresses(&["127.0.0.1"])), ("xn--bcher-kva.example", addresses(&["127.0.0.1"]))]);
    let sender = sender(&zone, local(), &receiver);
    let port = receiver.port();
    for (written, name) in [
        ("hook.example", "hook.example"),
        ("HOOK.Example.", "hook.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(send(&sender, &format!("https://{written}:{port}/")).await.outcome, OK, "{written}");
        let seen = receiver.seen().pop().unwrap();
        assert_eq!(seen, Seen { server_name: name.to_owned(), host: format!("{name}:{port}") });
    }
    assert_eq!(zone.asked(), ["hook.example", "hook.example", "xn--bcher-kva.example"], "one look-up an attempt");
}

#[tokio::test]
async fn one_refused_address_refuses_all() {
    let receiver = Receiver::start(&["hook.example"]).await;
    let url = format!("https://hook.example:{}/", receiver.port());
    for refused in
        ["10.0.0.1", "169.254.169.254", "168.63.129.16", "0.0.0.0", "::ffff:127.0.0.1", "fd00:ec2::254", "fe80::1"]
    {
        for answer in [["127.0.0.1", refused], [refused, "127.0.0.1"]] {
            let zone = Zone::of(&[("hook.example", addresses(&answer))]);
            let sent = send(&sender(&zone, local(), &receiver), &url).await;
            assert_blocked(&sent, "the name resolves to an address that is refused");
        }
    }
    assert_eq!(receiver.connections(), 0, "the good address of a mixed answer is not connected to either");
}

#[tokio::test]
async fn both_families_are_checked() {
    let receiver = Receiver::start(&["hook.example"]).await;
    for answer in [[PUBLIC, "::1"], [PUBLIC_V6, "127.0.0.1"], ["127.0.0.1", PUBLIC_V6], ["64:ff9b::7f00:1", PUBLIC]] {
        let zone = Zone::of(&[("hook.example", addresses(&answer))]);
        let url = format!("https://hook.example:{}/", receiver.port());
        assert_blocked(&send(&sender(&zone, strict(), &receiver), &url).await, "the name resolves to");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_that_is_rebound_after_creation_is_blocked_at_the_attempt() {
    let receiver = Receiver::start(&["hook.example"]).await;
    let url = format!("https://hook.example:{}/", receiver.port());
    let zone = Zone::changing("hook.example", vec![addresses(&[PUBLIC]), addresses(&["127.0.0.1"])]);
    let sender = sender(&zone, strict(), &receiver);
    sender.resolver.check_url("url", &url).await.unwrap();
    assert_blocked(&send(&sender, &url).await, "it is loopback");
    assert_eq!((receiver.connections(), zone.asked().len()), (0, 2));
}

#[tokio::test]
async fn a_name_that_is_rebound_between_two_attempts_is_blocked_until_it_is_bound_back() {
    let receiver = Receiver::start(&["hook.example"]).await;
    let url = format!("https://hook.example:{}/", receiver.port());
    let answers = vec![addresses(&["127.0.0.1"]), addresses(&["10.0.0.1"]), addresses(&["127.0.0.1"])];
    let zone = Zone::changing("hook.example", answers);
    let sender = sender(&zone, local(), &receiver);
    assert_eq!(send(&sender, &url).await.outcome, OK);
    assert_blocked(&send(&sender, &url).await, "it is private");
    assert_eq!(send(&sender, &url).await.outcome, OK);
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_name_without_an_address_is_a_failed_look_up_and_no_reason_to_refuse_a_creation() {
    let receiver = Receiver::start(&["hook.example"]).await;
    for answer in [Missing, Addresses(Vec::new()), Silence, Alias("nowhere.example"), Alias("hook.example")] {
        let zone = Zone::of(&[("hook.example", answer)]);
        let sender = sender(&zone, strict(), &receiver);
        let sent = send_within(&sender, "https://hook.example/", Duration::from_secs(2)).await;
        assert_eq!(sent.outcome, DNS_FAILED);
        sender.resolver.check_url("url", "https://hook.example/").await.unwrap();
    }
}

#[tokio::test]
async fn a_chain_of_aliases_is_judged_by_its_end() {
    let receiver = Receiver::start(&["hook.example"]).await;
    let url = format!("https://hook.example:{}/", receiver.port());
    let chain = |end| {
        Zone::of(&[
            ("hook.example", Alias("a.cdn.example")),
            ("a.cdn.example", Alias("b.cdn.example")),
            ("b.cdn.example", end),
        ])
    };
    let reached = send(&sender(&chain(addresses(&["127.0.0.1"])), local(), &receiver), &url).await;
    assert_eq!(reached.outcome, OK);
    assert_eq!(receiver.seen()[0].server_name, "hook.example", "the certificate is the first name's");
    for end in [addresses(&["10.0.0.1"]), addresses(&["127.0.0.1", "fd00::1"]), addresses(&["100.100.100.200"])] {
        assert_blocked(&send(&sender(&chain(end), local(), &receiver), &url).await, "the name resolves to");
    }
    assert_eq!(send(&sender(&chain(Missing), local(), &receiver), &url).await.outcome, DNS_FAILED);
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_denied_domain_is_not_even_looked_up() {
    let receiver = Receiver::start(&["hook.denied.example", "hook.example"]).await;
    let denying = || local().denying("list", "denied.example").unwrap();
    let zone =
        Zone::of(&[("hook.denied.example", addresses(&["127.0.0.1"])), ("hook.example", Alias("hook.denied.example"))]);
    let sender = sender(&zone, denying(), &receiver);
    for name in ["hook.denied.example", "HOOK.Denied.Example.", "denied.example"] {
        let url = format!("https://{name}:{}/", receiver.port());
        assert_blocked(&send(&sender, &url).await, "denies its domain");
        assert!(sender.resolver.check_url("url", &url).await.is_err());
    }
    assert!(zone.asked().is_empty() && receiver.connections() == 0);
    // What an alias passes through on its way is not seen: only the name in the URL counts.
    assert_eq!(send(&sender, &format!("https://hook.example:{}/", receiver.port())).await.outcome, OK);
}

#[tokio::test]
async fn an_allowed_network_is_resolved_to_and_its_neighbour_is_not() {
    let allowing = || strict().allowing("list", "10.20.0.0/16").unwrap();
    for (answer, good) in [
        (vec!["10.20.3.4"], true),
        (vec!["10.20.3.4", PUBLIC], true),
        (vec!["10.21.3.4"], false),
        (vec!["10.20.3.4", "10.21.3.4"], false),
        (vec!["10.20.3.4", "127.0.0.1"], false),
    ] {
        let zone = Zone::of(&[("hook.example", addresses(&answer))]);
        let found = asking(&zone, allowing()).resolve("hook.example", 443, Duration::from_secs(1)).await;
        assert_eq!(found.is_ok(), good, "{answer:?}: {found:?}");
        let expected: Vec<IpAddr> = answer.iter().map(|text| text.parse().unwrap()).collect();
        assert!(found.is_err() || found.unwrap().iter().map(|found| found.ip()).eq(expected), "{answer:?}");
    }
}
