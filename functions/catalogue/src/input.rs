//! What is said about a type, from a request's fields.

use postrider_api::{ApiError, Fields};
use postrider_domain::catalogue::About;
use serde_json::value::RawValue;

const A_DESCRIPTION: &str = "a string";
const A_SCHEMA: &str = "JSON Schema: an object, `true` or `false`";
const AN_EXAMPLE: &str = "a JSON object, as `data` is";
const A_SWITCH: &str = "`true` or `false`";

/// Reads a new type's, and holds it to its bounds.
pub(crate) fn about(mut fields: Fields) -> Result<About, ApiError> {
    let text = |raw: Box<RawValue>| raw.get().to_owned();
    let about = About {
        description: fields.take_value("description", A_DESCRIPTION)?,
        schema: fields.take_value("schema", A_SCHEMA)?.map(text),
        example: fields.take_value("example", AN_EXAMPLE)?.map(text),
        deprecated: fields.take_value("deprecated", A_SWITCH)?.unwrap_or_default(),
    };
    fields.finish()?;
    about.check()?;
    Ok(about)
}

/// What is to be said otherwise: what is left out stays, and null goes.
#[derive(Debug)]
pub(crate) struct Change {
    description: Option<Option<String>>,
    schema: Option<Option<String>>,
    example: Option<Option<String>>,
    deprecated: Option<bool>,
}

impl Change {
    /// Reads one.
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let text = |raw: Option<Box<RawValue>>| raw.map(|raw| raw.get().to_owned());
        let change = Self {
            description: fields.change("description", A_DESCRIPTION)?,
            schema: fields.change("schema", A_SCHEMA)?.map(text),
            example: fields.change("example", AN_EXAMPLE)?.map(text),
            deprecated: fields.change("deprecated", A_SWITCH)?.map(Option::unwrap_or_default),
        };
        fields.finish()?;
        Ok(change)
    }

    /// What is said then, held to its bounds.
    pub(crate) fn of(&self, before: About) -> Result<About, ApiError> {
        let about = About {
            description: self.description.clone().unwrap_or(before.description),
            schema: self.schema.clone().unwrap_or(before.schema),
            example: self.example.clone().unwrap_or(before.example),
            deprecated: self.deprecated.unwrap_or(before.deprecated),
        };
        about.check()?;
        Ok(about)
    }
}
