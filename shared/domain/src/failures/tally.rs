//! Failed deliveries, counted by their webhooks.

use super::{BTreeMap, DeliveryId, EndpointId, Timestamp};

/// What failed at one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The webhook.
    pub webhook: EndpointId,
    /// How many of its deliveries.
    pub count: u64,
    /// When the first of them failed, and which one that was.
    pub first: (Timestamp, DeliveryId),
    /// The last of them.
    pub last: (Timestamp, DeliveryId),
    /// The oldest and the newest of the events that they deliver, by the events' own times: what lists go by.
    pub events: (Timestamp, Timestamp),
}

impl Group {
    fn of_one(at: Timestamp, id: DeliveryId) -> Self {
        let (event, webhook) = (id.event_time(), id.endpoint());
        Self { webhook, count: 1, first: (at, id.clone()), last: (at, id), events: (event, event) }
    }

    /// Both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            webhook: self.webhook,
            count: self.count + other.count,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            events: (self.events.0.min(other.events.0), self.events.1.max(other.events.1)),
        }
    }
}

/// What failed at a tenant's webhooks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<EndpointId, Group>);

impl Tally {
    /// Counts one that failed then.
    pub fn add(&mut self, at: Timestamp, id: DeliveryId) {
        let one = Group::of_one(at, id);
        let sum = match self.0.remove(&one.webhook) {
            Some(sum) => sum.with(one),
            None => one,
        };
        self.0.insert(sum.webhook.clone(), sum);
    }

    /// Each webhook's.
    pub fn groups(self) -> Vec<Group> {
        self.0.into_values().collect()
    }
}
