//! What a schema says of one thing, in a few words: what it is, within which bounds, and an example.

use maud::{Markup, html};
use serde_json::Value;

use super::{list, text};

/// What has a least and a most, and of what.
const RANGES: [(&str, &str, &str); 4] = [
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " character"),
    ("minItems", "maxItems", " item"),
    ("minProperties", "maxProperties", " field"),
];

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
        @for (least, most, unit) in RANGES {
            @if let Some(range) = range(schema.get(least), schema.get(most), unit) { ", " (range) }
        }
        @if let Some(pattern) = schema.get("pattern") { ", matches " (plain(pattern)) }
        @if let Some(default) = schema.get("default") { ", otherwise " (plain(default)) }
        @if schema["uniqueItems"] == true { ", each once" }
        @if schema["type"] == "array" { (bounds_of_items(&schema["items"])) }
        @if schema["enum"].is_array() {
            ", one of"
            @for name in list(&schema["enum"]) { " " code { (as_text(name)) } }
        }
    }
}

fn range(least: Option<&Value>, most: Option<&Value>, unit: &str) -> Option<String> {
    let (last, words) = match (least, most) {
        (Some(least), Some(most)) if least == most => (most, format!("exactly {most}")),
        (Some(least), Some(most)) => (most, format!("{least} to {most}")),
        (Some(least), None) => (least, format!("at least {least}")),
        (None, Some(most)) => (most, format!("at most {most}")),
        (None, None) => return None,
    };
    let plural = if unit.is_empty() || *last == 1 { "" } else { "s" };
    Some(format!("{words}{unit}{plural}"))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_read_as_words() {
        let told = |schema: Value| bounds(&schema).into_string();
        assert_eq!(
            told(json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50})),
            ", 1 to 200, otherwise 50"
        );
        assert_eq!(told(json!({"type": "string", "minLength": 1})), ", at least 1 character");
        let list =
            json!({"type": "array", "minItems": 2, "maxItems": 2, "items": {"maxLength": 9}, "uniqueItems": true});
        assert_eq!(told(list), ", exactly 2 items, each once; of each, at most 9 characters");
        assert_eq!(told(json!({"enum": ["a", null]})), ", one of <code>a</code> <code>null</code>");
    }

    #[test]
    fn kinds_read_as_words() {
        let told = |schema: Value| kind(&schema).into_string();
        let reference = json!({"$ref": "#/components/schemas/Time"});
        assert_eq!(told(json!({"anyOf": [reference, {"type": "null"}]})), "<a href=\"#schema-Time\">Time</a> or null");
        assert_eq!(told(json!({"type": "array", "items": {"type": ["string", "null"]}})), "list of string or null");
        assert_eq!(told(json!({"type": "string", "format": "date-time"})), "string, date-time");
        assert_eq!(told(json!({})), "anything");
    }
}
