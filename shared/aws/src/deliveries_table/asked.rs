//! Rows of deliveries that somebody asks for by hand, where no fan-out has put one.

use postrider_domain::attempt::Mark;
use postrider_domain::delivery::Delivery;
use postrider_domain::time;

use super::{DeliveriesTable, due, undelivered};
use crate::Recorded;
use crate::conditional::{CHANGED_BY, is_by};
use crate::error::Failure;
use crate::item::{text, to_item};

impl DeliveriesTable {
    /// Puts such a row, among what is due, unless there is one: fan-out's, or that of another call. `mark` is this call's own. It is inserted, so
    /// that whoever may do this can put over nothing.
    ///
    /// # Errors
    /// When the put failed; it may have happened all the same, and the row is due then.
    pub async fn put_asked(&self, row: &Delivery, mark: &Mark) -> Result<Recorded, Failure> {
        let mut item = to_item(row)?;
        item.insert("undelivered_tenant".to_owned(), text(undelivered::list_of(row)));
        item.insert(CHANGED_BY.to_owned(), text(mark.as_str()));
        if let Some(at) = row.next_attempt_at {
            item.insert("due_at".to_owned(), text(time::wire(at)));
            item.insert("due_shard".to_owned(), text(due::shard_of(&row.id)));
        }
        let is_new = self.insert_items(vec![Ok(item)]).await.pop().unwrap_or(Ok(false))?;
        if is_new || self.get_item(&row.id).await?.is_some_and(|there| is_by(&there, mark)) {
            return Ok(Recorded::Yes);
        }
        Ok(Recorded::Overtaken)
    }
}
