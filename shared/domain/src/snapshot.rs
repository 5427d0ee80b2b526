//! What the tables said about a batch of messages, and what follows for each of them.
//!
//! A batch holds many tenants' messages, and tenants share ids: whoever puts event rows chooses theirs. So each row is filed
//! under the key that it lies under, tenant included, and a delivery is handed out only together with rows of its own tenant.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;

use crate::delivery::{Delivery, Gate, Reason};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::{DeliveryId, EndpointId, EventKey, JobId, TenantId};
use crate::job::Job;
use crate::message::Message;
use crate::obstacle::{Missing, obstacle};
use crate::rate_limit::Restraint;
use crate::slow::SlowByTenant;
use crate::tenant::Tenant;

#[cfg(test)]
mod two_tenants;

/// Rows by the key that they lie under, whatever they say of themselves.
#[derive(Debug)]
pub struct Filed<K, V>(HashMap<K, Option<V>>);

/// The rows that a batch of messages speaks of, as they were read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Deliveries.
    pub deliveries: Filed<DeliveryId, Delivery>,
    /// Events.
    pub events: Filed<EventKey, Event>,
    /// Endpoints, tombstones included.
    pub endpoints: Filed<(TenantId, EndpointId), Endpoint>,
    /// Tenants.
    pub tenants: Filed<TenantId, Tenant>,
    /// Jobs, for deliveries that go to no webhook.
    pub jobs: Filed<JobId, Job>,
    /// Tenants' slow endpoints, where there are any.
    pub slow: SlowByTenant,
}

impl<K, V> Default for Filed<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Filed<K, V> {
    /// Files a row, or that the row there cannot be read: a producer may have put anything.
    pub fn file(&mut self, key: K, row: Option<V>) {
        self.0.insert(key, row);
    }

    /// The row of this key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)?.as_ref()
    }

    /// Whether there is a row of this key that cannot be read.
    pub fn is_broken(&self, key: &K) -> bool {
        matches!(self.0.get(key), Some(None))
    }
}

/// What is to be done with a delivery whose attempt is next.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'a> {
    /// Send it.
    Send(Box<Consignment<'a>>),
    /// Call it off.
    Cancel(Reason),
    /// Its webhook's, tenant's or job's row is not there, and nobody has deleted it. That is our failure: it waits.
    Missing,
    /// Its rows are not all one tenant's: send nothing. That is our failure, and never ends well by itself.
    Mixed,
}

/// What one attempt needs, all of it one tenant's: there is no other way to make one than [`Snapshot::verdict`].
#[derive(Debug, Clone, PartialEq)]
pub struct Consignment<'a> {
    delivery: &'a Delivery,
    tenant: &'a Tenant,
    endpoint: Endpoint,
    event: &'a Event,
}

impl<'a> Consignment<'a> {
    /// The delivery's row.
    pub fn delivery(&self) -> &'a Delivery {
        self.delivery
    }

    /// Whose it is.
    pub fn tenant(&self) -> &'a Tenant {
        self.tenant
    }

    /// Where it goes: a webhook, or a job's own URL.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What it tells.
    pub fn event(&self) -> &'a Event {
        self.event
    }
}

impl Snapshot {
    /// The delivery that a message is about.
    pub fn delivery(&self, message: &Message) -> Option<&Delivery> {
        self.deliveries.get(&message.delivery_id)
    }

    /// Whether a row that this message speaks of could not be read. Such a message fails by itself; its batch mates do not.
    pub fn is_broken_for(&self, message: &Message) -> bool {
        let place = (message.tenant_id.clone(), message.endpoint_id.clone());
        self.deliveries.is_broken(&message.delivery_id)
            || self.events.is_broken(&message.event_key())
            || self.tenants.is_broken(&message.tenant_id)
            || match &message.job_id {
                Some(job) => self.jobs.is_broken(job),
                None => self.endpoints.is_broken(&place),
            }
    }

    /// Whether what was read would deny this message its attempt.
    pub fn is_doubtful_for(&self, message: &Message) -> bool {
        let Some(row) = self.delivery(message) else { return false };
        // What is drained comes a moment after its endpoint was found to be back.
        let is_drained = |sent: &Consignment<'_>| row.is_parked() && sent.endpoint().holds_back(message);
        !self.is_broken_for(message)
            && match self.verdict(message, row) {
                Verdict::Send(consignment) => is_drained(&consignment),
                _ => true,
            }
    }

    /// Whether what was read leads to a POST for this message: its attempt is the next one and due, and nothing stands in its way.
    pub fn is_to_be_sent(&self, message: &Message, now: Timestamp) -> bool {
        let Some(row) = self.delivery(message) else { return false };
        row.gate(message.attempt, message.round, now) == Gate::Attempt
            && !self.is_broken_for(message)
            && matches!(self.verdict(message, row), Verdict::Send(_))
    }

    /// Whether what was read calls this message's delivery off for what is so of its endpoint or its tenant.
    pub fn is_called_off(&self, message: &Message) -> bool {
        let Some(row) = self.delivery(message) else { return false };
        let is_broken = self.is_broken_for(message);
        let is_of_the_event = |reason| matches!(reason, Reason::EventExpired | Reason::EventExpunged);
        !is_broken && matches!(self.verdict(message, row), Verdict::Cancel(reason) if !is_of_the_event(reason))
    }

    /// What holds this message back, if it leads to a POST and its webhook has a limit or is paused.
    pub fn restraint(&self, message: &Message, now: Timestamp) -> Option<Restraint> {
        if message.job_id.is_some() {
            return None;
        }
        let endpoint = self.endpoints.get(&(message.tenant_id.clone(), message.endpoint_id.clone()))?;
        if endpoint.holds_back(message) {
            // Parked, it takes nobody's turn.
            return None;
        }
        endpoint.restraint(now).filter(|_| self.is_to_be_sent(message, now))
    }

    /// Whether a message's endpoint counts as slow.
    pub fn is_slow(&self, message: &Message, now: Timestamp) -> bool {
        self.slow.has(&message.tenant_id, &message.endpoint_id, now)
    }

    /// Where a delivery goes: its webhook, or its job's own URL, which is an endpoint without a registration.
    pub fn endpoint_of(&self, row: &Delivery) -> Option<Endpoint> {
        match &row.job_id {
            None => self.endpoints.get(&(row.tenant_id.clone(), row.endpoint_id.clone())).cloned(),
            Some(id) => self.jobs.get(id).and_then(Endpoint::of_job),
        }
    }

    /// What to do with this message's delivery, whose attempt is next.
    pub fn verdict<'a>(&'a self, message: &Message, row: &'a Delivery) -> Verdict<'a> {
        let endpoint = self.endpoint_of(row);
        let tenant = self.tenants.get(&row.tenant_id);
        let event = self.events.get(&EventKey { tenant_id: row.tenant_id.clone(), id: row.event_id.clone() });
        if !are_of_one(message, row, (tenant, endpoint.as_ref(), event)) {
            return Verdict::Mixed;
        }
        if event.is_some_and(Event::is_expunged) {
            return Verdict::Cancel(Reason::EventExpunged);
        }
        match obstacle(tenant, endpoint.as_ref()) {
            Ok(Some(reason)) => return Verdict::Cancel(reason),
            // Once the event has expired, the rows around it may have, too.
            Err(Missing) if event.is_some() => return Verdict::Missing,
            _ => {}
        }
        match (tenant, endpoint, event) {
            (Some(tenant), Some(endpoint), Some(event)) => {
                Verdict::Send(Box::new(Consignment { delivery: row, tenant, endpoint, event }))
            }
            _ => Verdict::Cancel(Reason::EventExpired),
        }
    }
}

/// Whether all of it is one tenant's, and about one delivery. What is not there contradicts nobody.
fn are_of_one(
    message: &Message,
    row: &Delivery,
    (tenant, endpoint, event): (Option<&Tenant>, Option<&Endpoint>, Option<&Event>),
) -> bool {
    let owners = [
        Some(&message.tenant_id),
        tenant.map(|tenant| &tenant.id),
        endpoint.map(|endpoint| &endpoint.tenant_id),
        event.map(|event| &event.tenant_id),
    ];
    owners.into_iter().flatten().all(|owner| *owner == row.tenant_id)
        && (&message.delivery_id, &message.endpoint_id) == (&row.id, &row.endpoint_id)
        && (&message.event_id, &message.job_id) == (&row.event_id, &row.job_id)
        && endpoint.is_none_or(|endpoint| endpoint.id == row.endpoint_id)
        && event.is_none_or(|event| (&event.id, &event.job_id) == (&row.event_id, &row.job_id))
}
