//! Links to the portal and the sessions that come of them: a row by the hash of what the visitor sends, and a place in the tenant's
//! list, which says where that is and goes with it.

use aws_sdk_dynamodb::types::{Delete, Put, Select, TransactWriteItem, Update};
use jiff::Timestamp;
use postrider_domain::id::{SessionId, TenantId};
use postrider_domain::portal::{Link, Session};
use serde::Serialize;

use super::tenants::LIVES;
use super::{ConfigTable, TENANT_SORT, at, keyed, tenant_partition};
use crate::conditional::{self, ROUNDS_IN_A_CROWD, Recorded, transact, transact_or_refusals};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, from_item, number, text, text_of, to_item};

const CALL: &str = "TransactWriteItems session";
/// In a tenant's own partition.
pub(super) const LIST_PREFIX: &str = "SESSION#";
const LINK_SORT: &str = "LINK";
const SESSION_SORT: &str = "SESSION";
/// When the session of a link ends, which DynamoDB takes away earlier than that: when nobody may use it any more.
const ENDS_AT: &str = "ends_at";
/// Rows of a tenant's list that are read to count what is open. Beside those there are links that nobody used, and sessions of earlier epochs,
/// until DynamoDB has taken them away.
const MOST_READ: u64 = 5_000;
/// How often an end is tried that the session's own beginning overtakes: it begins once.
const TRIES: usize = 3;

/// A session's place in its tenant's list.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a SessionId,
    tenant_id: &'a TenantId,
    /// Of the link's token, and once that is used up of the session's text.
    hash: &'a str,
    is_used: bool,
    epoch: u64,
    usable_until: i64,
    expires_at: i64,
    ends_at: i64,
}

/// What a tenant's list has of sessions, and of links that may still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// So many.
    So(u64),
    /// At least the number that was asked for; or the list is too long to be looked through.
    TooMany,
}

fn link_place(hash: &str) -> Item {
    keyed(Item::new(), format!("PORTAL#{hash}"), LINK_SORT.to_owned())
}

fn session_place(hash: &str) -> Item {
    keyed(Item::new(), format!("SESSION#{hash}"), SESSION_SORT.to_owned())
}

/// Where the row is that a place in a tenant's list tells of.
pub(super) fn place_of(listed: &Item) -> Option<Item> {
    let hash = text_of(listed, "hash")?;
    let is_used = listed.get("is_used").and_then(|used| used.as_bool().ok()).copied().unwrap_or_default();
    Some(if is_used { session_place(hash) } else { link_place(hash) })
}

fn listed_place(tenant: &TenantId, id: &SessionId) -> Item {
    at(tenant, format!("{LIST_PREFIX}{id}"))
}

impl ConfigTable {
    /// Puts a link where its token finds it, and its session into the tenant's list: both or neither.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_link(&self, link: &Link, hash: &str) -> Result<(), Failure> {
        let Session { id, tenant_id, epoch, expires_at, .. } = &link.session;
        let listed = Listed {
            id,
            tenant_id,
            hash,
            is_used: false,
            epoch: *epoch,
            usable_until: link.usable_until,
            expires_at: link.usable_until,
            ends_at: *expires_at,
        };
        let mut row = to_item(link)?;
        row.extend(link_place(hash));
        row.insert(ENDS_AT.to_owned(), number(expires_at));
        row.insert("expires_at".to_owned(), number(link.usable_until));
        let mut place = to_item(&listed)?;
        place.extend(listed_place(tenant_id, id));
        let writes = [row, place].map(|item| self.putting(item));
        let writes = writes.into_iter().collect::<Result<Vec<_>, Failure>>()?;
        // The hash is of something random: whoever has it is this link.
        let is_ours = |there: &Item| text_of(there, "hash") == Some(hash);
        match transact(&self.client, CALL, writes, is_ours).await? {
            Recorded::Yes => Ok(()),
            Recorded::Overtaken => Err(Failure::Taken("a link")),
        }
    }

    fn putting(&self, item: Item) -> Result<TransactWriteItem, Failure> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(unwritable("a session's rows"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The link of a token, unless it was used up.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn link(&self, hash: &str) -> Result<Option<Link>, Failure> {
        let Some(mut row) = self.get_item(format!("PORTAL#{hash}"), LINK_SORT).await? else { return Ok(None) };
        // For whoever reads it, a session expires when it ends.
        if let Some(ends_at) = row.remove(ENDS_AT) {
            row.insert("expires_at".to_owned(), ends_at);
        }
        from_item(row).map(Some)
    }

    /// The session of a text, if there is one; its time may be over, and its tenant may have ended it.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn session(&self, hash: &str) -> Result<Option<Session>, Failure> {
        self.get(format!("SESSION#{hash}"), SESSION_SORT).await
    }

    /// Uses a link up: its row goes, and the session's is there in its place, or nothing of it. Of several at once one does it. `hashes` are
    /// those of the link's token and of the session's text.
    ///
    /// # Errors
    /// When the write failed. It may have been made all the same: then nobody has the session, and it ends by itself.
    pub async fn use_link_up(
        &self,
        session: &Session,
        (of_link, of_session): (&str, &str),
        now: Timestamp,
    ) -> Result<Recorded, Failure> {
        let bad = || unwritable("a session's rows");
        let listed = Update::builder()
            .table_name(&self.name)
            .set_key(Some(listed_place(&session.tenant_id, &session.id)))
            .update_expression("SET #hash = :session, is_used = :yes, expires_at = :ends REMOVE ends_at")
            .condition_expression("#hash = :link")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":session", text(of_session))
            .expression_attribute_values(":link", text(of_link))
            .expression_attribute_values(":ends", number(session.expires_at))
            .expression_attribute_values(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .build()
            .map_err(bad())?;
        let link = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(link_place(of_link)))
            .condition_expression("usable_until > :now")
            .expression_attribute_values(":now", number(now.as_second()))
            .build()
            .map_err(bad())?;
        let mut row = to_item(session)?;
        row.extend(session_place(of_session));
        let writes = vec![
            TransactWriteItem::builder().update(listed).build(),
            TransactWriteItem::builder().delete(link).build(),
            self.putting(row)?,
        ];
        let is_ours = |there: &Item| text_of(there, "hash") == Some(of_session);
        match transact_or_refusals(&self.client, CALL, writes, ROUNDS_IN_A_CROWD).await? {
            Err(refusals) if !refusals.is_any(is_ours) => Ok(Recorded::Overtaken),
            Ok(()) | Err(_) => Ok(Recorded::Yes),
        }
    }

    /// How many sessions of this epoch a tenant has, and links to it that may still be used, as far as those are fewer than `most`: those that
    /// had ended by `now` are not even read. It is what a replica knows, so that several at once may all find room for one more.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn open_sessions(
        &self,
        tenant: &TenantId,
        epoch: u64,
        now: Timestamp,
        most: u64,
    ) -> Result<Open, Failure> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .filter_expression("epoch = :epoch AND (is_used = :yes OR usable_until > :now)")
            .expression_attribute_values(":pk", text(tenant_partition(tenant)))
            .expression_attribute_values(":first", text(format!("{LIST_PREFIX}{}", SessionId::lower_bound(now))))
            // Behind every letter and digit.
            .expression_attribute_values(":last", text(format!("{LIST_PREFIX}{}~", SessionId::PREFIX)))
            .expression_attribute_values(":epoch", number(epoch))
            .expression_attribute_values(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .expression_attribute_values(":now", number(now.as_second()))
            .select(Select::Count)
            .into_paginator()
            .send();
        let (mut found, mut read) = (0, 0);
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed("Query config"))?;
            found += u64::try_from(page.count).unwrap_or_default();
            read += u64::try_from(page.scanned_count).unwrap_or_default();
            if found >= most || read >= MOST_READ {
                return Ok(Open::TooMany);
            }
        }
        Ok(Open::So(found))
    }

    /// Ends a session, or the link to it that nobody has used; whether there was one.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn end_session(&self, tenant: &TenantId, id: &SessionId) -> Result<bool, Failure> {
        let sort = format!("{LIST_PREFIX}{id}");
        for tried in 0..TRIES {
            let Some(listed) = self.get_item(tenant_partition(tenant), &sort).await? else {
                // Where it was there a moment ago, it has been ended since, by us or by somebody else.
                return Ok(tried > 0);
            };
            let hash = text_of(&listed, "hash").unwrap_or_default();
            let place = Delete::builder()
                .table_name(&self.name)
                .set_key(Some(listed_place(tenant, id)))
                // Or it has begun meanwhile, and goes on elsewhere.
                .condition_expression("#hash = :hash")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":hash", text(hash));
            let row = place_of(&listed).map(|place| Delete::builder().table_name(&self.name).set_key(Some(place)));
            let writes = [Some(place), row].into_iter().flatten().map(|delete| {
                let delete = delete.build().map_err(unwritable("a session's rows"))?;
                Ok(TransactWriteItem::builder().delete(delete).build())
            });
            let writes = writes.collect::<Result<Vec<_>, Failure>>()?;
            if transact(&self.client, CALL, writes, |_| false).await? == Recorded::Yes {
                return Ok(true);
            }
        }
        Err(Failure::Overtaken("the end of a session"))
    }

    /// Ends all sessions of a tenant, and all links to them: those of its epoch until now. Whether there is such a tenant.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn end_sessions(&self, tenant: &TenantId) -> Result<bool, Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text(tenant_partition(tenant)))
            .key("sk", text(TENANT_SORT))
            .update_expression("ADD portal_epoch :one")
            .condition_expression(LIVES)
            .expression_attribute_values(":one", number(1));
        Ok(conditional::try_update("UpdateItem tenant", update).await?.is_ok())
    }
}
