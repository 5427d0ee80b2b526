//! Who asks for an event by any of its patterns, each once: the patterns' subscriptions lie sorted by webhook, so they are merged
//! page by page, and no more than a page of each is held.

use std::sync::Arc;

use postrider_aws::Failure;
use postrider_aws::config_table::Subscription;
use postrider_domain::event::EventPattern;
use postrider_domain::id::EndpointId;
use postrider_domain::subscribed::Judgement;

use crate::judge::Judge;
use crate::stretch::{Place, Work};

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Following {
    /// Nothing.
    Nothing,
    /// Perhaps more, behind this place.
    Behind(Place),
}

/// A page of a pattern's subscriptions.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// In the order of their webhooks.
    pub(crate) rows: Arc<[Subscription]>,
    pub(crate) following: Following,
}

impl Page {
    /// One that was not read.
    pub(crate) fn unread(after: Place) -> Self {
        Self { rows: Arc::default(), following: Following::Behind(after) }
    }

    /// The end.
    pub(crate) fn empty() -> Self {
        Self { rows: Arc::default(), following: Following::Nothing }
    }
}

struct List {
    pattern: EventPattern,
    page: Page,
    /// How many of the page's rows are done with.
    read: usize,
}

impl List {
    fn next(&self) -> Option<&Subscription> {
        self.page.rows.get(self.read)
    }
}

/// The lists of an event's patterns.
pub(crate) struct Merge {
    lists: Vec<List>,
}

impl Merge {
    /// Of these patterns, each with its first page.
    pub(crate) fn new(lists: impl IntoIterator<Item = (EventPattern, Page)>) -> Self {
        let list = |(pattern, page)| List { pattern, page, read: 0 };
        Self { lists: lists.into_iter().map(list).collect() }
    }

    /// A pattern whose next page is needed before anybody can be named, and behind which place that begins.
    pub(crate) fn wants(&self) -> Option<(&EventPattern, &Place)> {
        self.lists.iter().find_map(|list| match &list.page.following {
            Following::Behind(place) if list.next().is_none() => Some((&list.pattern, place)),
            _ => None,
        })
    }

    /// Gives that page.
    pub(crate) fn give(&mut self, pattern: &EventPattern, page: Page) {
        for list in self.lists.iter_mut().filter(|list| list.pattern == *pattern) {
            (list.page, list.read) = (page.clone(), 0);
        }
    }

    /// Whether a filter has to be asked about the webhook that comes next.
    pub(crate) fn is_next_filtered(&self) -> bool {
        let next = self.lists.iter().filter_map(List::next).map(|row| &row.endpoint_id).min();
        let is_filtered = |row: &Subscription| Some(&row.endpoint_id) == next && row.has_filters();
        self.lists.iter().filter_map(List::next).any(is_filtered)
    }

    /// The next webhook, and whether the event is for it. To be asked only while nothing is wanted.
    pub(crate) fn pop(
        &mut self,
        work: &Work<'_>,
        judge: &mut Judge<'_>,
    ) -> Option<(EndpointId, Result<Judgement, Failure>)> {
        let next = self.lists.iter().filter_map(List::next).map(|row| &row.endpoint_id).min()?.clone();
        let mut judgement = Ok(Judgement::Passes);
        for list in &mut self.lists {
            // More than one row of a list can name it no more than two rows can have one key.
            if let Some(row) = list.next().filter(|row| row.endpoint_id == next) {
                let one = row.judge(work.event, work.happened_by, |filter| judge.matches(filter));
                judgement = either(judgement, one);
                list.read += 1;
            }
        }
        Some((next, judgement))
    }

    /// How many may be named by what is known; one page more where a list goes on.
    pub(crate) fn at_most(&self, page: usize) -> usize {
        let rows = |list: &List| {
            let more = if list.page.following == Following::Nothing { 0 } else { page };
            list.page.rows.len() - list.read + more
        };
        self.lists.iter().map(rows).sum()
    }

    /// Whether anybody may be named.
    pub(crate) fn may_name(&self, work: &Work<'_>) -> bool {
        let may_take = |row: &Subscription| row.may_take(work.event, work.happened_by);
        let may =
            |list: &List| list.page.following != Following::Nothing || list.page.rows[list.read..].iter().any(may_take);
        self.lists.iter().any(may)
    }
}

/// What two patterns of one webhook's come to: one that takes the event is enough, and what nobody can read says nothing.
fn either(one: Result<Judgement, Failure>, other: Result<Judgement, Failure>) -> Result<Judgement, Failure> {
    match (one, other) {
        (Ok(Judgement::Takes), _) | (_, Ok(Judgement::Takes)) => Ok(Judgement::Takes),
        (Ok(one), Ok(other)) => Ok(one.max(other)),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
