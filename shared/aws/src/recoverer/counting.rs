//! How much a recovery would send again, counted while its caller waits.

use postrider_domain::endpoint::Endpoint;
use postrider_domain::recovery::Recovery;
use postrider_host::{clock, deadline};

use super::{FOR_A_PAGE, Recoverer};
use crate::error::Failure;

/// Deliveries that a page is counted from: each is as much to read as five of a page that is sent again.
const PAGE: i32 = 1_000;
/// Pages of them that a call reads.
const PAGES: i32 = 10;
/// Deliveries that a call looks at.
pub const MOST_COUNTED: i32 = PAGE * PAGES;

/// How much was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// What would be sent again.
    pub found: u64,
    /// Whether that is all.
    pub complete: bool,
}

impl Recoverer {
    /// Counts what a recovery would send again at this moment, for as long as its caller's time and a call's share of reading allow.
    /// Nothing is written. `endpoint` is the webhook that it is for; a tenant's jobs have none.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn count(&self, recovery: &Recovery, endpoint: Option<&Endpoint>) -> Result<Count, Failure> {
        if let Some(endpoint) = endpoint.filter(|_| recovery.chosen.never_matched) {
            return self.count_unmatched(recovery, endpoint).await;
        }
        let mut left = recovery.clone();
        for _ in 0..PAGES {
            if deadline::left() <= FOR_A_PAGE {
                break;
            }
            let page = self.deliveries.list_range(&left, PAGE).await?;
            left.found += left.look(&page.rows, clock::now(), false).found();
            match page.next {
                Some(last) => left.after = Some(last),
                None => return Ok(Count { found: left.found, complete: true }),
            }
        }
        Ok(Count { found: left.found, complete: false })
    }
}
