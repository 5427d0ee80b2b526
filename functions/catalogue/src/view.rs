//! Event types as the API shows them.

use postrider_api::Pagination;
use postrider_api::ToldFault;
use postrider_api::document::{JsonSchema, Time, TypeOfEvent};
use postrider_domain::catalogue::{BuiltIn, CataloguedType, MAX_DESCRIPTION_CHARS, Refusal};
use postrider_domain::event::EventType as Name;
use postrider_domain::invalid::excerpt;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A type of events.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogueType")]
pub(crate) struct EventType<'a> {
    /// Its name.
    #[schemars(with = "TypeOfEvent")]
    name: &'a str,
    /// What it tells of; left out where nobody has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_DESCRIPTION_CHARS), example = &"An invoice was paid in full.")]
    description: Option<&'a str>,
    /// JSON Schema (draft 2020-12) for `data`, letter for letter as it was given; left out where `data` may be any object.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>", example = json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}}))]
    schema: Option<Box<RawValue>>,
    /// An example of `data`; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>", example = json!({"amount": 1200}))]
    example: Option<Box<RawValue>>,
    /// Whether nobody should begin with it any more. It is published and sent as any other.
    #[schemars(example = false)]
    deprecated: bool,
    /// Whether it comes with Postrider: such a type can be neither changed nor deleted.
    #[schemars(example = false)]
    built_in: bool,
    /// When it was made; left out where it comes with Postrider.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<Time>,
    /// When it was changed last; left out where it comes with Postrider.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<Time>,
}

fn raw(text: &str) -> Box<RawValue> {
    // What is kept was read as JSON before.
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A type of the deployment's.
pub(crate) fn event_type(one: &CataloguedType) -> EventType<'_> {
    EventType {
        name: one.name.as_str(),
        description: one.description.as_deref(),
        schema: one.schema().map(raw),
        example: one.example.as_deref().map(raw),
        deprecated: one.deprecated,
        built_in: false,
        created_at: Some(one.created_at.into()),
        updated_at: Some(one.updated_at.into()),
    }
}

/// A type of Postrider's own.
pub(crate) fn built_in(one: &BuiltIn) -> EventType<'static> {
    EventType {
        name: one.own.as_str(),
        description: Some(one.description),
        schema: Some(raw(one.schema)),
        example: Some(raw(one.example)),
        deprecated: false,
        built_in: true,
        created_at: None,
        updated_at: None,
    }
}

/// A page of event types.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CatalogueTypePage")]
pub(crate) struct EventTypes {
    /// The page's types, in order of their names.
    #[schemars(with = "Vec<EventType<'static>>")]
    pub(crate) event_types: Vec<Box<RawValue>>,
    /// What follows.
    pub(crate) pagination: Pagination,
}

/// What became of the types of a document.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "ImportedTypes")]
pub(crate) struct Imported {
    /// The types that are new, in the document's order.
    #[schemars(with = "Vec<TypeOfEvent>", example = ["invoice.paid"])]
    pub(crate) created: Vec<Name>,
    /// The types of which something else is said than before.
    #[schemars(with = "Vec<TypeOfEvent>", example = ["invoice.sent"])]
    pub(crate) updated: Vec<Name>,
    /// The types that are as the document has them already.
    #[schemars(with = "Vec<TypeOfEvent>", example = ["invoice.voided"])]
    pub(crate) unchanged: Vec<Name>,
    /// The webhooks of the document that were not taken, each with the first thing that is amiss.
    pub(crate) errors: Vec<NotImported>,
}

/// A webhook of a document of which no type was made.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotImportedType")]
pub(crate) struct NotImported {
    /// Its name in the document, as much of it as is told.
    #[schemars(length(max = 64), example = &"invoice paid")]
    name: String,
    /// What of it is amiss.
    #[schemars(length(max = 64), example = &"name")]
    field: String,
    /// What was expected.
    #[schemars(example = &"`name`: expected an event type such as `invoice.paid`")]
    message: String,
    /// What exactly, where it is the schema or the example; left out elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<ToldFault>>,
}

impl NotImported {
    pub(crate) fn new(name: &str, refusal: &Refusal) -> Self {
        let invalid = refusal.invalid();
        let errors: Vec<_> = refusal.faults().iter().map(ToldFault::from).collect();
        Self {
            name: excerpt(name),
            message: invalid.to_string(),
            field: invalid.field,
            errors: Some(errors).filter(|errors| !errors.is_empty()),
        }
    }
}
