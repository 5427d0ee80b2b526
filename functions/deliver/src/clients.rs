//! The client of the moment: one for all POSTs, and a new one before the old one's connections become a burden.
//!
//! A pool keeps every connection until it has been idle for a while, or for as long as it is used. That is good for
//! receivers that behave. But a process has about a thousand descriptors, a connection that is always in use would never look
//! its name up again, and what timed out may hang, or flood, for as long as the pool keeps it. So a client is given up after
//! a number of connections, an age, or a time-out; what it has under way ends with it, and its idle connections at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Client, Error};

/// Connections that one client opens: a quarter of the descriptors that Lambda gives a process, since those of clients that
/// were given up may still be under way.
const CONNECTIONS: usize = 256;
/// How old a client becomes, and so how long a name that has moved is sent to where it was.
const LIFE: Duration = Duration::from_secs(60);

/// How many connections a client has opened.
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

/// A client, while it is good.
pub(crate) struct Lent {
    pub(crate) client: Client,
    pub(crate) opened: Opened,
    since: Instant,
}

type Build = dyn Fn(&Opened) -> Result<Client, Error> + Send + Sync;

/// Clients, one at a time. None is there before the first is asked for: reading the platform's roots is most of making one,
/// and a function's start has to wait for nothing.
pub(crate) struct Clients {
    build: Box<Build>,
    current: Mutex<Option<Arc<Lent>>>,
}

impl Clients {
    pub(crate) fn new(build: impl Fn(&Opened) -> Result<Client, Error> + Send + Sync + 'static) -> Self {
        Self { build: Box::new(build), current: Mutex::default() }
    }

    /// The client to send with now.
    ///
    /// # Errors
    /// When a new one cannot be made.
    pub(crate) fn lend(&self) -> Result<Arc<Lent>, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lent) = current.as_ref().filter(|lent| lent.is_good()) {
            return Ok(Arc::clone(lent));
        }
        let opened = Opened::default();
        let lent = Arc::new(Lent { client: (self.build)(&opened)?, opened, since: Instant::now() });
        *current = Some(Arc::clone(&lent));
        Ok(lent)
    }

    /// Gives a client up.
    pub(crate) fn give_up(&self, lent: &Arc<Lent>) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|other| Arc::ptr_eq(other, lent)) {
            *current = None;
        }
    }
}

impl Lent {
    fn is_good(&self) -> bool {
        self.opened.number() < CONNECTIONS && self.since.elapsed() < LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Clients::new(|_| Client::builder().tls_certs_only([]).build())
    }

    #[test]
    fn one_client_serves_until_it_has_opened_its_share_of_connections() {
        let clients = clients();
        let first = clients.lend().unwrap();
        for _ in 1..CONNECTIONS {
            first.opened.count();
            assert!(Arc::ptr_eq(&first, &clients.lend().unwrap()));
        }
        first.opened.count();
        assert!(!Arc::ptr_eq(&first, &clients.lend().unwrap()));
    }

    #[test]
    fn one_that_was_given_up_is_lent_no_more_and_its_successor_stays() {
        let clients = clients();
        let first = clients.lend().unwrap();
        clients.give_up(&first);
        let second = clients.lend().unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        clients.give_up(&first);
        assert!(Arc::ptr_eq(&second, &clients.lend().unwrap()));
    }
}
