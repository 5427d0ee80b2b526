//! Rows to and from domain values.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Failure, unwritable};

/// A row as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// A value as a row.
///
/// # Errors
/// When it cannot be one, which is a fault of ours.
pub fn to_item<T: Serialize>(value: &T) -> Result<Item, Failure> {
    serde_dynamo::to_item(value).map_err(unwritable("a row"))
}

/// A row as a value.
///
/// # Errors
/// When the row does not have the shape that its table promises.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, Failure> {
    serde_dynamo::from_item(item).map_err(|error| Failure::unreadable("a row", error))
}

/// A string attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A row's string attribute.
pub fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}
