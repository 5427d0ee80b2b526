//! API keys: 256 random bits, kept as their SHA-256 and shown once.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use postrider_domain::dialect::DialectRef;
use postrider_domain::id::{KeyId, TenantId};
use postrider_domain::key::ApiKey;
use postrider_host::deadline;

use super::calls::{AnsweredCall, Made};
use super::{ConfigTable, keyed, tenant_partition};
use crate::Page;
use crate::conditional::{has_id, transact, transact_in_a_crowd};
use crate::error::{Failure, failed, unwritable};
use crate::item::{Item, text, text_of, to_item};
use crate::rows::readable;

const CALL: &str = "TransactWriteItems key";
const PROVIDER: &str = "PROVIDER";
const KEY_SORT: &str = "KEY";
const LIST_PREFIX: &str = "KEY#";

fn list_partition(tenant: Option<&TenantId>) -> String {
    tenant.map_or_else(|| PROVIDER.to_owned(), tenant_partition)
}

/// Where a key is found, and where it is listed.
fn places(tenant: Option<&TenantId>, id: &KeyId, hash: &str) -> [(String, String); 2] {
    [(format!("KEY#{hash}"), KEY_SORT.to_owned()), (list_partition(tenant), format!("{LIST_PREFIX}{id}"))]
}

impl ConfigTable {
    /// Puts a new key where it is found and where it is listed, and the call that makes it, if that is to be remembered: all or nothing.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn create_key(&self, key: &ApiKey, call: Option<&AnsweredCall>) -> Result<Made, Failure> {
        let mut writes = Vec::new();
        for (pk, sk) in places(key.tenant_id.as_ref(), &key.id, &key.hash) {
            let put = Put::builder()
                .table_name(&self.name)
                .set_item(Some(keyed(to_item(key)?, pk, sk)))
                .condition_expression("attribute_not_exists(pk)")
                .build()
                .map_err(unwritable("an API key's rows"))?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        writes.extend(call.map(|call| self.remembering_call(call)).transpose()?);
        // Its id and its hash are random: whoever has them is this key. Many may come at once with one call.
        let is_ours = |there: &Item| has_id(there, key.id.as_str());
        let created = transact_in_a_crowd(&self.client, CALL, writes, is_ours);
        Made::of(deadline::to_be_shown(created).await?, call, "a key")
    }

    /// Makes the operator's key known by its hash, with no scope at all: other routes can then tell it from an unknown key
    /// without being able to read it.
    ///
    /// # Errors
    /// When the write failed.
    pub async fn note_admin_key(&self, key: &ApiKey) -> Result<(), Failure> {
        let [(pk, sk), _] = places(key.tenant_id.as_ref(), &key.id, &key.hash);
        let item = keyed(to_item(key)?, pk, sk);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item)).send().await;
        put.map_err(failed("PutItem admin key"))?;
        Ok(())
    }

    /// The key that was sent, if it is one.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn key(&self, hash: &str) -> Result<Option<ApiKey>, Failure> {
        self.get(format!("KEY#{hash}"), KEY_SORT).await
    }

    /// A page of a tenant's keys, or with `None` of the provider's, the oldest first: without a limit as many as one read
    /// brings, which are some thousand.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn keys(
        &self,
        tenant: Option<&TenantId>,
        limit: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<ApiKey, KeyId>, Failure> {
        let page = self.page::<KeyId>(list_partition(tenant), LIST_PREFIX, limit, after).await?;
        Ok(Page { rows: readable(page.rows), next: page.next })
    }

    /// The dialect of a tenant's newest key that registers webhooks, of the newest that one read brings.
    ///
    /// # Errors
    /// When the read failed.
    pub async fn newest_dialect(&self, tenant: &TenantId) -> Result<Option<DialectRef>, Failure> {
        let query = self.query(tenant_partition(tenant), LIST_PREFIX).scan_index_forward(false);
        let items = query.send().await.map_err(failed("Query config"))?.items.unwrap_or_default();
        let dialects = readable::<ApiKey>(items).into_iter().filter_map(|key| key.dialect);
        Ok(dialects.into_iter().find(|dialect| dialect.registers))
    }

    /// Revokes a key; whether there was one. Where it is found stands in its row, of which nothing else has to be readable.
    ///
    /// # Errors
    /// When the write failed; repeating it is harmless.
    pub async fn delete_key(&self, tenant: Option<&TenantId>, id: &KeyId) -> Result<bool, Failure> {
        let found = self.get_item(list_partition(tenant), &format!("{LIST_PREFIX}{id}")).await?;
        let Some(item) = found else { return Ok(false) };
        // To say that it is revoked while it goes on working would be worse than to fail.
        let hash = text_of(&item, "hash").ok_or_else(|| Failure::unreadable("an API key", "its row has no hash"))?;
        let mut writes = Vec::new();
        for (pk, sk) in places(tenant, id, hash) {
            let place: Item = [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into();
            let delete = Delete::builder()
                .table_name(&self.name)
                .set_key(Some(place))
                .build()
                .map_err(unwritable("an API key's rows"))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        // Under no condition, so nothing refuses it.
        transact(&self.client, CALL, writes, |_| true).await?;
        Ok(true)
    }
}
