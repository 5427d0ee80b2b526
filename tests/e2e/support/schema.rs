//! Whether a value is as a schema says, as far as the API's document says it.
//!
//! Libraries for all of JSON Schema change how numbers are read in every program of the workspace, and bring thirty crates. The
//! document has few keywords; one that is not known here fails the test. `tests/openapi` has the document's examples judged by such a
//! library, too.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use regex_lite::Regex;
use serde_json::{Map, Value};

/// Keywords that say something to people.
const TOLD: [&str; 5] = ["description", "examples", "default", "format", "title"];

/// Judges values by the schemas of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judge<'a> {
    /// The document, which references lead into.
    pub(crate) document: &'a Value,
    /// Whether an object may have only the fields that its schema names, though the schema lets it have more one day.
    pub(crate) closed: bool,
}

impl Judge<'_> {
    /// What is wrong with a value, and where; nothing where it is as the schema says.
    pub(crate) fn faults(self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.judge(schema, value, "", &mut faults);
        faults
    }

    fn judge(self, schema: &Value, value: &Value, place: &str, faults: &mut Vec<String>) {
        if *schema == Value::Bool(false) {
            faults.push(format!("{place}: nothing is allowed here"));
        }
        let Some(schema) = schema.as_object() else { return };
        for (keyword, says) in schema {
            let fault = match keyword.as_str() {
                "$ref" => {
                    let target = self.document.pointer(says.as_str().unwrap_or_default().trim_start_matches('#'));
                    self.judge(target.expect("a reference leads somewhere"), value, place, faults);
                    None
                }
                "anyOf" => {
                    let options = says.as_array().expect("options").iter();
                    let tried: Vec<_> = options.map(|option| self.faults(option, value)).collect();
                    (!tried.iter().any(Vec::is_empty)).then(|| format!("none of these fits: {tried:?}"))
                }
                "allOf" => {
                    says.as_array().expect("parts").iter().for_each(|part| self.judge(part, value, place, faults));
                    None
                }
                "properties" | "required" | "additionalProperties" | "maxProperties" => {
                    value.as_object().and_then(|object| self.of_object(keyword, schema, object, place, faults))
                }
                "items" | "minItems" | "maxItems" | "uniqueItems" => {
                    value.as_array().and_then(|items| self.of_list(keyword, says, items, place, faults))
                }
                "type" => of_type(says, value),
                "enum" => {
                    (!says.as_array().expect("a list").contains(value)).then(|| format!("{value} is none of {says}"))
                }
                "pattern" | "minLength" | "maxLength" => value.as_str().and_then(|text| of_text(keyword, says, text)),
                "minimum" | "maximum" => value.as_f64().and_then(|number| of_number(keyword, says, number)),
                told if TOLD.contains(&told) => None,
                other => panic!("teach tests/e2e/support/schema.rs the keyword {other}"),
            };
            faults.extend(fault.map(|fault| format!("{place}: {fault}")));
        }
    }

    fn of_object(
        self,
        keyword: &str,
        schema: &Map<String, Value>,
        object: &Map<String, Value>,
        place: &str,
        faults: &mut Vec<String>,
    ) -> Option<String> {
        let (says, properties) = (&schema[keyword], schema.get("properties"));
        let known = |name: &String| properties.is_some_and(|all| all.get(name).is_some());
        match keyword {
            "required" => {
                let missing: Vec<_> =
                    says.as_array()?.iter().filter(|name| !object.contains_key(name.as_str().unwrap_or(""))).collect();
                (!missing.is_empty()).then(|| format!("{missing:?} missing"))
            }
            "maxProperties" => (object.len() as u64 > says.as_u64()?).then(|| format!("more than {says} fields")),
            "additionalProperties" => {
                let others = object.iter().filter(|(name, _)| !known(name));
                others.for_each(|(name, value)| self.judge(says, value, &format!("{place}/{name}"), faults));
                None
            }
            _ => {
                for (name, value) in object {
                    if let Some(says) = says.get(name) {
                        self.judge(says, value, &format!("{place}/{name}"), faults);
                    }
                }
                // What only narrows another schema has no type of its own.
                let is_whole = schema.contains_key("type") && !schema.contains_key("additionalProperties");
                let unknown = object.keys().find(|name| self.closed && is_whole && !known(name))?;
                Some(format!("the document has no field {unknown}"))
            }
        }
    }

    fn of_list(
        self,
        keyword: &str,
        says: &Value,
        items: &[Value],
        place: &str,
        faults: &mut Vec<String>,
    ) -> Option<String> {
        let length = items.len() as u64;
        match keyword {
            "items" => {
                let each = items.iter().enumerate();
                each.for_each(|(i, item)| self.judge(says, item, &format!("{place}/{i}"), faults));
                None
            }
            "minItems" => (length < says.as_u64()?).then(|| format!("fewer than {says}")),
            "maxItems" => (length > says.as_u64()?).then(|| format!("more than {says}")),
            _ => {
                let repeated = items.iter().enumerate().find(|(i, item)| items[..*i].contains(item));
                repeated.map(|(_, item)| format!("{item} twice"))
            }
        }
    }
}

fn of_type(says: &Value, value: &Value) -> Option<String> {
    let is = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("teach tests/e2e/support/schema.rs the type {other:?}"),
    };
    let fits = says.as_array().map_or_else(|| is(says), |types| types.iter().any(is));
    (!fits).then(|| format!("{value} is no {says}"))
}

fn of_text(keyword: &str, says: &Value, text: &str) -> Option<String> {
    let length = text.chars().count() as u64;
    match keyword {
        "minLength" => (length < says.as_u64()?).then(|| format!("shorter than {says}")),
        "maxLength" => (length > says.as_u64()?).then(|| format!("longer than {says}")),
        _ => (!matches(says.as_str()?, text)).then(|| format!("{text:?} is not as {says}")),
    }
}

fn of_number(keyword: &str, says: &Value, number: f64) -> Option<String> {
    let bound = says.as_f64()?;
    let fits = if keyword == "minimum" { number >= bound } else { number <= bound };
    (!fits).then(|| format!("{number} beyond the {keyword} of {says}"))
}

/// Each pattern is compiled once.
fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().expect("no test fails while it holds this");
    let regex = compiled.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).expect("a pattern"));
    regex.is_match(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(closed: bool, schema: &Value, value: &Value) -> usize {
        let document = json!({"components": {"schemas": {"Name": {"type": "string", "maxLength": 3}}}});
        Judge { document: &document, closed }.faults(schema, value).len()
    }

    #[test]
    fn what_a_schema_says_holds() {
        let name = json!({"$ref": "#/components/schemas/Name"});
        let thing = json!({"type": "object", "properties": {"name": name, "size": {"type": ["integer", "null"], "minimum": 1}},
            "required": ["name"]});
        for (schema, good, bad) in [
            (&name, json!("äöü"), json!("äöüß")),
            (&thing, json!({"name": "a", "size": null}), json!({"size": 1})),
            (&thing, json!({"name": "a", "size": 1}), json!({"name": "a", "size": 0})),
            (&thing, json!({"name": "a"}), json!({"name": "a", "size": 1.5})),
            (&json!({"type": "array", "items": name, "minItems": 1, "maxItems": 2}), json!(["a"]), json!([])),
            (&json!({"items": name, "maxItems": 2}), json!(["a", "b"]), json!(["a", "b", "c"])),
            (&json!({"items": name}), json!(["a"]), json!(["a", 7])),
            (&json!({"uniqueItems": true}), json!(["a", "b"]), json!(["a", "b", "a"])),
            (&json!({"anyOf": [name, {"type": "null"}]}), json!(null), json!(7)),
            (
                &json!({"allOf": [thing, {"properties": {"name": {"enum": ["a", "b"]}}}]}),
                json!({"name": "a"}),
                json!({"name": "c"}),
            ),
            (&json!({"pattern": "^[0-9]+$"}), json!("12"), json!("1a")),
            (
                &json!({"additionalProperties": {"type": "string"}, "maxProperties": 1}),
                json!({"a": "b"}),
                json!({"a": 1}),
            ),
            (&json!({"maxProperties": 1}), json!({"a": "b"}), json!({"a": 1, "b": 1})),
            (&json!({"type": ["number", "null"], "maximum": 1}), json!(0.5), json!(1.5)),
            (&json!({"type": "number"}), json!(2), json!("2")),
            (&json!({"properties": {"a": {}}, "additionalProperties": false}), json!({"a": 1}), json!({"b": 1})),
            (&json!({"maximum": 5, "minLength": 2}), json!(5), json!(6)),
            (&json!({"minLength": 2}), json!("ab"), json!("a")),
        ] {
            assert_eq!(faults(false, schema, &good), 0, "{schema} {good}");
            assert!(faults(false, schema, &bad) > 0, "{schema} {bad}");
        }
    }

    #[test]
    fn an_answer_has_no_field_that_the_document_lacks() {
        let thing = json!({"type": "object", "properties": {"name": {}}});
        let narrowed = json!({"allOf": [thing, {"properties": {}}]});
        for schema in [&thing, &narrowed] {
            assert_eq!(faults(true, schema, &json!({"name": 1})), 0);
            assert_eq!(faults(false, schema, &json!({"more": 1})), 0);
            assert_eq!(faults(true, schema, &json!({"more": 1})), 1, "{schema}");
        }
        assert_eq!(faults(true, &json!({"type": "object", "additionalProperties": true}), &json!({"more": 1})), 0);
    }

    #[test]
    #[should_panic(expected = "teach")]
    fn a_keyword_that_nobody_judges_is_told() {
        faults(false, &json!({"multipleOf": 2}), &json!(3));
    }
}
