//! Tenants' rows, and what is left of one that was deleted: whoever has something on its way to it must find that it is gone, and not
//! lost, whatever else of the row can be read.

use jiff::Timestamp;
use postrider_domain::external_id::ExternalId;
use postrider_domain::tenant::{Plan, Tenant, TenantStatus};
use postrider_domain::time;

use super::tenant_in;
use crate::error::Failure;
use crate::item::{Item, from_item, text_of};

/// That a row is of a tenant that is being deleted, or was.
pub(super) const DELETING: &str = "deleting_since";
/// That its deletion has ended.
pub(super) const ERASED: &str = "erased_at";

/// What a tenant is called whose row says no name.
const NAMELESS: &str = "deleted";

/// Whether a row is of a tenant that is being deleted, or was, readable or not.
pub(super) fn is_deleting(row: &Item) -> bool {
    row.contains_key(DELETING)
}

/// An instant that a row names, if it does.
pub(super) fn instant(row: &Item, name: &'static str) -> Option<Timestamp> {
    text_of(row, name).and_then(|at| time::parse(name, at).ok())
}

/// The tenant in a row. Of one that is being deleted nothing has to be readable but where it lies.
///
/// # Errors
/// When the row is none.
pub(crate) fn read_tenant(row: Item) -> Result<Tenant, Failure> {
    if !is_deleting(&row) {
        return from_item(row);
    }
    let read: Result<Tenant, Failure> = from_item(row.clone());
    let tenant = read.or_else(|error| left_of(&row).ok_or(error))?;
    // Whatever a version that knew of no deletions has made of it.
    Ok(Tenant { status: TenantStatus::Deleting, ..tenant })
}

/// A tombstone in the row's own words, where they are any.
fn left_of(row: &Item) -> Option<Tenant> {
    let (id, since) = (tenant_in(row)?, instant(row, DELETING).unwrap_or(Timestamp::UNIX_EPOCH));
    let bare = Tenant::bare(id, NAMELESS.to_owned(), Plan::Free, since);
    Some(Tenant { deleting_since: Some(since), erased_at: row.contains_key(ERASED).then_some(since), ..bare })
}

/// The provider's own id of a tenant, if its row says one.
pub(super) fn external_id_in(row: &Item) -> Option<ExternalId> {
    text_of(row, "external_id")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{number, text, to_item};

    fn row(others: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) -> Item {
        let keys = [("pk", text("TENANT#ten_0000000000000001")), ("sk", text("TENANT"))];
        keys.iter().chain(others).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_tenant_that_is_deleted_is_so_whatever_is_left_of_its_row() {
        let since = text("2026-01-15T14:00:00.000Z");
        for (deleting, others, is_erased) in [
            (since.clone(), vec![], false),
            (since.clone(), vec![(ERASED, since.clone())], true),
            (since, vec![("status", text("active")), ("name", number(7))], false),
            (number(7), vec![("status", text("deleting"))], false),
        ] {
            let read = read_tenant(row(&[vec![(DELETING, deleting)], others].concat())).unwrap();
            assert_eq!((read.status, read.id.as_str()), (TenantStatus::Deleting, "ten_0000000000000001"));
            assert_eq!((read.deleting_since.is_some(), read.erased_at.is_some()), (true, is_erased));
        }
    }

    #[test]
    fn one_that_lives_has_to_be_readable() {
        assert!(read_tenant(row(&[("name", text("a"))])).unwrap_err().is_unreadable());
        let nobodys: Item = [(DELETING.to_owned(), text("x"))].into();
        assert!(read_tenant(nobodys).is_err());
    }

    #[test]
    fn an_older_version_brings_nobody_back_to_life() {
        let tenant =
            Tenant::bare("ten_0000000000000001".parse().unwrap(), "Acme".to_owned(), Plan::Pro, Timestamp::UNIX_EPOCH);
        let mut there = to_item(&tenant).unwrap();
        there.insert(DELETING.to_owned(), text("2026-01-15T14:00:00.000Z"));
        let read = read_tenant(there).unwrap();
        assert_eq!((read.status, read.name.as_str()), (TenantStatus::Deleting, "Acme"));
    }
}
