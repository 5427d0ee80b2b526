//! A whole schema, with its fields.

use maud::{Markup, html};
use serde_json::Value;

use super::fields::fields;
use super::kind::{bounds, example, kind};
use super::prose::prose;
use super::text;

/// A whole schema.
pub(super) fn shown(schema: &Value) -> Markup {
    let others = &schema["additionalProperties"];
    html! {
        (prose(text(&schema["description"])))
        @if schema["properties"].is_object() {
            (fields(schema))
        } @else {
            p.kind { (kind(schema)) (bounds(schema)) }
            (example(schema))
        }
        @if others.is_object() { p { "Each field: " (kind(others)) (bounds(others)) } }
        @if others == &Value::Bool(false) { p { "No other fields." } }
    }
}
