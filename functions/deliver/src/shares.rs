//! What the time of this process goes into, for each queue that it reads: each has functions of its own, so who holds too much of one
//! keeps nobody of another waiting.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use postrider_domain::time_share::{Came, Held, Holder, TimeShares};

/// Counted by the queues' ARNs.
#[derive(Default)]
pub(crate) struct Shares(Mutex<BTreeMap<String, TimeShares>>);

impl Shares {
    /// Takes in a batch of this queue's that came now; who holds too much.
    pub(crate) fn before(&self, queue: &str, batch: &[Came], now: Timestamp) -> Option<Holder> {
        self.of(queue, |shares| shares.before(batch, now))
    }

    /// Takes in what it held, now that it has ended; who holds too much.
    pub(crate) fn after(&self, queue: &str, batch: &[Held], now: Timestamp) -> Option<Holder> {
        self.of(queue, |shares| shares.after(batch, now))
    }

    /// Forgets somebody who is sent another way.
    pub(crate) fn forget(&self, queue: &str, holder: &Holder) {
        self.of(queue, |shares| shares.forget(holder));
    }

    fn of<T>(&self, queue: &str, then: impl FnOnce(&mut TimeShares) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        then(all.entry(queue.to_owned()).or_default())
    }
}
