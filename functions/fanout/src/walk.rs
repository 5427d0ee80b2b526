//! The way of one event through its webhooks, from one to the next.

use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::id::EndpointId;

use crate::first_pages::{self, FirstPages};
use crate::merge::{Merge, Page};
use crate::stretch::{Place, Work};
use crate::turn::Turn;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A webhook.
    Webhook,
    /// Nobody knows before more has been read, for which there is no time.
    Unknown,
    /// Nothing.
    End,
}

/// An event on its way.
pub(crate) struct Walk<'a> {
    config: &'a ConfigTable,
    pub(crate) work: &'a Work<'a>,
    merge: Merge,
    /// Behind whom it stands.
    at: Place,
    next: Option<EndpointId>,
    /// The place from which on not all of its webhooks could be read, and why.
    pub(crate) failed: Option<(Place, Failure)>,
    /// How many may have asked for the event.
    pub(crate) asking: usize,
}

impl<'a> Walk<'a> {
    /// At its beginning. A job's event goes to the job's own URL and to nobody else, a test to its webhook.
    pub(crate) fn new(config: &'a ConfigTable, work: &'a Work<'a>, pages: &FirstPages) -> Self {
        let (at, next) = (work.stretch.after.clone(), work.event.only_for());
        let mut walk = Self { config, work, merge: Merge::new([]), at, next, failed: None, asking: 1 };
        if walk.next.is_some() {
            return walk;
        }
        let lists = work.event.event_type.patterns().into_iter().map(|pattern| {
            let page = pages.of(work, &pattern).unwrap_or_else(|error| {
                walk.failed = Some((walk.at.clone(), error));
                Page::empty()
            });
            (pattern, page)
        });
        walk.merge = Merge::new(lists.collect::<Vec<_>>());
        walk.asking = walk.merge.at_most(first_pages::ROWS);
        walk
    }

    /// Whether a row may come of it.
    pub(crate) fn may_find(&self) -> bool {
        self.next.is_some() || self.merge.may_name(self.work.event)
    }

    /// What comes next. A pattern of which a page cannot be read names nobody any more: whom the others name is sent to all the
    /// same, and later it is gone through again from here.
    pub(crate) async fn peek(&mut self, turn: &Turn) -> Next {
        let (event, through) = (self.work.event, &self.work.stretch.through);
        let is_beyond = |webhook: &EndpointId| through.as_ref().is_some_and(|through| webhook > through);
        while self.next.is_none() {
            if let Some((pattern, place)) = self.merge.wants() {
                let pattern = pattern.clone();
                let page = if through.is_some() && place >= through {
                    Page::empty()
                } else if !turn.has_time() {
                    return Next::Unknown;
                } else {
                    let page = first_pages::read(self.config, &event.tenant_id, &pattern, place.as_ref()).await;
                    page.unwrap_or_else(|error| {
                        self.failed.get_or_insert((self.at.clone(), error));
                        Page::empty()
                    })
                };
                self.merge.give(&pattern, page);
                continue;
            }
            match self.merge.pop(event) {
                Some((webhook, _)) if is_beyond(&webhook) => self.merge = Merge::new([]),
                Some((webhook, true)) => self.next = Some(webhook),
                Some((webhook, false)) => self.at = Some(webhook),
                None => return Next::End,
            }
        }
        Next::Webhook
    }

    /// Goes on to the webhook that comes next; and the place before it.
    pub(crate) fn step(&mut self) -> Option<(EndpointId, Place)> {
        let webhook = self.next.take()?;
        Some((webhook.clone(), self.at.replace(webhook)))
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> Place {
        self.at.clone()
    }
}
