//! What the routes are sent, for the API's document. It is read field by field (`input.rs`), so that each field that is amiss is told by
//! its name; a test holds both to the same fields.
#![expect(dead_code, reason = "nothing is made of these types but their schemas")]

use postrider_api::document::{JsonSchema, Left, TypeOfEvent};
use postrider_domain::catalogue::MAX_DESCRIPTION_CHARS;
use serde_json::{Map, Value, json};

/// A new type of events.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct CreateEventType {
    /// Its name. Types that begin with `webhook.` are Postrider's own, and `import` is a path.
    #[schemars(with = "TypeOfEvent")]
    name: (),
    /// What it tells of, for people.
    #[schemars(with = "Left<String>", length(max = MAX_DESCRIPTION_CHARS), example = &"An invoice was paid in full.")]
    description: (),
    /// JSON Schema (draft 2020-12) for `data`: an object or a boolean of at most 32768 bytes as they come. References lead into the schema
    /// itself, patterns are matched without going back, and `format` is an annotation. Without one `data` may be any object.
    #[schemars(with = "Left<Value>", example = json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}))]
    schema: (),
    /// An example of `data`, at most 32768 bytes as they come. It must satisfy the schema.
    #[schemars(with = "Left<Map<String, Value>>", example = json!({"amount": 1200}))]
    example: (),
    /// Whether nobody should begin with it any more; no where nothing is said. It is published and sent as any other.
    #[schemars(with = "Left<bool>", example = false)]
    deprecated: (),
}

/// A change of a type: what is left out stays, and null goes.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct ChangeEventType {
    /// What it tells of, for people.
    #[schemars(with = "Left<Option<String>>", length(max = MAX_DESCRIPTION_CHARS), example = &"An invoice was paid in full.")]
    description: (),
    /// JSON Schema for `data`, as at creation. It counts within a minute; events that were taken are not judged again.
    #[schemars(with = "Left<Value>", example = json!({"type": "object", "required": ["amount", "currency"]}))]
    schema: (),
    /// An example of `data`. It must satisfy the schema as it is after the change.
    #[schemars(with = "Left<Option<Map<String, Value>>>", example = json!({"amount": 1200, "currency": "eur"}))]
    example: (),
    /// Whether nobody should begin with it any more.
    #[schemars(with = "Left<Option<bool>>", example = true)]
    deprecated: (),
}

/// An OpenAPI 3.1 document; of its fields these are read, and the others are not looked at.
#[derive(JsonSchema)]
pub(crate) struct ImportDocument {
    /// The version of OpenAPI that it is written in.
    #[schemars(with = "String", regex(pattern = r"^3\.1\."), example = &"3.1.1")]
    openapi: (),
    /// Its webhooks by name, at most 200: each name becomes a type, and the JSON body of its `post` the schema of `data`.
    #[schemars(with = "Map<String, Value>", example = json!({"invoice.paid": {"post": {"summary": "An invoice was paid."}}}))]
    webhooks: (),
    /// What its webhooks refer to.
    #[schemars(with = "Left<Map<String, Value>>", example = json!({}))]
    components: (),
}

#[cfg(test)]
mod tests {
    use postrider_api::Fields;
    use postrider_api::document::fields_of;

    use super::*;
    use crate::input::{Change, about};

    #[test]
    fn the_document_has_the_fields_that_are_read() {
        let unknown = || Fields::read(br#"{"?": 1}"#).unwrap();
        let mut created = Fields::told(&about(unknown()).map(drop).unwrap_err());
        created.push("name".to_owned());
        created.sort();
        assert_eq!(created, fields_of::<CreateEventType>());
        assert_eq!(Fields::told(&Change::read(unknown()).unwrap_err()), fields_of::<ChangeEventType>());
    }
}
