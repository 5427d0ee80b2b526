//! A cancellation's pages: what waits is called off row by row, and a row that goes on meanwhile is looked at again.

use futures::stream::{self, StreamExt as _};
use postrider_domain::cancellation::Cancellation;
use postrider_domain::delivery::Delivery;
use postrider_domain::recovery::Progress;
use postrider_host::entropy;
use tokio::time::Instant;

use super::{PAGE, PAGES_PAST, PASSING, Recoverer};
use crate::error::{AwsError, Failure};
use crate::{Recorded, rows};

/// Deliveries that are called off side by side.
const CANCELLED_AT_ONCE: usize = 32;
/// How often a row is tried that others change meanwhile.
const TRIES: usize = 4;

impl Recoverer {
    /// Goes on with one by a page, or by several in which nothing waits; the cancellation as it is then, unless it is done or somebody
    /// else carries it on. It asks for no webhook: what waits for one that is disabled or deleted is called off all the same.
    pub(super) async fn cancel_page(&self, mut all: Cancellation) -> Result<Option<Cancellation>, Failure> {
        let (before, begun) = (all.clone(), Instant::now());
        for _ in 0..PAGES_PAST {
            let page = self.deliveries.waiting(&all, PAGE).await?;
            let look = all.look(&page.rows);
            let cancelled = self.call_off(&all, &look.waiting).await?;
            all.found += look.called_off_before + look.waiting.len() as u64;
            all.cancelled += look.called_off_before + cancelled;
            match page.next {
                Some(last) => all.after = Some(last),
                None => all.status = Progress::Done,
            }
            if !page.rows.is_empty() || all.status == Progress::Done || begun.elapsed() >= PASSING {
                break;
            }
        }
        // Overtaken, somebody else has counted this page and carries it on.
        let noted = self.config.note_cancellation(&before, &all).await?;
        Ok(Some(all).filter(|it| it.status == Progress::Running && noted == Recorded::Yes))
    }

    /// Calls these off; how many were. A row that is refused holds up none of the others.
    ///
    /// # Errors
    /// When one may still wait: the page is to be seen again.
    async fn call_off(&self, all: &Cancellation, waiting: &[&Delivery]) -> Result<u64, Failure> {
        let each = waiting.iter().map(|row| self.call_one_off(all, row));
        let done: Vec<_> = stream::iter(each.collect::<Vec<_>>()).buffer_unordered(CANCELLED_AT_ONCE).collect().await;
        let mut cancelled = 0;
        for one in done {
            cancelled += u64::from(one?);
        }
        Ok(cancelled)
    }

    /// Calls one off, whatever attempts end meanwhile: whether it was. One that has come to its end, or that somebody has asked for
    /// since, is left alone.
    async fn call_one_off(&self, all: &Cancellation, row: &Delivery) -> Result<bool, Failure> {
        let mut row = row.clone();
        for _ in 0..TRIES {
            if self.deliveries.cancel_with_all(&row, &all.id, &entropy::mark()).await? == Recorded::Yes {
                return Ok(true);
            }
            match self.deliveries.get(&row.id).await {
                Ok(Some(now)) if all.has_called_off(&now) => return Ok(true),
                Ok(Some(now)) if all.is_for(&now) => row = now,
                Ok(_) => return Ok(false),
                // Nothing that is done here will mend it.
                Err(error) if error.is_unreadable() => {
                    rows::unreadable(row.id.as_str(), &error);
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Err(AwsError::busy("UpdateItem deliveries", "a delivery changes all the while"))
    }
}
