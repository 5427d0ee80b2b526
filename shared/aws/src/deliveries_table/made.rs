//! Which deliveries of an endpoint there are in a span of time: their ids, and who sent them again last.

use std::collections::HashMap;

use jiff::Timestamp;
use postrider_domain::id::{DeliveryId, EndpointId, RecoveryId};
use postrider_domain::time;

use super::DeliveriesTable;
use crate::error::{Failure, failed};
use crate::rows::id_in;

/// Rows that are read of a span. Those of the events of a page lie close together, and are hardly more than these.
const ROWS: i32 = 1_000;

/// What there is, and which recovery sent it again last.
pub type Made = HashMap<DeliveryId, Option<RecoveryId>>;

impl DeliveriesTable {
    /// Which deliveries of this endpoint there are of events between these times, both included, and of those which are named; rows that
    /// cannot be read are there, too. One query tells of as many as lie close together, at an eighth of the price of a look at each.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn made(
        &self,
        endpoint: &EndpointId,
        (oldest, newest): (Timestamp, Timestamp),
        named: &[DeliveryId],
    ) -> Result<Made, Failure> {
        let after = time::plus_millis(newest, 1);
        let bounds = (DeliveryId::lower_bound(oldest), DeliveryId::lower_bound(after));
        let query = self.range(endpoint, bounds, ROWS, None).projection_expression("id, recovered_by");
        let answer = query.send().await.map_err(failed("Query deliveries"))?;
        let is_all = answer.last_evaluated_key.is_none();
        let read = |item| Some((id_in(item, "id", "")?, id_in(item, "recovered_by", "")));
        let mut made: Made = answer.items.unwrap_or_default().iter().filter_map(read).collect();
        if !is_all {
            let left = named.iter().filter(|id| !made.contains_key(id)).cloned().collect();
            let rows = self.get_many(left).await?;
            made.extend(rows.into_iter().map(|row| (row.id, row.recovered_by)));
        }
        Ok(made)
    }
}
