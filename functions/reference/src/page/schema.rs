//! A schema: what it is, within which bounds, and what it is made of.

use maud::{Markup, html};
use serde_json::Value;

use super::fields::fields;
use super::prose::prose;
use super::{list, text};

/// Bounds, as they are read before the number.
const BOUNDS: [(&str, &str, &str); 9] = [
    ("minimum", "at least ", ""),
    ("maximum", "at most ", ""),
    ("minLength", "at least ", " characters"),
    ("maxLength", "at most ", " characters"),
    ("minItems", "at least ", " items"),
    ("maxItems", "at most ", " items"),
    ("maxProperties", "at most ", " fields"),
    ("pattern", "matches ", ""),
    ("default", "otherwise ", ""),
];

/// A whole schema.
pub(super) fn shown(schema: &Value) -> Markup {
    let others = !schema["additionalProperties"].is_boolean() && schema["additionalProperties"].is_object();
    html! {
        (prose(text(&schema["description"])))
        @if schema["properties"].is_object() {
            (fields(schema))
        } @else {
            p.kind { (kind(schema)) (bounds(schema)) }
            (example(schema))
        }
        @if others { p { "Each field: " (kind(&schema["additionalProperties"])) (bounds(&schema["additionalProperties"])) } }
        @if schema["additionalProperties"] == false { p { "No other fields." } }
    }
}

/// What something is, in a few words.
pub(super) fn kind(schema: &Value) -> Markup {
    if let Some(name) = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()) {
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    if let Some(ways) = schema["anyOf"].as_array() {
        return html! { @for (at, way) in ways.iter().enumerate() { @if at > 0 { " or " } (kind(way)) } };
    }
    // What stands beside the first narrows it: the codes of an error, which its description names.
    if let Some(whole) = schema["allOf"].as_array().and_then(|parts| parts.first()) {
        return kind(whole);
    }
    if schema["type"] == "array" {
        return html! { "list of " (kind(&schema["items"])) };
    }
    let mut names: Vec<&str> = list(&schema["type"]).filter_map(Value::as_str).collect();
    names.extend(schema["type"].as_str());
    let format = match text(&schema["format"]) {
        "" | "uint8" | "uint16" | "uint32" | "uint64" | "int32" | "int64" => None,
        format => Some(format),
    };
    html! {
        @if names.is_empty() { "anything" } @else { (names.join(" or ")) }
        @if let Some(format) = format { ", " (format) }
    }
}

/// The bounds of something.
pub(super) fn bounds(schema: &Value) -> Markup {
    html! {
        @for (name, before, behind) in BOUNDS {
            @if let Some(bound) = schema.get(name) { ", " (before) (plain(bound)) (behind) }
        }
        @if schema["uniqueItems"] == true { ", each once" }
        @if schema["type"] == "array" { (bounds_of_items(&schema["items"])) }
        @if schema["enum"].is_array() {
            ", one of"
            @for name in list(&schema["enum"]) { " " code { (as_text(name)) } }
        }
    }
}

fn bounds_of_items(items: &Value) -> Markup {
    let told = bounds(items);
    html! { @if !told.0.is_empty() { "; of each" (told) } }
}

/// Something's first example.
pub(super) fn example(schema: &Value) -> Markup {
    html! {
        @if let Some(example) = schema.pointer("/examples/0") { p.eg { "Such as " (plain(example)) } }
    }
}

fn plain(value: &Value) -> Markup {
    html! { @if value.is_number() { (value) } @else { code { (as_text(value)) } } }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
