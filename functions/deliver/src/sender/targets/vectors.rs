//! The published vectors, where connections are opened.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures::future::{Ready, ready};
use postrider_domain::webhook_url::Target;
use tower::{BoxError, Service};

use super::*;
use crate::clients::{Clients, Opened};
use crate::sender::client;

#[path = "../../../../../tests/vectors/reader.rs"]
mod reader;

use reader::{LOOPBACK, Vector, WHEN_TAKEN, vectors};

/// Stands before the client's connector, counts, and opens nothing: these addresses belong to others.
#[derive(Clone)]
struct Counter<S> {
    count: Arc<AtomicUsize>,
    instead_of: PhantomData<S>,
}

impl<S> Counter<S> {
    fn instead_of(_: S, count: &Arc<AtomicUsize>) -> Self {
        Self { count: count.clone(), instead_of: PhantomData }
    }
}

impl<S: Service<R>, R> Service<R> for Counter<S> {
    type Response = S::Response;
    type Error = BoxError;
    type Future = Ready<Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: R) -> Self::Future {
        self.count.fetch_add(1, Ordering::SeqCst);
        ready(Err(std::io::Error::other("no connection is opened here").into()))
    }
}

/// A sender that opens no connection, and the count of those that it would have opened.
fn counted(zone: &Arc<Zone>, egress: Egress) -> (Sender, Arc<AtomicUsize>) {
    let resolver = asking(zone, egress);
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let layer = tower::layer::layer_fn(move |connector| Counter::instead_of(connector, &counter));
    let of = resolver.clone();
    let trust = Trust::platform();
    let build = move |opened: &Opened, way| {
        let client = client(&of, opened, trust.config()?, way);
        Ok(client.https_only(true).connector_layer(layer.clone()).build()?)
    };
    (Sender { clients: Clients::new(build), resolver }, count)
}

/// What is refused whenever it is called, whatever was taken once.
fn refused() -> Vec<Vector> {
    vectors().into_iter().filter(|vector| !vector.is_accepted && !WHEN_TAKEN.contains(&vector.rule)).collect()
}

#[tokio::test]
async fn what_the_vectors_refuse_is_blocked_before_a_look_up_or_a_connection() {
    let zone = Zone::of(&[]);
    let (sender, count) = counted(&zone, strict());
    for vector in refused() {
        let sent = send(&sender, &vector.url).await;
        assert_eq!(sent.outcome, Outcome::Blocked, "{vector:?}");
        assert!(sent.error.is_some(), "{vector:?}");
    }
    assert!(zone.asked().is_empty(), "{:?}", zone.asked());
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_the_vectors_refuse_stays_blocked_where_loopback_is_allowed() {
    let (sender, count) = counted(&Zone::of(&[]), local());
    for vector in refused().iter().filter(|vector| !LOOPBACK.contains(&vector.rule)) {
        assert_eq!(send(&sender, &vector.url).await.outcome, Outcome::Blocked, "{vector:?}");
    }
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_the_vectors_accept_is_looked_up_or_connected_to() {
    let zone = Zone::of(&[]);
    let (literal, count) = counted(&zone, strict());
    let named = Sender::new(asking(&zone, strict()));
    let (mut names, mut addresses) = (Vec::new(), 0);
    for vector in vectors().iter().filter(|vector| vector.is_accepted || WHEN_TAKEN.contains(&vector.rule)) {
        match literal.resolver.parse("url", &vector.url).unwrap().target() {
            Target::Address(_) => {
                assert_ne!(send(&literal, &vector.url).await.outcome, Outcome::Blocked, "{vector:?}");
                addresses += 1;
            }
            Target::Name(name, _) => {
                assert_eq!(send(&named, &vector.url).await.outcome, DNS_FAILED, "{vector:?}");
                names.push(name);
            }
        }
    }
    assert_eq!((zone.asked(), count.load(Ordering::SeqCst)), (names, addresses));
}

#[tokio::test]
async fn an_allowed_network_is_connected_to_by_number() {
    let (sender, count) = counted(&Zone::of(&[]), strict().allowing("list", "10.20.0.0/16").unwrap());
    assert_ne!(send(&sender, "https://10.20.3.4/").await.outcome, Outcome::Blocked);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_blocked(&send(&sender, "https://10.21.3.4/").await, "it is private");
    assert_eq!(count.load(Ordering::SeqCst), 1);
}
