//! DynamoDB's own measure of a row: what it bills a write by, and bounds a row by.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::Item;

/// Bytes of a row: its names and its values.
pub(crate) fn size_of(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + size_of_value(value)).sum()
}

/// Bytes of a value. A list or a map takes three of its own, and one for each member.
pub(crate) fn size_of_value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => size_of_number(number),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(members) => 3 + members.iter().map(|member| 1 + size_of_value(member)).sum::<usize>(),
        AttributeValue::M(members) => {
            3 + members.iter().map(|(name, member)| 1 + name.len() + size_of_value(member)).sum::<usize>()
        }
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| size_of_number(number)).sum(),
        AttributeValue::Bs(many) => many.iter().map(|bytes| bytes.as_ref().len()).sum(),
        // A truth value, or null.
        _ => 1,
    }
}

/// Two digits a byte, and one more; zeros at either end take nothing.
fn size_of_number(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len().div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn size(row: Value) -> usize {
        size_of(&serde_dynamo::to_item(row).unwrap())
    }

    /// The same as the bench's own measure has them, in `tests/bench/test_units.py`.
    #[test]
    fn a_row_is_its_names_and_its_values() {
        assert_eq!(size(json!({"id": "evt_1"})), 7);
        assert_eq!(size(json!({"a": "é"})), 3, "bytes, not characters");
        assert_eq!(
            [0, 7, 42, 1500, -1500].map(|n| size(json!({"n": n}))),
            [2, 3, 3, 3, 4].map(|n| n + usize::from(n == 9))
        );
        assert_eq!(size(json!({"is": true, "no": null})), 6);
        assert_eq!(size(json!({"l": [], "m": {}})), 8);
        assert_eq!(size(json!({"l": ["ab", {"c": "d"}]})), 1 + 3 + (1 + 2) + (1 + 3 + 1 + 1 + 1));
    }
}
