//! What an event says, read alike wherever somebody says it: to publish it, to test a webhook with it, or to see what would be sent.

use postrider_domain::dialect::{self, DialectRef};
use postrider_domain::event::{EventType, MAX_DATA_BYTES, check_data};
use postrider_domain::invalid::Invalid;
use serde_json::value::RawValue;

use crate::ApiError;

/// A type that others than Postrider may publish, for webhooks of this dialect; or for those of any, of which one alone may have it.
///
/// # Errors
/// 400 when it is no type, or one of Postrider's own.
pub fn event_type(text: &str, dialect: Option<DialectRef>) -> Result<EventType, ApiError> {
    let event_type = match dialect {
        Some(dialect) => dialect.catalogue.read_type(text)?,
        None => dialect::read_type(text)?,
    };
    if event_type.is_operational() {
        return Err(Invalid::new("event", "a type outside `webhook.*`, which is for Postrider's own events").into());
    }
    Ok(event_type)
}

/// An event's `data`, letter for letter.
///
/// # Errors
/// 413 when it is too large, 400 when it is no object.
pub fn event_data(raw: &RawValue) -> Result<String, ApiError> {
    if raw.get().len() > MAX_DATA_BYTES {
        return Err(ApiError::too_large("data", MAX_DATA_BYTES));
    }
    check_data(raw.get())?;
    Ok(raw.get().to_owned())
}
