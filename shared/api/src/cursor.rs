//! Paging: `limit` and `cursor`. A cursor holds a place within a partition that the path and the key choose, so that a
//! forged one leads nowhere else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use postrider_domain::invalid::Invalid;
use schemars::JsonSchema;
use serde::Serialize;

use crate::document::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::{ApiError, Request};

/// A place in a list, as an opaque text.
pub struct Cursor;

impl Cursor {
    /// The text for a place.
    pub fn write(place: &str) -> String {
        BASE64.encode(place)
    }

    /// The place of a text.
    ///
    /// # Errors
    /// 400 when it is none of ours.
    pub fn read<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
        let place = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = place.and_then(|place| place.parse().ok());
        place.ok_or_else(Self::of_another_list)
    }

    fn of_another_list() -> ApiError {
        Invalid::new("cursor", "a `next_cursor` of this list").into()
    }
}

/// How much of a list is asked for.
#[derive(Debug)]
pub struct Paging<T> {
    /// Rows at the most.
    pub limit: i32,
    /// After which one.
    pub after: Option<T>,
}

impl<T: std::str::FromStr> Paging<T> {
    /// Reads `limit` (1 to 200, 50 where it says nothing) and `cursor`.
    ///
    /// # Errors
    /// 400 for anything else.
    pub fn of(request: &Request) -> Result<Self, ApiError> {
        let limit = match request.query("limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse() {
                Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
                _ => return Err(Invalid::new("limit", format!("a whole number, 1 to {MAX_LIMIT}")).into()),
            },
        };
        Ok(Self { limit, after: request.query("cursor")?.map(Cursor::read).transpose()? })
    }

    /// The same, where the list has only places that it `holds`: DynamoDB takes no beginning outside of what a query asks for.
    ///
    /// # Errors
    /// 400 for another place.
    pub fn within(self, holds: impl Fn(&T) -> bool) -> Result<Self, ApiError> {
        if self.after.as_ref().is_none_or(holds) { Ok(self) } else { Err(Cursor::of_another_list()) }
    }
}

impl Cursor {
    /// The `pagination` object: whether more follows, and from where.
    pub fn pagination(next: Option<&str>) -> Pagination {
        Pagination { has_more: next.is_some(), next_cursor: next.map(Self::write) }
    }
}

/// Whether more of a list follows, and from where.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Pagination {
    /// Whether more follows. A page may be short, or empty, while this is true.
    #[schemars(example = true)]
    has_more: bool,
    /// Where the next page begins: the `cursor` of the next call. Null where nothing follows.
    #[schemars(example = &"d2hfMFVqM3hLcThaazFZdzlYcw")]
    next_cursor: Option<String>,
}
