//! A delivery's row, whose late attempts have an attribute each: whoever writes one needs to know nothing of the others.

use aws_sdk_dynamodb::types::AttributeValue;
use postrider_domain::attempt::{Attempt, Mark};
use postrider_domain::delivery::Delivery;

use super::undelivered;
use crate::error::Failure;
use crate::item::{Item, from_item, text, text_of, to_item};
use crate::item_size::{size_of, size_of_value};

/// What the name of a late attempt's attribute begins with, before its mark.
const LATE: &str = "late_";
/// How long such a name is.
pub(super) const LATE_NAME_BYTES: usize = 13;
/// Whose changes a row had last: of three marks, each with its name.
const MARKS_BYTES: usize = 67;

/// The attribute of a late attempt.
pub(super) fn late_name(mark: &Mark) -> String {
    format!("{LATE}{}", mark.as_str())
}

/// The delivery in a row.
///
/// # Errors
/// When the row is none. A late attempt that cannot be read is left out: it decides nothing.
pub(crate) fn read(mut item: Item) -> Result<Delivery, Failure> {
    let names: Vec<String> = item.keys().filter(|name| name.starts_with(LATE)).cloned().collect();
    let late: Vec<AttributeValue> = names.iter().filter_map(|name| item.remove(name)).collect();
    let mut row: Delivery = from_item(item)?;
    row.late = late.into_iter().filter_map(|attempt| attempt_of(attempt, &row)).collect();
    Ok(row)
}

fn attempt_of(value: AttributeValue, row: &Delivery) -> Option<Attempt> {
    let read = serde_dynamo::from_attribute_value(value);
    read.inspect_err(|error| tracing::error!(delivery_id = %row.id, %error, "ledger.unreadable_attempt")).ok()
}

/// How many attempts have left a row.
pub(super) fn moved_in(there: &Item) -> u32 {
    let moved = there.get("moved").and_then(|moved| moved.as_n().ok());
    moved.and_then(|moved| moved.parse().ok()).unwrap_or_default()
}

/// The bytes of a row at its largest, which is while an attempt is due: with its places in the indexes of what is due and of what is undelivered.
///
/// # Errors
/// When it cannot be a row.
pub(super) fn largest(row: &Delivery) -> Result<usize, Failure> {
    let mut item = to_item(row)?;
    let a_time = || text("2026-01-15T12:00:00.000Z");
    item.insert("next_attempt_at".to_owned(), a_time());
    item.insert("due_at".to_owned(), a_time());
    item.insert("due_shard".to_owned(), text("00"));
    item.insert("undelivered_tenant".to_owned(), text(undelivered::list_of(row)));
    item.insert("moved".to_owned(), AttributeValue::N("100".to_owned()));
    let mut late = 0;
    for attempt in &row.late {
        late += LATE_NAME_BYTES + size_of_value(&AttributeValue::M(to_item(attempt)?));
    }
    let marks = if row.round > 1 { MARKS_BYTES } else { 0 };
    Ok(size_of(&item) + late + marks)
}

/// Whether the attempt of this mark is on record in a row, in its turn or late.
pub(super) fn has_mark(there: &Item, mark: &Mark) -> bool {
    let marked =
        |attempt: &AttributeValue| attempt.as_m().is_ok_and(|attempt| text_of(attempt, "mark") == Some(mark.as_str()));
    let in_turn = there.get("attempts").and_then(|attempts| attempts.as_l().ok());
    there.contains_key(&late_name(mark)) || in_turn.is_some_and(|attempts| attempts.iter().any(marked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::to_item;
    use crate::sample;
    use jiff::Timestamp;
    use postrider_domain::id::EndpointId;

    fn row() -> Delivery {
        let at = Timestamp::UNIX_EPOCH;
        Delivery::pending(&sample::event(), EndpointId::new(at, 2), at, 0)
    }

    fn attempt(mark: u64) -> Attempt {
        Attempt::internal(1, Mark::new(mark), Timestamp::UNIX_EPOCH, "why")
    }

    fn item() -> Item {
        let mut item = to_item(&Delivery { attempts: vec![attempt(1)], ..row() }).unwrap();
        item.insert(late_name(&Mark::new(2)), AttributeValue::M(to_item(&attempt(2)).unwrap()));
        item.insert("late_wrong".to_owned(), AttributeValue::Bool(true));
        item.insert("due_shard".to_owned(), AttributeValue::S("03".to_owned()));
        item
    }

    #[test]
    fn late_attempts_are_read_beside_the_others_and_a_bad_one_hides_none() {
        let read = read(item()).unwrap();
        assert_eq!((read.attempts, read.late), (vec![attempt(1)], vec![attempt(2)]));
    }

    #[test]
    fn a_mark_is_found_wherever_its_attempt_lies() {
        assert!(has_mark(&item(), &Mark::new(1)) && has_mark(&item(), &Mark::new(2)));
        assert!(!has_mark(&item(), &Mark::new(3)));
    }
}
