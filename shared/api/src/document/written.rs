//! Schemas as the document has them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

use super::given::MAY_BE_LEFT_OUT;

/// The schema of something that is sent or answered.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// Where a document has the schemas that others refer to.
const PLACE: &str = "/components/schemas";

/// The schemas of a document.
pub struct Schemas(SchemaGenerator);

impl Default for Schemas {
    /// None yet. They are of what is written, so a field is required where it is always there.
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
            settings.definitions_path = PLACE.into();
            settings.meta_schema = None;
        });
        Self(settings.into_generator())
    }
}

impl Schemas {
    /// A schema, which may refer to those that stand in their place.
    pub fn of(&mut self, schema: SchemaOf) -> Value {
        settled(schema(&mut self.0))
    }

    /// All that others refer to, by name.
    pub fn named(mut self) -> Map<String, Value> {
        let all = self.0.take_definitions(true);
        let mut all: Vec<_> = all.into_iter().map(|(name, schema)| (name, settle(schema))).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all.into_iter().collect()
    }
}

/// The names of a type's fields, in order of the alphabet.
pub fn fields_of<T: JsonSchema>() -> Vec<String> {
    let mut schemas = Schemas::default();
    schemas.of(|generator| generator.subschema_for::<T>());
    let all = schemas.named();
    let properties = all.get(T::schema_name().as_ref()).and_then(|schema| schema["properties"].as_object());
    let mut names: Vec<String> = properties.into_iter().flatten().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

fn settled(schema: Schema) -> Value {
    settle(schema.into())
}

/// Says what may be left out, and that it is never null then: a field that can be both says so by its own type.
fn settle(schema: Value) -> Value {
    match schema {
        Value::Object(mut object) => {
            if let Some(Value::Object(properties)) = object.remove("properties") {
                let mut required: Vec<Value> = match object.remove("required") {
                    Some(Value::Array(names)) => names,
                    _ => Vec::new(),
                };
                let mut settled = Map::new();
                for (name, mut property) in properties {
                    let may_be_left_out =
                        property.as_object_mut().and_then(|property| property.shift_remove(MAY_BE_LEFT_OUT)).is_some();
                    if may_be_left_out {
                        required.retain(|one| *one != name);
                    } else if !required.contains(&Value::from(name.as_str())) {
                        property = without_null(property);
                    }
                    settled.insert(name, settle(property));
                }
                object.insert("properties".to_owned(), settled.into());
                if !required.is_empty() {
                    object.insert("required".to_owned(), required.into());
                }
            }
            // Rust's own word for as many bits as the machine has.
            if object.get("format").is_some_and(|format| format == "uint") {
                object.shift_remove("format");
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = unwrapped(text);
            }
            Value::Object(object.into_iter().map(|(key, value)| (key, settle(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(settle).collect(),
        other => other,
    }
}

/// A schema that takes all that this one takes but null.
fn without_null(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(options)) = object.get("anyOf") {
        let others: Vec<_> = options.iter().filter(|option| option["type"] != "null").cloned().collect();
        if let [Value::Object(one)] = others.as_slice() {
            object.shift_remove("anyOf");
            let rest = std::mem::take(object);
            object.extend(one.clone());
            object.extend(rest);
        }
    }
    schema
}

/// A text whose lines were broken for the width of a source file; a list keeps its lines.
fn unwrapped(text: &str) -> String {
    let paragraph = |part: &str| {
        if part.contains("\n- ") || part.starts_with("- ") { part.to_owned() } else { part.replace('\n', " ") }
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::document::{Left, Time};

    /// What is answered, with a comment that is
    /// longer than a line.
    #[derive(Serialize, JsonSchema)]
    struct Answered {
        always: Option<Time>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sometimes: Option<Time>,
        #[serde(skip_serializing_if = "Option::is_none")]
        counted: Option<usize>,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "its schema is all that is asked for")]
    struct Asked {
        always: String,
        #[schemars(with = "Left<String>")]
        sometimes: (),
        #[schemars(with = "Left<Option<Time>>")]
        taken_away: (),
    }

    #[test]
    fn what_is_left_out_is_null_only_where_its_type_says_so() {
        let mut schemas = Schemas::default();
        schemas.of(|generator| generator.subschema_for::<Answered>());
        schemas.of(|generator| generator.subschema_for::<Asked>());
        let all = schemas.named();
        let (time, nothing) = (json!({"$ref": "#/components/schemas/Time"}), json!({"type": "null"}));
        let answered = json!({
            "type": "object",
            "description": "What is answered, with a comment that is longer than a line.",
            "properties": {
                "always": {"anyOf": [time, nothing]},
                "sometimes": time,
                "counted": {"type": "integer", "minimum": 0},
            },
            "required": ["always"],
        });
        assert_eq!(all["Answered"], answered);
        let asked = json!({
            "type": "object",
            "properties": {
                "always": {"type": "string"},
                "sometimes": {"type": "string"},
                "taken_away": {"anyOf": [time, nothing]},
            },
            "required": ["always"],
        });
        assert_eq!(all["Asked"], asked);
        assert_eq!(fields_of::<Asked>(), ["always", "sometimes", "taken_away"]);
    }
}
