//! How many of a tenant's deliveries are undelivered, by status.

use std::time::Duration;

use postrider_api::{ApiError, Request, Response, tenant_id_in_path};
use postrider_aws::deliveries_table::Filter;
use postrider_domain::delivery::Status;
use postrider_host::deadline;

use crate::bounds::MOST_COUNTED;
use crate::operator::Operator;
use crate::view::{Stats, Undelivered};

const PAGE: i32 = 200;
/// What a page takes at the most. With less left, none is read.
const FOR_A_PAGE: Duration = Duration::from_secs(4);

impl Operator {
    /// Of the newest ones, as far as one call reads. Pages may be short, so their number is bounded as well.
    pub(crate) async fn stats(&self, request: &Request, id: &str) -> Result<Response, ApiError> {
        request.only_query(&[])?;
        let tenant = tenant_id_in_path(&self.config, id).await?;
        let all = Filter::default();
        let (mut seen, mut counts, mut after, mut pages) = (0, Undelivered::default(), None, 0);
        let complete = loop {
            let page = self.deliveries.undelivered(&tenant, &all, PAGE, after.as_ref()).await?;
            seen += page.rows.len();
            pages += 1;
            for row in &page.rows {
                match row.status {
                    Status::Retrying => counts.retrying += 1,
                    Status::Failed => counts.failed += 1,
                    Status::Cancelled => counts.cancelled += 1,
                    // The table lists none of these as undelivered.
                    Status::Pending | Status::Succeeded => {}
                }
            }
            let Some(next) = page.next else { break true };
            if seen >= MOST_COUNTED
                || pages >= 2 * MOST_COUNTED / PAGE.unsigned_abs() as usize
                || deadline::left() < FOR_A_PAGE
            {
                break false;
            }
            after = Some(next);
        };
        Ok(Response::json(200, &Stats { deliveries: counts, seen, complete }))
    }
}

#[cfg(test)]
mod tests;
