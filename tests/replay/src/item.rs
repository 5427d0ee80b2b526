//! Rows with DynamoDB's types in them, and without: tests write and read plain JSON, in which a set of strings is written as
//! `{"SS": […]}` and read as a list.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A row as DynamoDB sends it.
pub fn item(row: &impl Serialize) -> Value {
    match plain_of(row) {
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, typed(value))).collect(),
        other => panic!("no row: {other}"),
    }
}

/// A row of the config table, under its keys.
pub fn keyed(pk: impl Into<String>, sk: impl Into<String>, row: &impl Serialize) -> Value {
    let mut row = plain_of(row);
    row["pk"] = Value::String(pk.into());
    row["sk"] = Value::String(sk.into());
    row
}

pub(crate) fn plain_of(row: &impl Serialize) -> Value {
    serde_json::to_value(row).expect("a row is JSON")
}

fn typed(value: Value) -> Value {
    match value {
        Value::Null => json!({"NULL": true}),
        Value::Bool(is_so) => json!({"BOOL": is_so}),
        Value::Number(number) => json!({"N": number.to_string()}),
        Value::String(text) => json!({"S": text}),
        Value::Array(values) => json!({"L": values.into_iter().map(typed).collect::<Vec<_>>()}),
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("SS") => Value::Object(fields),
        Value::Object(fields) => {
            json!({"M": fields.into_iter().map(|(name, value)| (name, typed(value))).collect::<Map<_, _>>()})
        }
    }
}

/// A request without DynamoDB's types, wherever they stand in it.
pub(crate) fn plain(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(plain).collect(),
        Value::Object(fields) => {
            untyped(&fields).unwrap_or_else(|| fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        other => other,
    }
}

fn untyped(fields: &Map<String, Value>) -> Option<Value> {
    let (name, value) = fields.iter().next().filter(|_| fields.len() == 1)?;
    match (name.as_str(), value) {
        ("S", Value::String(_)) | ("BOOL", Value::Bool(_)) => Some(value.clone()),
        ("N", Value::String(number)) => serde_json::from_str(number).ok(),
        ("NULL", _) => Some(Value::Null),
        ("SS", Value::Array(_)) => Some(value.clone()),
        ("L", Value::Array(values)) => Some(values.iter().cloned().map(plain).collect()),
        ("M", Value::Object(fields)) => {
            Some(fields.iter().map(|(name, value)| (name.clone(), plain(value.clone()))).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was() {
        let row = json!({"id": "a", "n": 7, "x": 0.5, "is": true, "no": null, "l": ["S", {"m": {"S": "b"}}], "e": {}});
        assert_eq!(item(&row)["n"], json!({"N": "7"}));
        assert_eq!(plain(json!({"Put": {"Item": item(&row)}})), json!({"Put": {"Item": row}}));
    }
}
