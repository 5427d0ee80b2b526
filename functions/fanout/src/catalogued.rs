//! Producers' rows before the catalogue. What came by the API was judged when it came, and what is Postrider's own is not judged: only
//! what a producer put is, by how the catalogue stood when he wrote it. So a row gets the same verdict each time that fan-out comes to it,
//! and one of whose fan-out something is done already is never refused for the rest.

use jiff::Timestamp;
use postrider_aws::Failure;
use postrider_aws::catalogue::{Catalogue, NotTaken};
use postrider_domain::event::Event;

use crate::record::NoEvent;

/// By which catalogue a row is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// By that of when it was written; where nobody knows that, by its own time, which stays the same as well.
    ItsTime(Option<Timestamp>),
    /// By today's: it was refused before, so nothing of it is done, and somebody has mended the row or the schema and asks again.
    Today,
}

/// Takes an event that the catalogue takes.
///
/// # Errors
/// The outer one is ours; the inner one says why it is none.
pub(crate) async fn judged(catalogue: &Catalogue, event: Event, by: By) -> Result<Result<Event, NoEvent>, Failure> {
    if !event.is_its_producers_own() {
        return Ok(Ok(event));
    }
    let judged = match by {
        By::ItsTime(written) => {
            let written = written.unwrap_or(event.timestamp);
            catalogue.judge_row(&event.event_type, &event.data, written).await
        }
        By::Today => catalogue.judge(&event.event_type, &event.data).await,
    };
    match judged {
        Ok(()) => Ok(Ok(event)),
        Err(NotTaken::Refused(refusal)) => Ok(Err(NoEvent::Refused(Box::new(event), refusal))),
        Err(NotTaken::Failed(failure)) => Err(failure),
    }
}
