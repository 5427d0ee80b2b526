//! What an event says, read alike wherever somebody says it: to publish it, to test a webhook with it, or to see what would be sent.

use std::collections::BTreeMap;

use postrider_domain::dialect::{self, DialectRef};
use postrider_domain::event::{EventType, MAX_DATA_BYTES, check_data, check_tags};
use postrider_domain::invalid::Invalid;
use serde_json::value::RawValue;

use crate::{ApiError, Fields};

/// An event as it stands in a request, before anything of it is checked but its kind of JSON.
pub struct EventFields {
    event: String,
    data: Box<RawValue>,
    tags: Option<BTreeMap<String, String>>,
}

impl EventFields {
    /// Takes `event`, `data` and `tags`.
    ///
    /// # Errors
    /// 400 for the one that is missing, or something else.
    pub fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        Ok(Self {
            event: fields.require("event", "an event type such as `invoice.paid`")?,
            data: fields.raw("data").ok_or_else(|| Invalid::new("data", "a JSON object"))?,
            tags: fields.take_value("tags", "an object of strings")?,
        })
    }

    /// Its type, as [`event_type`] says.
    ///
    /// # Errors
    /// As there.
    pub fn event_type(&self, dialect: Option<DialectRef>) -> Result<EventType, ApiError> {
        event_type(&self.event, dialect)
    }

    /// Its type, which may be one of Postrider's own as well.
    ///
    /// # Errors
    /// 400 when it is none.
    pub fn any_type(&self) -> Result<EventType, ApiError> {
        Ok(dialect::read_type(&self.event)?)
    }

    /// What it says, letter for letter, and its tags.
    ///
    /// # Errors
    /// As [`event_data`]; 400 for a tag that is none.
    pub fn data_and_tags(self) -> Result<(String, BTreeMap<String, String>), ApiError> {
        let (data, tags) = (event_data(&self.data)?, self.tags.unwrap_or_default());
        check_tags(&tags)?;
        Ok((data, tags))
    }
}

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
