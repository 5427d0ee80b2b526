//! What a body, a path, a query or a header consists of.

use maud::{Markup, html};
use serde_json::Value;

use super::kind::{bounds, example, kind};
use super::prose::prose;
use super::{list, text};

/// The fields of an object.
pub(super) fn fields(schema: &Value) -> Markup {
    let must_be_there = |name: &str| list(&schema["required"]).any(|one| one == name);
    html! {
        dl.fields {
            @for (name, told) in schema["properties"].as_object().into_iter().flatten() {
                (field(name, told, text(&told["description"]), must_be_there(name)))
            }
        }
    }
}

/// The parameters of an operation that stand in one place.
pub(super) fn parameters(told: &Value, place: &str) -> Markup {
    html! {
        dl.fields {
            @for one in list(&told["parameters"]).filter(|one| one["in"] == place) {
                (field(text(&one["name"]), &one["schema"], text(&one["description"]), one["required"] == true))
            }
        }
    }
}

fn field(name: &str, schema: &Value, about: &str, must_be_there: bool) -> Markup {
    html! {
        div {
            dt { code { (name) } @if must_be_there { " " em { "required" } } }
            dd {
                p.kind { (kind(schema)) (bounds(schema)) }
                (prose(about))
                (example(schema))
            }
        }
    }
}
