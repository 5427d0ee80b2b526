//! A page of a list of which only some rows are asked for. It looks at a bounded number of them, so that it may be short, or empty,
//! while more follow: whoever asks for what there is none of must not have a million rows read in one call.

use postrider_domain::delivery::Delivery;
use postrider_domain::id::{DeliveryId, EndpointId, TenantId};

use super::{DeliveriesTable, Filter, Standing};
use crate::Page;
use crate::error::Failure;

/// Rows that are looked at for a page of an endpoint's list, of which a read unit holds some seven.
const LOOKED_AT_OF_AN_ENDPOINT: i32 = 1_000;
/// The same of a tenant's list, where each is a read unit: as many as the longest page has.
const LOOKED_AT_OF_A_TENANT: i32 = 200;
/// What is looked at first, however short the page: of most filters a good part are what is asked for.
const FIRST_LOOK: i32 = 50;
/// What is looked at at once after that.
const LOOK: i32 = 200;

/// Whose list it is.
#[derive(Clone, Copy)]
pub(super) enum List<'a> {
    OfEndpoint(&'a EndpointId),
    /// What is undelivered.
    OfTenant(&'a TenantId),
}

impl List<'_> {
    fn most(self) -> i32 {
        match self {
            Self::OfEndpoint(_) => LOOKED_AT_OF_AN_ENDPOINT,
            Self::OfTenant(_) => LOOKED_AT_OF_A_TENANT,
        }
    }

    /// Whether what is asked for is less than the list has, apart from times, by which its rows lie.
    fn is_narrowed_by(self, filter: &Filter) -> bool {
        let is_all_of_it = match self {
            Self::OfEndpoint(_) => filter.standing.is_none(),
            Self::OfTenant(_) => matches!(filter.standing, None | Some(Standing::Undelivered)),
        };
        !is_all_of_it || filter.event.is_some() || filter.outcome.is_some()
    }
}

impl DeliveriesTable {
    /// A page of a list: rows until there are as many as it may have, or enough were looked at.
    pub(super) async fn turned(
        &self,
        list: List<'_>,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        let is_narrow = list.is_narrowed_by(filter);
        let room = usize::try_from(limit).unwrap_or(1);
        let mut left = if is_narrow { list.most() } else { limit };
        let mut look = if is_narrow { limit.max(FIRST_LOOK) } else { limit };
        let mut page = Page { rows: Vec::new(), next: after.cloned() };
        loop {
            let looked = self.look(list, filter, look, page.next.as_ref()).await?;
            page.next = looked.next;
            page.rows.extend(self.asked_for(looked.rows, filter).await?);
            left -= look;
            if page.next.is_none() || page.rows.len() >= room || left <= 0 {
                break;
            }
            look = LOOK.min(left);
        }
        if page.rows.len() > room {
            page.rows.truncate(room);
            page.next = page.rows.last().map(|last| last.id.clone());
        }
        Ok(page)
    }

    async fn look(
        &self,
        list: List<'_>,
        filter: &Filter,
        limit: i32,
        after: Option<&DeliveryId>,
    ) -> Result<Page<Delivery, DeliveryId>, Failure> {
        match list {
            List::OfEndpoint(endpoint) => self.of_endpoint(endpoint, filter, limit, after).await,
            List::OfTenant(tenant) => self.of_tenant(tenant, filter, limit, after).await,
        }
    }

    /// Those of these rows that are asked for. The last attempt of few has left its row.
    async fn asked_for(&self, rows: Vec<Delivery>, filter: &Filter) -> Result<Vec<Delivery>, Failure> {
        let mut asked_for = Vec::new();
        for row in rows {
            let row = if filter.outcome.is_some() { self.with_latest(row).await? } else { row };
            if filter.takes(&row) {
                asked_for.push(row);
            }
        }
        Ok(asked_for)
    }
}

#[cfg(test)]
mod tests;
