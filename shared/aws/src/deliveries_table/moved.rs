//! Rows of attempts that a delivery's row has no room for. They lie in a partition of their own, the delivery's id, so that no
//! list of an endpoint's deliveries and no index ever sees them.
//!
//! Such a row is put once, before its attempts leave the delivery's row, and named by how many had moved until then: it is
//! the same whoever puts it, and whoever finds it there takes it for his own. The name begins with when the delivery's row was
//! put, since one that is made again after its time must not take an earlier one's attempts for its own.

use std::time::Duration;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::{Delivery, ROW_BYTES};
use postrider_domain::id::{DeliveryId, TenantId};
use postrider_domain::time;
use serde::{Deserialize, Serialize};

use super::{DeliveriesTable, row};
use crate::error::{Failure, failed};
use crate::item::{Item, from_item, text, to_item};
use crate::item_size::size_of_value;
use crate::put_once::{Put, put_once};
use crate::rows;

/// What making room may take of a write's time: the write itself is worth more.
const FOR_A_MOVE: Duration = Duration::from_secs(3);
/// Late attempts that leave a row in one write: each is named in its expression, which holds 4 KiB.
const MOST_LATE: usize = 100;

/// A row of moved attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Moved {
    /// Its partition.
    #[serde(rename = "endpoint_id")]
    delivery: DeliveryId,
    /// Its name.
    id: String,
    tenant_id: TenantId,
    attempts: Vec<Attempt>,
    /// As its delivery's row has it.
    expires_at: i64,
}

/// A row as it will be once its oldest attempts have left it.
pub(super) struct Roomy {
    pub(super) row: Delivery,
    /// The attributes of those that were late among them.
    pub(super) late: Vec<String>,
    has_moved: bool,
}

impl Roomy {
    fn as_it_is(row: &Delivery) -> Self {
        Self { row: row.clone(), late: Vec::new(), has_moved: false }
    }

    /// Whether any leaves it.
    pub(super) fn has_moved(&self) -> bool {
        self.has_moved
    }
}

impl DeliveriesTable {
    /// Puts the oldest attempts into rows of their own, as many as a row has no room for once there is a further one. Where that
    /// fails the row stays as it is, and grows: what is to be written to it is worth more, and the next write tries again.
    pub(super) async fn make_room(&self, row: &Delivery, further: Option<&Attempt>) -> Roomy {
        let mut roomy = Roomy::as_it_is(row);
        // A first attempt finds none that could move.
        if !row.attempts.is_empty() || !row.late.is_empty() {
            // Cut off, and not at a deadline of its own: a caller's first write may begin only with some seconds left.
            let moved = tokio::time::timeout(FOR_A_MOVE, self.move_oldest(&mut roomy, further)).await;
            if let Err(error) = moved.unwrap_or(Err(Failure::OutOfTime)) {
                tracing::warn!(delivery_id = row.id.as_str(), %error, "delivery.not_moved");
            }
        }
        roomy
    }

    async fn move_oldest(&self, roomy: &mut Roomy, further: Option<&Attempt>) -> Result<(), Failure> {
        let further = further.map_or(Ok(0), bytes_of)?;
        loop {
            let excess = (row::largest(&roomy.row)? + further).saturating_sub(ROW_BYTES);
            let moving = roomy.row.outgrown(excess, |attempt| bytes_of(attempt).unwrap_or_default());
            if moving.is_empty() || roomy.late.len() > MOST_LATE {
                return Ok(());
            }
            let moving = moving.into_iter().map(Attempt::without_headers).collect();
            let there = self.put_moved(&roomy.row, moving).await?;
            let in_turn = |attempt: &&Attempt| !roomy.row.attempts.iter().any(|one| one.is(attempt));
            let late: Vec<String> =
                there.iter().filter(in_turn).filter_map(|one| Some(row::late_name(one.mark.as_ref()?))).collect();
            roomy.row = roomy.row.without(&there);
            roomy.late.extend(late);
            roomy.has_moved = true;
        }
    }

    /// Puts these into a row of their own, unless there is one of that name; what lies there then.
    async fn put_moved(&self, row: &Delivery, attempts: Vec<Attempt>) -> Result<Vec<Attempt>, Failure> {
        let id = name_of(row, row.moved);
        let moved = Moved {
            delivery: row.id.clone(),
            id: id.clone(),
            tenant_id: row.tenant_id.clone(),
            attempts,
            expires_at: row.expires_at,
        };
        match put_once(&self.client, &self.name, "PutItem moved attempts", &moved).await? {
            Put::New => Ok(moved.attempts),
            Put::Existing(there) => Ok(there.attempts),
            Put::Unreadable => Err(Failure::unreadable("a row of moved attempts", id)),
        }
    }

    /// The delivery with those of its attempts that have moved. One that has none costs no call.
    ///
    /// # Errors
    /// When a read failed.
    pub async fn with_earlier(&self, row: Delivery) -> Result<Delivery, Failure> {
        if row.moved == 0 {
            return Ok(row);
        }
        let earlier = self.moved(&row, 0, row.moved).await?;
        if earlier.len() < row.moved as usize {
            // Rows go one by one when their time is over.
            let (moved, found) = (row.moved, earlier.len());
            tracing::warn!(delivery_id = row.id.as_str(), moved, found, "delivery.attempts_missing");
        }
        Ok(Delivery { earlier, ..row })
    }

    /// The delivery with its latest attempt, where that has moved and none in turn has been made since: it lies in the last of the rows
    /// of those that have moved, the oldest of which went first.
    ///
    /// # Errors
    /// When the read failed.
    pub(super) async fn with_latest(&self, row: Delivery) -> Result<Delivery, Failure> {
        if row.moved == 0 || !row.attempts.is_empty() {
            return Ok(row);
        }
        let query = self.query_of_moved(&row, 0, row.moved).scan_index_forward(false).limit(1);
        let found = query.send().await.map_err(failed("Query moved attempts"))?.items.unwrap_or_default();
        let earlier = rows::readable_by(found, from_item::<Moved>).into_iter().flat_map(|row| row.attempts).collect();
        Ok(Delivery { earlier, ..row })
    }

    /// Whether the attempt of this mark is on record in the row that stands there, or has left it since it was read.
    pub(super) async fn is_on_record(
        &self,
        read: &Delivery,
        since: u32,
        there: &Item,
        mark: &Mark,
    ) -> Result<bool, Failure> {
        if row::has_mark(there, mark) {
            return Ok(true);
        }
        let moved = self.moved(read, since, row::moved_in(there)).await?;
        Ok(moved.iter().any(|attempt| attempt.mark.as_ref() == Some(mark)))
    }

    /// Removes what receivers answered from all rows of moved attempts, those too that no record has counted. Else they stay as they are, so that
    /// whoever finds one there takes it for his own.
    ///
    /// # Errors
    /// When a call failed; repeating it is harmless.
    pub(super) async fn expunge_moved(&self, row: &Delivery) -> Result<(), Failure> {
        if row.attempts_on_record() == 0 {
            return Ok(());
        }
        // As many as their names can count.
        for moved in self.moved_rows(row, 0, 1_000_000).await? {
            let attempts: Vec<Attempt> = moved.attempts.iter().cloned().map(Attempt::without_answer).collect();
            if attempts != moved.attempts {
                let put = self.client.put_item().table_name(&self.name);
                let put = put.set_item(Some(to_item(&Moved { attempts, ..moved })?));
                put.send().await.map_err(failed("PutItem moved attempts"))?;
            }
        }
        Ok(())
    }

    /// A query of the rows of what moved while the number of those rose from `from` to `to`, which is more.
    fn query_of_moved(&self, row: &Delivery, from: u32, to: u32) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .key_condition_expression("endpoint_id = :delivery AND id BETWEEN :from AND :to")
            .expression_attribute_values(":delivery", text(row.id.as_str()))
            .expression_attribute_values(":from", text(name_of(row, from)))
            .expression_attribute_values(":to", text(name_of(row, to - 1)))
            .consistent_read(true)
    }

    /// The attempts that moved while the number of those rose from `from` to `to`.
    async fn moved(&self, row: &Delivery, from: u32, to: u32) -> Result<Vec<Attempt>, Failure> {
        let rows = self.moved_rows(row, from, to).await?;
        Ok(rows.into_iter().flat_map(|row| row.attempts).collect())
    }

    async fn moved_rows(&self, row: &Delivery, from: u32, to: u32) -> Result<Vec<Moved>, Failure> {
        if from >= to {
            return Ok(Vec::new());
        }
        let query = self.query_of_moved(row, from, to);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = query.clone().set_exclusive_start_key(after).send().await;
            let page = page.map_err(failed("Query moved attempts"))?;
            found.extend(rows::readable_by(page.items.unwrap_or_default(), from_item::<Moved>));
            after = page.last_evaluated_key;
            if after.is_none() {
                return Ok(found);
            }
        }
    }
}

/// The name of the row for what moves after so many have.
fn name_of(row: &Delivery, moved: u32) -> String {
    format!("{}#{moved:06}", row.put_at.map(time::wire).unwrap_or_default())
}

/// What an attempt takes in a row, with the name of a late one's attribute, which is longer than a list's member.
fn bytes_of(attempt: &Attempt) -> Result<usize, Failure> {
    Ok(size_of_value(&AttributeValue::M(to_item(attempt)?)) + row::LATE_NAME_BYTES)
}

#[cfg(test)]
mod tests;
