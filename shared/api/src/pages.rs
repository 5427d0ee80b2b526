//! Pages that end early: an answer of Lambda's holds six megabytes, and its body stands in it as a text in quotes.

use std::fmt::Display;

use postrider_aws::Page;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Cursor, Pagination};

/// What the rows of a page may take of an answer, with a sixth left for all else.
const MAX_BYTES: usize = 5_000_000;

/// What all of an answer's body may take. What is left of the 6,291,556 bytes is for its headers.
const MAX_BODY_BYTES: usize = 6_290_000;

/// Whether a body fits an answer of Lambda's.
pub fn fits_an_answer(body: &impl Serialize) -> bool {
    serde_json::to_string(body).is_ok_and(|body| quoted_bytes(&body) <= MAX_BODY_BYTES)
}

/// A page of a list as it is shown.
#[derive(Debug)]
pub struct ShownPage {
    /// As many rows as an answer holds, and at least one.
    pub rows: Vec<Box<RawValue>>,
    /// After which id the next page begins, if there is one.
    pub next: Option<String>,
}

impl ShownPage {
    /// Shows a page's rows, save those of which `show` makes nothing. If they do not fit, it ends early, and the next page
    /// begins after the last that was shown.
    pub fn of<'a, T, Id: Display, S: Serialize>(
        found: &'a Page<T, Id>,
        id: impl Fn(&T) -> &Id,
        show: impl Fn(&'a T) -> Option<S>,
    ) -> Self {
        let (mut page, mut bytes) = (Vec::new(), 0);
        for (at, row) in found.rows.iter().enumerate() {
            let Some(shown) = show(row).and_then(|row| serde_json::value::to_raw_value(&row).ok()) else { continue };
            bytes += quoted_bytes(shown.get());
            if bytes > MAX_BYTES && !page.is_empty() {
                return Self { rows: page, next: Some(id(&found.rows[at - 1]).to_string()) };
            }
            page.push(shown);
        }
        Self { rows: page, next: found.next.as_ref().map(ToString::to_string) }
    }

    /// The `pagination` object.
    pub fn pagination(&self) -> Pagination {
        Cursor::pagination(self.next.as_deref())
    }
}

/// The bytes of a text as it stands in quotes.
fn quoted_bytes(json: &str) -> usize {
    json.len() + json.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rows: &[(&'static str, String)]) -> (usize, Option<String>) {
        let found = Page { rows: rows.to_vec(), next: Some("end") };
        let page = ShownPage::of(&found, |row| &row.0, |row| (row.0 != "b").then(|| row.1.clone()));
        (page.rows.len(), page.next)
    }

    #[test]
    fn a_body_fits_by_what_it_takes_in_quotes() {
        assert!(fits_an_answer(&"x".repeat(6_280_000)) && !fits_an_answer(&"x".repeat(6_292_000)));
        assert!(!fits_an_answer(&"\"".repeat(2_100_000)), "each takes four bytes");
    }

    #[test]
    fn a_page_ends_where_the_answer_is_full() {
        let rows = |text: &str| ["a", "b", "c", "d"].map(|place| (place, text.to_owned()));
        assert_eq!(page(&rows("x")), (3, Some("end".to_owned())), "one is not shown");
        assert_eq!(page(&rows(&"x".repeat(3_000_000))), (1, Some("b".to_owned())), "the next begins behind it");
        assert_eq!(page(&rows(&"x".repeat(2_000_000))), (2, Some("c".to_owned())));
        assert_eq!(page(&rows(&"x".repeat(7_000_000))), (1, Some("b".to_owned())), "one is shown whatever it takes");
        // A backslash is two bytes in a row and four in an answer's body.
        assert_eq!(page(&rows(&"\\".repeat(700_000))), (1, Some("b".to_owned())));
    }
}
