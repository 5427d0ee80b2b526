//! An event as somebody asks for it by its id.

use postrider_aws::event_row::{self, Row};
use postrider_domain::event::Event;

use crate::ApiError;

/// The event in a row, which was not expunged.
///
/// # Errors
/// 404 with the reason where the row is no event.
pub fn kept_event(row: Row) -> Result<Event, ApiError> {
    let is_no_event = |why: &str| ApiError::is_no("event", why, "set aside in quarantine");
    if let Some(why) = event_row::refusal(&row) {
        return Err(is_no_event(why));
    }
    event_row::read(row).map_err(|invalid| is_no_event(&invalid.to_string()))
}
