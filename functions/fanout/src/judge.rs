//! What webhooks' filters say of one event. Its `data` is read once, and only where some webhook's filter has to be asked.

use std::time::Duration;

use postrider_aws::Failure;
use postrider_domain::event::Event;
use postrider_domain::filter::{Filter, Seen};
use tokio::time::Instant;

/// For so long filters are judged before other work of this process has its turn: calls that are under way have deadlines of their own.
const IN_ONE_GO: Duration = Duration::from_millis(5);

/// An event before filters.
pub(crate) struct Judge<'a> {
    event: &'a Event,
    seen: Option<Result<Seen<'a>, Failure>>,
    /// The filter that was judged last, with what it says: a webhook's patterns have the same one.
    last: Option<(String, Result<bool, Failure>)>,
    spent: Duration,
    since_a_break: Duration,
}

impl<'a> Judge<'a> {
    /// Before it has read anything.
    pub(crate) fn new(event: &'a Event) -> Self {
        Self { event, seen: None, last: None, spent: Duration::ZERO, since_a_break: Duration::ZERO }
    }

    /// Whether a filter lets the event through.
    ///
    /// # Errors
    /// When the filter, or the event's `data`, is nothing that this version can read.
    pub(crate) fn matches(&mut self, filter: &str) -> Result<bool, Failure> {
        // Nobody can ask about what is gone; an earlier run may have put a row for it, and none is made any more.
        if self.event.is_expunged() {
            return Ok(true);
        }
        if let Some((_, said)) = self.last.as_ref().filter(|(last, _)| last == filter) {
            return said.clone();
        }
        let begun = Instant::now();
        let event = self.event;
        let seen = self.seen.get_or_insert_with(|| {
            let seen = Seen::read(event.event_type.as_str(), &event.data, &event.tags);
            seen.map_err(|error| Failure::unreadable("an event's data", error))
        });
        let said = match (Filter::parse(filter), seen) {
            (Ok(filter), Ok(seen)) => Ok(filter.matches(seen)),
            (Ok(_), Err(error)) => Err(error.clone()),
            (Err(invalid), _) => Err(Failure::unreadable("a webhook's filter", invalid)),
        };
        self.spent += begun.elapsed();
        self.last = Some((filter.to_owned(), said.clone()));
        said
    }

    /// How much time it has taken since it was asked last.
    pub(crate) fn take_spent(&mut self) -> Duration {
        self.since_a_break += self.spent;
        std::mem::take(&mut self.spent)
    }

    /// Lets others have their turn, if it is time.
    pub(crate) async fn give_way(&mut self) {
        if self.since_a_break >= IN_ONE_GO {
            self.since_a_break = Duration::ZERO;
            tokio::task::yield_now().await;
        }
    }
}
