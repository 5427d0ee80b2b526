//! Who asks for an event by any of its patterns, each once: the patterns' subscriptions lie sorted by webhook, so they are merged
//! page by page, and no more than a page of each is held.

use std::sync::Arc;

use postrider_aws::config_table::Subscription;
use postrider_domain::event::{Event, EventPattern};
use postrider_domain::id::EndpointId;

use crate::stretch::Place;

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

    /// The next webhook, and whether the event is for it. To be asked only while nothing is wanted.
    pub(crate) fn pop(&mut self, event: &Event) -> Option<(EndpointId, bool)> {
        let next = self.lists.iter().filter_map(List::next).map(|row| &row.endpoint_id).min()?.clone();
        let mut takes = false;
        for list in &mut self.lists {
            // More than one row of a list can name it no more than two rows can have one key.
            if let Some(row) = list.next().filter(|row| row.endpoint_id == next) {
                takes |= row.takes(event);
                list.read += 1;
            }
        }
        Some((next, takes))
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
    pub(crate) fn may_name(&self, event: &Event) -> bool {
        let may = |list: &List| {
            list.page.following != Following::Nothing || list.page.rows[list.read..].iter().any(|row| row.takes(event))
        };
        self.lists.iter().any(may)
    }
}
