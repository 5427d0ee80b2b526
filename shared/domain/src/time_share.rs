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
/// A tenant of whose endpoints more than one was slow within half a minute is judged by what they held as well: else each tarpit that
/// nobody knows yet would have its half minute.
const ONE_ENDPOINT: f64 = 1.05;
/// Endpoints that are remembered, and tenants.
const MOST: usize = 256;
/// What is forgotten: seconds that count for nothing.
const NOTHING: f64 = 0.001;

/// A message that came.
#[derive(Debug, Clone)]
pub struct Came {
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it goes.
    pub endpoint: EndpointId,
    /// How long it has waited for a function; nothing for one that leads to no POST.
    pub waited: Duration,
}

/// What one message of a batch held, whatever became of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// Whose it was.
    pub tenant: TenantId,
    /// Where it went.
    pub endpoint: EndpointId,
    /// How long its attempt took.
    pub time: Duration,
}

/// Who holds too much: one endpoint, or a tenant with all that he has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The tenant.
    pub tenant: TenantId,
    /// His endpoint, if it is one.
    pub endpoint: Option<EndpointId>,
}

impl Holder {
    /// Whether this endpoint of this tenant's is, or is among, whom it names.
    pub fn has(&self, tenant: &TenantId, endpoint: &EndpointId) -> bool {
        self.tenant == *tenant && self.endpoint.as_ref().is_none_or(|own| own == endpoint)
    }
}

/// What a process's time went into, lately.
#[derive(Debug, Default)]
pub struct TimeShares {
    at: Option<Timestamp>,
    total: Weight,
    tenants: HashMap<TenantId, Weight>,
    endpoints: HashMap<EndpointId, (TenantId, Weight)>,
    /// Of each tenant, the endpoints that went another way lately (as attempts), and what they had held.
    gone: HashMap<TenantId, Weight>,
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
    /// Takes in a batch that came now, and says who holds too much of the time, so that his need not even be begun; only somebody
    /// of this batch, of whom the caller knows what is noted already.
    pub fn before(&mut self, batch: &[Came], now: Timestamp) -> Option<Holder> {
        self.fade_until(now);
        for came in batch.iter().filter(|came| came.waited > PROMPT) {
            self.add(&came.tenant, &came.endpoint, Weight { waited: 1.0, ..Weight::default() });
        }
        self.holder(batch.iter().map(|came| (&came.tenant, &came.endpoint)))
    }

    /// Takes in what it held, now that it has ended, and says the same.
    pub fn after(&mut self, batch: &[Held], now: Timestamp) -> Option<Holder> {
        self.fade_until(now);
        let times: Vec<Duration> = batch.iter().map(|held| held.time).collect();
        for (held, seconds) in batch.iter().zip(parts(&times)) {
            let weight = Weight { held: seconds, attempts: 1.0, took: held.time.as_secs_f64(), waited: 0.0 };
            self.add(&held.tenant, &held.endpoint, weight);
        }
        let holder = self.holder(batch.iter().map(|held| (&held.tenant, &held.endpoint)));
        keep_largest(&mut self.tenants, |weight| weight.held);
        keep_largest(&mut self.gone, |weight| weight.held);
        keep_largest(&mut self.endpoints, |(_, weight)| weight.held);
        holder
    }

    fn add(&mut self, tenant: &TenantId, endpoint: &EndpointId, weight: Weight) {
        self.total.add(weight);
        self.tenants.entry(tenant.clone()).or_default().add(weight);
        let of_endpoint = self.endpoints.entry(endpoint.clone());
        of_endpoint.or_insert_with(|| (tenant.clone(), Weight::default())).1.add(weight);
    }

    /// Forgets somebody who goes another way from now on. Whoever waited did so while he was here, so that it says nothing of those
    /// who are left.
    pub fn forget(&mut self, holder: &Holder) {
        let gone = match &holder.endpoint {
            None => {
                self.endpoints.retain(|_, (tenant, _)| *tenant != holder.tenant);
                self.gone.remove(&holder.tenant);
                self.tenants.remove(&holder.tenant)
            }
            Some(endpoint) => {
                let gone = self.endpoints.remove(endpoint).map(|(_, weight)| weight);
                if let (Some(gone), Some(tenant)) = (gone, self.tenants.get_mut(&holder.tenant)) {
                    *tenant = tenant.without(gone);
                    let one = Weight { attempts: 1.0, ..gone };
                    self.gone.entry(holder.tenant.clone()).or_default().add(one);
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

    fn holder<'a>(&self, batch: impl Iterator<Item = (&'a TenantId, &'a EndpointId)> + Clone) -> Option<Holder> {
        let is_too_much = |held: f64, all: f64| all >= EVIDENCE && held > all * SHARE;
        let larger = |one: &(f64, Holder), other: &(f64, Holder)| one.0.total_cmp(&other.0);
        let endpoints = batch.clone().filter_map(|(of, id)| {
            let (_, endpoint) = self.endpoints.get(id)?;
            let tenant = self.tenants.get(of)?;
            let gives_way = self.total.waits_beside(*tenant)
                || (tenant.waits_beside(*endpoint) && endpoint.took > endpoint.attempts * SIBLINGS_PATIENCE);
            let holder = Holder { tenant: of.clone(), endpoint: Some(id.clone()) };
            (is_too_much(endpoint.held, self.total.held) && gives_way).then_some((endpoint.held, holder))
        });
        let tenants = batch.filter_map(|(of, _)| {
            let tenant = self.tenants.get(of).copied().unwrap_or_default();
            let gone = self.gone.get(of).filter(|gone| gone.attempts > ONE_ENDPOINT).map_or(0.0, |gone| gone.held);
            let (held, all) = (tenant.held + gone, self.total.held + gone);
            let holder = Holder { tenant: of.clone(), endpoint: None };
            (is_too_much(held, all) && self.total.waits_beside(tenant)).then_some((held, holder))
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
        self.gone.values_mut().for_each(|weight| weight.fade(left));
        self.gone.retain(|_, weight| weight.held > NOTHING);
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
