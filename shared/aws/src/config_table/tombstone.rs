//! Endpoints' rows, and what is left of one that was deleted: whoever asks for it must hear so for as long as its deliveries
//! are kept, also when its dialect is no more, or anything else in its row cannot be read.

use jiff::Timestamp;
use postrider_domain::attempt::FIRST_URL_VERSION;
use postrider_domain::dialect::{self, DialectRef};
use postrider_domain::endpoint::{Endpoint, EndpointStatus};
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::time;

use super::{ENDPOINT_PREFIX, tenant_in};
use crate::error::Failure;
use crate::item::{Item, from_item, text_of};
use crate::rows::id_in;

/// What stands in a tombstone whose row gave no URL.
const NO_URL: &str = "https://deleted.invalid/";
/// That a row is a tombstone's.
const DELETED: &str = "deleted_at";

/// Whether an endpoint's row says that it was deleted, readable or not.
pub(super) fn is_deleted(row: &Item) -> bool {
    row.contains_key(DELETED)
}

/// The endpoint in a row. Of a tombstone nothing has to be readable but where it lies.
///
/// # Errors
/// When the row is none.
pub(crate) fn read_endpoint(row: Item) -> Result<Endpoint, Failure> {
    if !is_deleted(&row) {
        return from_item(row);
    }
    from_item(row.clone()).or_else(|error| left_of(&row).ok_or(error))
}

/// A tombstone in the row's own words, where they are any.
fn left_of(row: &Item) -> Option<Endpoint> {
    let (tenant, id) = (tenant_in(row)?, id_in(row, "sk", ENDPOINT_PREFIX)?);
    let deleted_at = text_of(row, DELETED).and_then(|at| time::parse(DELETED, at).ok());
    let expires_at = row.get("expires_at").and_then(|at| at.as_n().ok()?.parse().ok());
    Some(Endpoint { expires_at, ..tombstone(&tenant, &id, row, deleted_at.unwrap_or(Timestamp::UNIX_EPOCH)) })
}

/// What is left of a row's endpoint once it is deleted, in a form that everybody can read.
pub(super) fn tombstone(tenant: &TenantId, id: &EndpointId, row: &Item, deleted_at: Timestamp) -> Endpoint {
    let created_at = text_of(row, "created_at").and_then(|at| time::parse("created_at", at).ok());
    let url_version = row.get("url_version").and_then(|version| version.as_n().ok()?.parse().ok());
    let url = text_of(row, "url").unwrap_or(NO_URL).to_owned();
    let created_at = created_at.unwrap_or(deleted_at);
    let dialect = DialectRef(&dialect::STANDARD);
    Endpoint {
        url_version: url_version.unwrap_or(FIRST_URL_VERSION),
        status: EndpointStatus::Disabled,
        deleted_at: Some(deleted_at),
        ..Endpoint::bare(id.clone(), tenant.clone(), url, dialect, created_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{number, text};

    const WEBHOOK: &str = "wh_0000000000000001";

    fn row(others: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        let keys = [("pk", text("TENANT#ten_0000000000000001")), ("sk", text(format!("{ENDPOINT_PREFIX}{WEBHOOK}")))];
        keys.iter().chain(others).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_tombstone_can_be_read_whatever_is_left_in_it() {
        let at = "2026-01-15T14:00:00.000Z";
        for (deleted, dialect) in [(text(at), text("klingon")), (text(at), number(7)), (number(7), text("standard"))] {
            let found = read_endpoint(row(&[
                (DELETED, deleted),
                ("dialect", dialect),
                ("url", text("https://hooks.example/")),
                ("url_version", number(3)),
                ("expires_at", number(9)),
            ]))
            .unwrap();
            assert!(found.deleted_at.is_some());
            assert_eq!((found.id.as_str(), found.url.as_str()), (WEBHOOK, "https://hooks.example/"));
            assert_eq!((found.url_version, found.expires_at), (3, Some(9)));
        }
        assert_eq!(read_endpoint(row(&[(DELETED, text(at))])).unwrap().url, NO_URL);
    }

    #[test]
    fn what_was_not_deleted_has_to_be_readable() {
        let error = read_endpoint(row(&[("dialect", text("klingon"))])).unwrap_err();
        assert!(error.is_unreadable());
        let nobodys: Item = [("sk".to_owned(), text("WEBHOOK#")), (DELETED.to_owned(), text("x"))].into();
        assert!(read_endpoint(nobodys).is_err());
    }
}
