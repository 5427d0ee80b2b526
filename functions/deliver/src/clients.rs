//! The clients of the moment: all POSTs go by them, and by new ones before the old ones' connections become a burden.
//!
//! A connection that is kept saves a handshake, and may be closed by its receiver just when it is used again. So it is kept
//! for less than receivers keep theirs, and what a frozen function kept is not used at all: nobody looked when it was closed.
//!
//! A pool keeps every connection until it has been idle for a while, or for as long as it is used. That is good for
//! receivers that behave. But a process has about a thousand descriptors, a connection that is always in use would never look
//! its name up again, and what timed out may hang, or flood, for as long as the pool keeps it. So clients are given up after
//! a number of connections, an age, or a time-out; what they have under way ends with it, and their idle connections at once.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lambda_runtime::Error;
use reqwest::Client;

use crate::moment::Moment;

/// Connections that the clients of one moment open: a quarter of the descriptors that Lambda gives a process, since those of
/// clients that were given up may still be under way.
const CONNECTIONS: usize = 256;
/// How old clients become, and so how long a name that has moved is sent to where it was.
const LIFE: Duration = Duration::from_secs(60);

/// How a POST is sent. Each way has a client of its own, and no connection is shared between ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Way {
    /// The one limit of all that happens until the status line.
    pub timeout: Duration,
    /// Whether it goes over a connection that is made for it and closed behind it.
    pub alone: bool,
}

/// How many connections were opened.
#[derive(Debug, Clone, Default)]
pub struct Opened(Arc<AtomicUsize>);

impl Opened {
    /// Counts one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

type Build = dyn Fn(&Opened, Way) -> Result<Client, Error> + Send + Sync;

/// Clients, while they are good.
pub(crate) struct Lent {
    pub(crate) opened: Opened,
    build: Arc<Build>,
    by_way: Mutex<HashMap<Way, Client>>,
    /// Receivers that keep idle connections for less time than we do. Each of them has had a connection, so they are few.
    hasty: Mutex<HashSet<String>>,
    since: Moment,
}

/// Clients, those of one moment at a time. None is there before the first is asked for: a function's start has to wait for
/// nothing.
pub(crate) struct Clients {
    build: Arc<Build>,
    current: Mutex<Option<(Arc<Lent>, Moment)>>,
}

impl Clients {
    pub(crate) fn new(build: impl Fn(&Opened, Way) -> Result<Client, Error> + Send + Sync + 'static) -> Self {
        Self { build: Arc::new(build), current: Mutex::default() }
    }

    /// The clients to send with now.
    pub(crate) fn lend(&self) -> Arc<Lent> {
        self.lend_at(Moment::now())
    }

    fn lend_at(&self, now: Moment) -> Arc<Lent> {
        let mut current = lock(&self.current);
        let good = current.take().filter(|(lent, last)| lent.is_good(now) && !last.was_frozen(now));
        let lent = good.map_or_else(|| Arc::new(Lent::new(Arc::clone(&self.build), now)), |(lent, _)| lent);
        *current = Some((Arc::clone(&lent), now));
        lent
    }

    /// Gives clients up.
    pub(crate) fn give_up(&self, lent: &Arc<Lent>) {
        let mut current = lock(&self.current);
        if current.as_ref().is_some_and(|(other, _)| Arc::ptr_eq(other, lent)) {
            *current = None;
        }
    }
}

impl Lent {
    fn new(build: Arc<Build>, since: Moment) -> Self {
        let opened = Opened::default();
        Self { opened, build, by_way: Mutex::default(), hasty: Mutex::default(), since }
    }

    fn is_good(&self, now: Moment) -> bool {
        self.opened.number() < CONNECTIONS && self.since.age(now) < LIFE
    }

    /// The client for this way.
    ///
    /// # Errors
    /// When it cannot be made, such as where the platform has no roots.
    pub(crate) fn client(&self, way: Way) -> Result<Client, Error> {
        let mut by_way = lock(&self.by_way);
        if let Some(client) = by_way.get(&way) {
            return Ok(client.clone());
        }
        let client = (self.build)(&self.opened, way)?;
        by_way.insert(way, client.clone());
        Ok(client)
    }

    /// Whether this receiver said that it closes idle connections before we do.
    pub(crate) fn is_hasty(&self, receiver: &str) -> bool {
        lock(&self.hasty).contains(receiver)
    }

    pub(crate) fn note_hasty(&self, receiver: &str) {
        lock(&self.hasty).insert(receiver.to_owned());
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn clients() -> Clients {
        Clients::new(|_, _| Err("no POST is made here".into()))
    }

    #[test]
    fn the_same_clients_serve_until_they_have_opened_their_share_of_connections() {
        let clients = clients();
        let first = clients.lend();
        for _ in 1..CONNECTIONS {
            first.opened.count();
            assert!(Arc::ptr_eq(&first, &clients.lend()));
        }
        first.opened.count();
        assert!(!Arc::ptr_eq(&first, &clients.lend()));
    }

    #[test]
    fn those_that_were_given_up_are_lent_no_more_and_their_successors_stay() {
        let clients = clients();
        let first = clients.lend();
        clients.give_up(&first);
        let second = clients.lend();
        assert!(!Arc::ptr_eq(&first, &second));
        clients.give_up(&first);
        assert!(Arc::ptr_eq(&second, &clients.lend()));
    }

    #[test]
    fn what_a_frozen_function_kept_is_not_used() {
        let (clients, begin) = (clients(), Moment::now());
        let first = clients.lend_at(begin);
        let awake = begin.later(50 * SECOND, Duration::ZERO);
        assert!(Arc::ptr_eq(&first, &clients.lend_at(awake)));
        let thawed = awake.later(SECOND, SECOND);
        let second = clients.lend_at(thawed);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &clients.lend_at(thawed.later(SECOND, Duration::ZERO))), "one freeze counts once");
    }

    #[test]
    fn clients_live_for_a_minute_by_the_clock_that_has_seen_more() {
        let (clients, begin) = (clients(), Moment::now());
        let first = clients.lend_at(begin);
        assert!(Arc::ptr_eq(&first, &clients.lend_at(begin.later(59 * SECOND, Duration::ZERO))));
        assert!(!Arc::ptr_eq(&first, &clients.lend_at(begin.later(60 * SECOND, Duration::ZERO))));
    }
}
