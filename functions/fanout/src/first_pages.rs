//! The first page of each pattern that a batch's events may be asked for by, read once for all of them. Where few ask, that is
//! all there is; what follows is read by each event for itself.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use futures::stream::{self, StreamExt as _};
use postrider_aws::Failure;
use postrider_aws::config_table::ConfigTable;
use postrider_domain::event::EventPattern;
use postrider_domain::id::{EndpointId, TenantId};

use crate::merge::{Following, Page};
use crate::stretch::{Place, Work};

/// Subscriptions of a page.
pub(crate) const ROWS: usize = 1_000;
/// Those that are held for a batch, whatever its events are; what is beyond is read when its event's turn comes.
const HELD: usize = 20_000;
const QUERIES_AT_ONCE: usize = 16;

/// Where a page begins: whose pattern, and behind whom.
type Start = (TenantId, EventPattern, Place);

/// The pages.
pub(crate) struct FirstPages(HashMap<Start, Result<Page, Failure>>);

impl FirstPages {
    /// Those of these works.
    pub(crate) async fn read(config: &ConfigTable, works: &[&Work<'_>]) -> Self {
        let starts = |work: &&Work<'_>| {
            let patterns = if work.event.job_id.is_some() { Vec::new() } else { work.event.event_type.patterns() };
            let start = |pattern| (work.event.tenant_id.clone(), pattern, work.stretch.after.clone());
            patterns.into_iter().map(start).collect::<Vec<Start>>()
        };
        let starts: BTreeSet<Start> = works.iter().flat_map(starts).collect();
        let held = &Cell::new(0);
        let pages = stream::iter(starts).map(|(tenant, pattern, after)| async move {
            let page = if held.get() < HELD {
                read(config, &tenant, &pattern, after.as_ref()).await
            } else {
                Ok(Page::unread(after.clone()))
            };
            held.set(held.get() + page.as_ref().map_or(0, |page| page.rows.len()));
            ((tenant, pattern, after), page)
        });
        Self(pages.buffer_unordered(QUERIES_AT_ONCE).collect().await)
    }

    /// The one from which a work begins.
    pub(crate) fn of(&self, work: &Work<'_>, pattern: &EventPattern) -> Result<Page, Failure> {
        let start = (work.event.tenant_id.clone(), pattern.clone(), work.stretch.after.clone());
        self.0.get(&start).cloned().unwrap_or_else(|| Ok(Page::unread(start.2)))
    }
}

/// A page of a tenant's subscriptions to a pattern, behind a webhook.
pub(crate) async fn read(
    config: &ConfigTable,
    tenant: &TenantId,
    pattern: &EventPattern,
    after: Option<&EndpointId>,
) -> Result<Page, Failure> {
    let limit = i32::try_from(ROWS).unwrap_or(i32::MAX);
    let page = config.subscription_page(tenant, pattern, after, limit).await?;
    let following = page.next.map_or(Following::Nothing, |next| Following::Behind(Some(next)));
    Ok(Page { rows: page.rows.into(), following })
}
