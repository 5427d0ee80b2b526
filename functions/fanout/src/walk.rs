//! The way of one event through its webhooks, from one to the next.

use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::rows;
use postrider_domain::id::EndpointId;
use postrider_domain::subscribed::Judgement;

use crate::first_pages::{self, FirstPages};
use crate::judge::Judge;
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

/// A webhook that a row is for.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) webhook: EndpointId,
    /// Whether the row is to be looked after where there is one, and none to be made.
    pub(crate) only_if_there: bool,
}

/// An event on its way.
pub(crate) struct Walk<'a> {
    config: &'a ConfigTable,
    pub(crate) work: &'a Work<'a>,
    merge: Merge,
    judge: Judge<'a>,
    /// Behind whom it stands.
    at: Place,
    next: Option<Found>,
    /// The place from which on not all of its webhooks could be read, and why.
    pub(crate) failed: Option<(Place, Failure)>,
    /// How many may have asked for the event.
    pub(crate) asking: usize,
}

impl<'a> Walk<'a> {
    /// At its beginning. A job's event goes to the job's own URL and to nobody else, a test to its webhook.
    pub(crate) fn new(config: &'a ConfigTable, work: &'a Work<'a>, pages: &FirstPages) -> Self {
        let at = work.stretch.after.clone();
        let (merge, judge) = (Merge::new([]), Judge::new(work.event));
        let only_if_there = work.event.is_expunged();
        let next = work.event.only_for().map(|webhook| Found { webhook, only_if_there });
        let mut walk = Self { config, work, merge, judge, at, next, failed: None, asking: 1 };
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
        self.next.is_some() || self.merge.may_name(self.work)
    }

    /// What comes next. A pattern of which a page cannot be read names nobody any more: whom the others name is sent to all the
    /// same, and later it is gone through again from here. So it is where a filter cannot be read: that webhook is sent nothing meanwhile.
    pub(crate) async fn peek(&mut self, turn: &mut Turn) -> Next {
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
            if self.merge.is_next_filtered() && !turn.may_judge(&event.tenant_id) {
                return Next::Unknown;
            }
            let Some((webhook, judgement)) = self.merge.pop(self.work, &mut self.judge) else { return Next::End };
            turn.judged(&event.tenant_id, self.judge.take_spent());
            self.judge.give_way().await;
            if is_beyond(&webhook) {
                self.merge = Merge::new([]);
                continue;
            }
            match judgement {
                Ok(Judgement::Passes) => self.at = Some(webhook),
                Ok(judgement) => {
                    let only_if_there = judgement == Judgement::OnlyIfThere || event.is_expunged();
                    self.next = Some(Found { webhook, only_if_there });
                }
                Err(error) => {
                    rows::unreadable(webhook.as_str(), &error);
                    let before = self.at.replace(webhook);
                    self.failed.get_or_insert((before, error));
                }
            }
        }
        Next::Webhook
    }

    /// Goes on to the webhook that comes next; and the place before it.
    pub(crate) fn step(&mut self) -> Option<(Found, Place)> {
        let found = self.next.take()?;
        let before = self.at.replace(found.webhook.clone());
        Some((found, before))
    }

    /// Where it stands.
    pub(crate) fn at(&self) -> Place {
        self.at.clone()
    }
}
