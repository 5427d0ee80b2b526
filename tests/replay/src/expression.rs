//! Expressions as they are meant, with what their `:values` and `#names` stand for in their places.

use serde_json::Value;

/// An expression of a write such as `ConditionExpression`: `#status = :was` is `status = "pending"`. A value that is a list or a
/// map keeps its name, and the whole is empty where there is none.
pub fn expression(write: &Value, name: &str) -> String {
    let (mut meant, mut rest) = (String::new(), write[name].as_str().unwrap_or_default());
    while let Some(at) = rest.find([':', '#']) {
        let end = rest[at + 1..].find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let end = end.map_or(rest.len(), |end| at + 1 + end);
        let placeholder = &rest[at..end];
        meant.push_str(&rest[..at]);
        match (&write["ExpressionAttributeNames"][placeholder], &write["ExpressionAttributeValues"][placeholder]) {
            (Value::String(name), _) => meant.push_str(name),
            (_, Value::Array(_) | Value::Object(_)) => meant.push_str(placeholder),
            (_, value) => meant.push_str(&value.to_string()),
        }
        rest = &rest[end..];
    }
    meant + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_an_expression_means_can_be_read() {
        let write = json!({
            "ConditionExpression": "#s IN (:a, :ab) AND n=:n OR l = :l",
            "ExpressionAttributeNames": {"#s": "status"},
            "ExpressionAttributeValues": {":a": "x", ":ab": "y", ":n": 7, ":l": []},
        });
        assert_eq!(expression(&write, "ConditionExpression"), r#"status IN ("x", "y") AND n=7 OR l = :l"#);
        assert_eq!(expression(&write, "UpdateExpression"), "");
    }
}
