//! An example of every body, put together from those of its fields.

use std::error::Error;

use serde_json::{Map, Value};

/// Adds one to every body of a document that has none.
pub(crate) fn add(document: &mut Value) -> Result<(), Box<dyn Error>> {
    let schemas = document["components"]["schemas"].clone();
    for (_, path) in document["paths"].as_object_mut().ok_or("no paths")? {
        for (_, operation) in path.as_object_mut().ok_or("no operations")? {
            if let Some(body) = operation.get_mut("requestBody") {
                exemplify(body, &schemas)?;
            }
            for (_, answer) in operation["responses"].as_object_mut().ok_or("no answers")? {
                exemplify(answer, &schemas)?;
            }
        }
    }
    for (_, answer) in document["components"]["responses"].as_object_mut().ok_or("no answers")? {
        exemplify(answer, &schemas)?;
    }
    Ok(())
}

fn exemplify(body: &mut Value, schemas: &Value) -> Result<(), Box<dyn Error>> {
    let Some(media) = body.pointer_mut("/content/application~1json") else { return Ok(()) };
    if media.get("example").is_none() {
        media["example"] = of(&media["schema"], schemas)?;
    }
    Ok(())
}

fn of(schema: &Value, schemas: &Value) -> Result<Value, Box<dyn Error>> {
    if let Some(example) = schema.pointer("/examples/0") {
        return Ok(example.clone());
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return of(&schemas[name], schemas);
    }
    if let Some(first) = schema.pointer("/enum/0").or_else(|| schema.get("const")) {
        return Ok(first.clone());
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut example = Value::Null;
        for part in all {
            merge(&mut example, of(part, schemas)?);
        }
        return Ok(example);
    }
    if let Some(first) = schema.pointer("/anyOf/0").or_else(|| schema.pointer("/oneOf/0")) {
        return of(first, schemas);
    }
    if let Some(properties) = schema["properties"].as_object() {
        // What need not be there is left out, unless there would be nothing.
        let required =
            |name: &String| schema["required"].as_array().is_none_or(|all| all.iter().any(|one| one == name));
        let shown = properties.iter().filter(|(name, _)| required(name));
        let fields = shown.map(|(name, property)| Ok((name.clone(), of(property, schemas)?)));
        return Ok(Value::Object(fields.collect::<Result<Map<_, _>, Box<dyn Error>>>()?));
    }
    match schema["type"].as_str() {
        Some("array") => Ok(Value::Array(vec![of(&schema["items"], schemas)?])),
        Some("object") => Ok(Value::Object(Map::new())),
        _ => Err(format!("it has no example: {schema}").into()),
    }
}

fn merge(into: &mut Value, part: Value) {
    match (into, part) {
        (Value::Object(into), Value::Object(part)) => {
            for (name, value) in part {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, part) => *into = part,
    }
}
