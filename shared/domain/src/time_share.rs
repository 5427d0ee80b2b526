//! Who holds more than his share of a process's time while others wait.
//!
//! An endpoint whose attempts take 1.9 seconds is not slow by itself, but with a thousand messages waiting it takes as much as one
//! that takes twenty with a hundred. So a process that makes attempts counts what each endpoint and each tenant holds of its time, and
//! who waits meanwhile. Whoever holds more than [`SHARE`] while others wait is to go by the queue of slow endpoints, the largest
//! first, and what remains is judged anew. Where nobody else waits nobody holds too much: a single busy tenant keeps all there is.
//!
//! A process judges by what it sees itself. Under load each sees the same mixture, and one that notes somebody notes him for all.
//! What is kept is bounded, however many endpoints a stranger makes: who holds a quarter is among the largest few.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;

use crate::id::{EndpointId, TenantId};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod simulation;

/// The part of the time that is too much while others wait.
pub const SHARE: f64 = 0.25;
/// Who waits for longer than this between being visible and being received waits for somebody.
pub const PROMPT: Duration = Duration::from_secs(1);
/// What a moment counts for is down to a third after this time, and to less than a fiftieth after a minute.
const MEMORY: Duration = Duration::from_secs(15);
/// Time that was held in all, before anything is said: what a busy process holds in six seconds, and an idle one never.
const EVIDENCE: f64 = 5.0;
/// Others' messages that waited, before that says something: two of a moment ago, or more that fade. One alone may have waited for
/// anything.
const SEVERAL: f64 = 1.5;
/// The part of others' messages that must have waited: where nine of ten come promptly, it was not for a function that the tenth
/// waited.
const WAITING: f64 = 0.1;
/// How long an endpoint's attempts take on average, in seconds, before it has to give way to others of its own tenant's, which
/// are his to weigh: among prompt ones nobody is slow.
const SIBLINGS_PATIENCE: f64 = 0.5;
/// Endpoints that are remembered, and tenants.
const MOST: usize = 256;
/// What is forgotten: seconds that count for nothing.
const NOTHING: f64 = 0.001;

/// What one message of a batch held, whatever became of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// Whose it was.
    pub tenant: TenantId,
    /// Where it went.
    pub endpoint: EndpointId,
    /// How long its attempt took.
    pub time: Duration,
    /// How long it had waited for a function; nothing for one that led to no POST.
    pub waited: Duration,
}

/// Who holds too much: one endpoint, or a tenant with all that he has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The tenant.
    pub tenant: TenantId,
    /// His endpoint, if it is one.
    pub endpoint: Option<EndpointId>,
}

/// What a process's time went into, lately.
#[derive(Debug, Default)]
pub struct TimeShares {
    at: Option<Timestamp>,
    total: Weight,
    tenants: HashMap<TenantId, Weight>,
    endpoints: HashMap<EndpointId, (TenantId, Weight)>,
}

/// What counts for somebody; all of it fades.
#[derive(Debug, Default, Clone, Copy)]
struct Weight {
    /// Seconds of the process.
    held: f64,
    /// Messages.
    attempts: f64,
    /// Seconds that attempts took, side by side or not.
    took: f64,
    /// Messages that waited.
    waited: f64,
}

impl Weight {
    fn add(&mut self, other: Self) {
        *self = Self {
            held: self.held + other.held,
            attempts: self.attempts + other.attempts,
            took: self.took + other.took,
            waited: self.waited + other.waited,
        };
    }

    fn fade(&mut self, left: f64) {
        *self = Self {
            held: self.held * left,
            attempts: self.attempts * left,
            took: self.took * left,
            waited: self.waited * left,
        };
    }

    fn without(self, other: Self) -> Self {
        let less = |all: f64, part: f64| (all - part).max(0.0);
        Self {
            held: less(self.held, other.held),
            attempts: less(self.attempts, other.attempts),
            took: less(self.took, other.took),
            waited: less(self.waited, other.waited),
        }
    }

    /// Whether those who are not among `these` waited: several of their messages, and no small part of them.
    fn waits_beside(self, these: Self) -> bool {
        let others = self.without(these);
        others.waited > SEVERAL && others.waited > others.attempts * WAITING
    }
}

impl TimeShares {
    /// Takes in a batch that ended now, and says who holds too much of the time; only somebody of this batch, of whom the caller
    /// knows what is noted already.
    pub fn after(&mut self, batch: &[Held], now: Timestamp) -> Option<Holder> {
        self.fade_until(now);
        let times: Vec<Duration> = batch.iter().map(|held| held.time).collect();
        for (held, seconds) in batch.iter().zip(parts(&times)) {
            let waited = if held.waited > PROMPT { 1.0 } else { 0.0 };
            let weight = Weight { held: seconds, attempts: 1.0, took: held.time.as_secs_f64(), waited };
            self.total.add(weight);
            self.tenants.entry(held.tenant.clone()).or_default().add(weight);
            let endpoint = self.endpoints.entry(held.endpoint.clone());
            endpoint.or_insert_with(|| (held.tenant.clone(), Weight::default())).1.add(weight);
        }
        let holder = self.holder(batch);
        keep_largest(&mut self.tenants, |weight| weight.held);
        keep_largest(&mut self.endpoints, |(_, weight)| weight.held);
        holder
    }

    /// Forgets somebody who goes another way from now on. Whoever waited did so while he was here, so that it says nothing of those
    /// who are left.
    pub fn forget(&mut self, holder: &Holder) {
        let gone = match &holder.endpoint {
            None => {
                self.endpoints.retain(|_, (tenant, _)| *tenant != holder.tenant);
                self.tenants.remove(&holder.tenant)
            }
            Some(endpoint) => {
                let gone = self.endpoints.remove(endpoint).map(|(_, weight)| weight);
                if let (Some(gone), Some(tenant)) = (gone, self.tenants.get_mut(&holder.tenant)) {
                    *tenant = tenant.without(gone);
                }
                gone
            }
        };
        let Some(gone) = gone else { return };
        self.total = self.total.without(gone);
        self.total.waited = 0.0;
        self.tenants.values_mut().for_each(|weight| weight.waited = 0.0);
        self.endpoints.values_mut().for_each(|(_, weight)| weight.waited = 0.0);
    }

    fn holder(&self, batch: &[Held]) -> Option<Holder> {
        if self.total.held < EVIDENCE {
            return None;
        }
        let too_much = self.total.held * SHARE;
        let larger = |one: &(f64, Holder), other: &(f64, Holder)| one.0.total_cmp(&other.0);
        let endpoints = batch.iter().filter_map(|held| {
            let (_, endpoint) = self.endpoints.get(&held.endpoint)?;
            let tenant = self.tenants.get(&held.tenant)?;
            let gives_way = self.total.waits_beside(*tenant)
                || (tenant.waits_beside(*endpoint) && endpoint.took > endpoint.attempts * SIBLINGS_PATIENCE);
            let holder = Holder { tenant: held.tenant.clone(), endpoint: Some(held.endpoint.clone()) };
            (endpoint.held > too_much && gives_way).then_some((endpoint.held, holder))
        });
        let tenants = batch.iter().filter_map(|held| {
            let tenant = self.tenants.get(&held.tenant)?;
            let holder = Holder { tenant: held.tenant.clone(), endpoint: None };
            (tenant.held > too_much && self.total.waits_beside(*tenant)).then_some((tenant.held, holder))
        });
        endpoints.max_by(larger).or_else(|| tenants.max_by(larger)).map(|(_, holder)| holder)
    }

    fn fade_until(&mut self, now: Timestamp) {
        let gone = self.at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        // A clock that was set back adds nothing and takes nothing away.
        self.at = Some(now);
        let left = (-gone / MEMORY.as_secs_f64()).exp();
        self.total.fade(left);
        self.tenants.values_mut().for_each(|weight| weight.fade(left));
        self.endpoints.values_mut().for_each(|(_, weight)| weight.fade(left));
        self.tenants.retain(|_, weight| weight.held > NOTHING || weight.waited > NOTHING);
        self.endpoints.retain(|_, (_, weight)| weight.held > NOTHING || weight.waited > NOTHING);
    }
}

/// What each of these, begun side by side, holds of the time until the last one ends, in seconds: each moment is shared by those who
/// are still at it, so what only the slowest wait for is theirs alone.
fn parts(times: &[Duration]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|&i| times[i]);
    let mut parts = vec![0.0; times.len()];
    let (mut until, mut each) = (Duration::ZERO, 0.0);
    for (done, &i) in order.iter().enumerate() {
        each += (times[i] - until).as_secs_f64() / (times.len() - done) as f64;
        until = times[i];
        parts[i] = each;
    }
    parts
}

fn keep_largest<K: Eq + Hash + Clone, V>(all: &mut HashMap<K, V>, size: impl Fn(&V) -> f64) {
    if all.len() <= MOST {
        return;
    }
    let mut sizes: Vec<(f64, K)> = all.iter().map(|(key, value)| (size(value), key.clone())).collect();
    sizes.sort_by(|one, other| other.0.total_cmp(&one.0));
    for (_, key) in sizes.drain(MOST..) {
        all.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(times: &[f64]) -> Vec<Duration> {
        times.iter().copied().map(Duration::from_secs_f64).collect()
    }

    #[test]
    fn a_batch_is_held_by_those_who_are_still_at_it() {
        assert_eq!(parts(&seconds(&[1.0, 3.0])), [0.5, 2.5]);
        assert_eq!(parts(&seconds(&[2.0, 2.0, 2.0, 2.0])), [0.5; 4]);
        assert_eq!(parts(&[]), [0.0; 0]);
    }
}
