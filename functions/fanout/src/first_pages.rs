//! The first page of each pattern that a batch's events may be asked for by, read once for all of them. Where few ask, that is
//! all there is; what follows is read by each event for itself.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use postrider_aws::Failure;
use postrider_aws::config_table::{ConfigTable, Subscription};
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_host::deadline;

use crate::merge::{Following, Page};
use crate::stretch::{Place, Work};
use crate::turn::FEW;

/// Subscriptions of a page.
pub(crate) const ROWS: usize = 1_000;
/// Those that are held for a batch, whatever its events are; what is beyond is read when its event's turn comes. Each tenant has a
/// share of them by how many of the events are his, so that nobody's many webhooks keep another's few from being known: a hundred
/// events leave twice as much for each as few ask for.
const HELD: usize = 20_000;
/// And of their filters, in bytes, shared in the same way. A page that is being read may go beyond by DynamoDB's mebibyte.
const HELD_BYTES: usize = 4 * 1024 * 1024;
const QUERIES_AT_ONCE: usize = 16;
/// How long a page may take, and the first ones of a batch together. Nobody's row is put before these are read, so those that hang
/// are given up sooner than other calls: their events come again by themselves.
const FOR_A_PAGE: Duration = Duration::from_secs(5);
const FOR_ALL: Duration = Duration::from_secs(10);

/// Where a page begins: whose pattern, and behind whom.
type Start = (TenantId, EventPattern, Place);

/// The pages.
pub(crate) struct FirstPages(HashMap<Start, Result<Page, Failure>>);

impl FirstPages {
    /// Those of these works.
    pub(crate) async fn read(config: &ConfigTable, works: &[&Work<'_>]) -> Self {
        let starts = |work: &&Work<'_>| {
            let is_asked_for = work.event.only_for().is_none();
            let patterns = if is_asked_for { work.event.event_type.patterns() } else { Vec::new() };
            let start = |pattern| (work.event.tenant_id.clone(), pattern, work.stretch.after.clone());
            patterns.into_iter().map(start).collect::<Vec<Start>>()
        };
        let starts: BTreeSet<Start> = works.iter().flat_map(starts).collect();
        let shares = &shares(works);
        let pages = stream::iter(in_turn(starts)).map(|(tenant, pattern, after)| async move {
            let share = &shares[&tenant];
            let page = if share.has_room() {
                page(config, (&tenant, &pattern), after.as_ref(), share.rows.clamp(FEW + 1, ROWS)).await
            } else {
                Ok(Page::unread(after.clone()))
            };
            if let Ok(page) = &page {
                share.hold(&page.rows);
            }
            ((tenant, pattern, after), page)
        });
        Self(deadline::at_most(FOR_ALL, pages.buffer_unordered(QUERIES_AT_ONCE).collect()).await)
    }

    /// The one from which a work begins.
    pub(crate) fn of(&self, work: &Work<'_>, pattern: &EventPattern) -> Result<Page, Failure> {
        let start = (work.event.tenant_id.clone(), pattern.clone(), work.stretch.after.clone());
        self.0.get(&start).cloned().unwrap_or_else(|| Ok(Page::unread(start.2)))
    }
}

/// What may be held of a tenant's rows, and what is.
struct Share {
    rows: usize,
    bytes: usize,
    held: Cell<(usize, usize)>,
}

impl Share {
    fn has_room(&self) -> bool {
        let (rows, bytes) = self.held.get();
        rows < self.rows && bytes < self.bytes
    }

    fn hold(&self, page: &[Subscription]) {
        let (rows, bytes) = self.held.get();
        self.held.set((rows + page.len(), bytes + page.iter().map(Subscription::bytes).sum::<usize>()));
    }
}

/// The share of each tenant.
fn shares<'a>(works: &[&Work<'a>]) -> HashMap<&'a TenantId, Share> {
    let mut events: HashMap<&TenantId, usize> = HashMap::new();
    for work in works {
        *events.entry(&work.event.tenant_id).or_default() += 1;
    }
    let share = |events: usize| {
        let of = |all: usize| all * events / works.len();
        Share { rows: of(HELD), bytes: of(HELD_BYTES), held: Cell::default() }
    };
    events.into_iter().map(|(tenant, events)| (tenant, share(events))).collect()
}

/// One of each tenant's after another, so that those of one that hang leave time for the others'.
fn in_turn(starts: BTreeSet<Start>) -> Vec<Start> {
    let mut before: HashMap<TenantId, usize> = HashMap::new();
    let mut ranked: Vec<(usize, Start)> = Vec::with_capacity(starts.len());
    for start in starts {
        let rank = before.entry(start.0.clone()).or_default();
        ranked.push((*rank, start));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, start)| start).collect()
}

/// A page of a tenant's subscriptions to a pattern, behind a webhook.
pub(crate) async fn read(
    config: &ConfigTable,
    tenant: &TenantId,
    pattern: &EventPattern,
    after: Option<&EndpointId>,
) -> Result<Page, Failure> {
    page(config, (tenant, pattern), after, ROWS).await
}

/// The same of so many rows at the most.
async fn page(
    config: &ConfigTable,
    (tenant, pattern): (&TenantId, &EventPattern),
    after: Option<&EndpointId>,
    limit: usize,
) -> Result<Page, Failure> {
    let limit = i32::try_from(limit).unwrap_or(i32::MAX);
    let page = deadline::at_most(FOR_A_PAGE, config.subscription_page(tenant, pattern, after, limit)).await?;
    let following = page.next.map_or(Following::Nothing, |next| Following::Behind(Some(next)));
    Ok(Page { rows: page.rows.into(), following })
}
