//! Events of Postrider's own that tell of a change, written in the change's own transaction: neither happens without the other.

use aws_sdk_dynamodb::types::TransactWriteItem;
use postrider_domain::event::Event;

use crate::conditional::has_id;
use crate::error::Failure;
use crate::events_table::EventsTable;
use crate::item::Item;

/// Actions of a transaction.
pub(crate) const MOST_ACTIONS: usize = 100;

/// What a change tells, if anything: whoever asks for it hears of it once.
pub struct Told {
    table: EventsTable,
    events: Vec<Event>,
}

impl Told {
    /// These events, each with an id of its own.
    pub fn of(table: &EventsTable, events: Vec<Event>) -> Self {
        Self { table: table.clone(), events }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.events.len()
    }

    /// The puts of those that a transaction has room for beside so many actions.
    pub(crate) fn beside(&self, actions: usize) -> Result<Vec<TransactWriteItem>, Failure> {
        self.that_fit(actions).0.iter().map(|event| self.table.put_in_transaction(event)).collect()
    }

    /// Puts the others once the change is written: those of a webhook that changes as much at once as there is. Who dies before that
    /// has changed it and told less; to refuse the change, because there is so much of it, would be worse.
    pub(crate) async fn tell_the_others(&self, actions: usize) {
        for event in self.that_fit(actions).1 {
            if let Err(error) = self.table.put(event).await {
                let (event_id, event) = (event.id.as_str(), event.event_type.as_str());
                tracing::error!(event_id, event, error = %error, "webhook.not_told");
            }
        }
    }

    /// Whether it is one of these events that refused its own put: it was put before, and with it all that was written then. Nobody
    /// changes an event, so it says so for ever.
    pub(crate) fn has(&self, there: &Item) -> bool {
        self.events.iter().any(|event| has_id(there, event.id.as_str()))
    }

    fn that_fit(&self, actions: usize) -> (&[Event], &[Event]) {
        self.events.split_at(MOST_ACTIONS.saturating_sub(actions).min(self.events.len()))
    }
}
