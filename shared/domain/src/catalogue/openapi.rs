//! Types out of an OpenAPI 3.1 document's `webhooks`: each one's name, and of its `post` the JSON body's schema, with all that it refers
//! to, and its example.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::catalogue::{About, Refusal, check_name};
use crate::event::EventType;
use crate::invalid::Invalid;
use crate::schema::tree::{Bundle, Value, resolved};

/// Webhooks of a document.
pub const MAX_WEBHOOKS: usize = 200;

/// A webhook of a document by its name, and what its type would be or why there is none.
pub type Webhook = (String, Result<(EventType, About), Refusal>);

/// Reads a document's `webhooks`, which may refer to its `components`; both as they are written.
///
/// # Errors
/// [`Invalid`] when they are none, or too many.
pub fn read(webhooks: &str, components: Option<&str>) -> Result<Vec<Webhook>, Invalid> {
    let an_object = |field: &str, text| match Value::read(text) {
        Some(Value::Object(fields)) => Ok(fields),
        _ => Err(Invalid::new(field, "an object")),
    };
    let webhooks = an_object("webhooks", webhooks)?;
    if webhooks.len() > MAX_WEBHOOKS {
        return Err(Invalid::new("webhooks", format!("at most {MAX_WEBHOOKS}")));
    }
    let components = Value::Object(components.map_or(Ok(Vec::new()), |text| an_object("components", text))?);
    let bundle = Bundle::new(&components);
    let read = |(name, webhook): &(Cow<'_, str>, Value<'_>)| {
        let told = check_name(name).map_err(Refusal::from);
        let told = told.and_then(|event_type| Ok((event_type, about(webhook, &components, &bundle)?)));
        (name.as_ref().to_owned(), told)
    };
    Ok(webhooks.iter().map(read).collect())
}

/// What a document says about a webhook.
fn about(webhook: &Value<'_>, components: &Value<'_>, bundle: &Bundle<'_>) -> Result<About, Refusal> {
    let at = |value, place: &str, field| {
        resolved(value, components)
            .ok_or_else(|| Refusal::from(Invalid::new(field, format!("a reference to `{place}`"))))
    };
    let webhook = at(webhook, "#/components/pathItems/", "webhook")?;
    let post = webhook.get("post").ok_or_else(|| Invalid::new("post", "an operation: what is sent is a POST"))?;
    let text = |name: &str| {
        let said = post.get(name).or_else(|| webhook.get(name)).and_then(Value::as_text);
        said.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let media = match post.get("requestBody") {
        Some(body) => json_of(at(body, "#/components/requestBodies/", "requestBody")?),
        None => None,
    };
    let schema = media.and_then(|media| media.get("schema"));
    let schema = schema.map(|schema| bundle.with_all_that_it_refers_to(schema)).transpose();
    let example = match media.and_then(example_of) {
        Some(example) => {
            let found = at(example, "#/components/examples/", "example")?;
            // One by name is an Example Object, whose value is the example.
            Some(if std::ptr::eq(example, found) { found } else { found.get("value").unwrap_or(found) })
        }
        None => None,
    };
    let about = About {
        description: text("description").or_else(|| text("summary")),
        schema: schema.map_err(Refusal::NoSchema)?.map(|schema| schema.to_string()),
        example: example.map(Value::to_string),
        deprecated: matches!(post.get("deprecated"), Some(Value::Boolean(true))),
    };
    about.check()?;
    Ok(about)
}

/// What a body is in JSON, whatever parameters stand behind the media type.
fn json_of<'v>(body: &'v Value<'v>) -> Option<&'v Value<'v>> {
    let Some(Value::Object(content)) = body.get("content") else { return None };
    let media: BTreeMap<String, &Value<'_>> = content
        .iter()
        .map(|(name, media)| (name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(), media))
        .collect();
    let own = media.iter().find(|(name, _)| name.ends_with("+json"));
    media.get("application/json").or(own.map(|(_, media)| media)).copied()
}

fn example_of<'v>(media: &'v Value<'v>) -> Option<&'v Value<'v>> {
    if let Some(example) = media.get("example") {
        return Some(example);
    }
    let Some(Value::Object(examples)) = media.get("examples") else { return None };
    let (_, first) = examples.first()?;
    first.get("value").or(Some(first).filter(|first| first.get("$ref").is_some()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::schema::Schema;

    fn imported(webhooks: &Json, components: &Json) -> Vec<Webhook> {
        read(&webhooks.to_string(), Some(&components.to_string())).unwrap()
    }

    fn one(webhook: &Json, components: &Json) -> Result<About, Refusal> {
        let mut all = imported(&json!({"invoice.paid": webhook}), components);
        all.remove(0).1.map(|(_, about)| about)
    }

    fn body(media: &Json) -> Json {
        json!({"post": {"requestBody": {"content": {"application/json": media}}}})
    }

    fn json_of(text: Option<&String>) -> Json {
        serde_json::from_str(text.map_or("null", String::as_str)).unwrap()
    }

    #[test]
    fn a_webhooks_words_schema_and_example_are_its_types() {
        let webhook = json!({"summary": "of all", "post": {
            "summary": "An invoice was paid.",
            "deprecated": true,
            "requestBody": {"content": {
                "text/plain": {"schema": false},
                "application/json; charset=utf-8": {
                    "schema": {"type": "object", "required": ["amount"]},
                    "examples": {"usual": {"value": {"amount": 1.50}}, "other": {"value": {}}},
                },
            }},
        }});
        let about = one(&webhook, &json!({})).unwrap();
        assert_eq!(about.description.as_deref(), Some("An invoice was paid."));
        assert_eq!(json_of(about.schema.as_ref()), json!({"type": "object", "required": ["amount"]}));
        assert_eq!((json_of(about.example.as_ref()), about.deprecated), (json!({"amount": 1.5}), true));
        assert_eq!(
            one(&json!({"description": "of all", "post": {}}), &json!({})).unwrap().description.as_deref(),
            Some("of all")
        );
        assert_eq!(one(&json!({"post": {}}), &json!({})), Ok(About::default()));
    }

    #[test]
    fn numbers_keep_their_letters_and_fields_their_order() {
        let webhooks = r#"{"a":{"post":{"requestBody":{"content":{"application/json":{"schema":{"minimum":1.10,"maximum":12345678901234567890123}}}}}}}"#;
        let about = read(webhooks, None).unwrap().remove(0).1.unwrap().1;
        assert_eq!(about.schema.as_deref(), Some(r#"{"minimum":1.10,"maximum":12345678901234567890123}"#));
    }

    #[test]
    fn what_a_schema_refers_to_comes_along_whatever_the_way() {
        let components = json!({"schemas": {
            "Invoice": {"type": "object", "properties": {
                "money": {"$ref": "#/components/schemas/Money"},
                "parent": {"$ref": "#/components/schemas/Invoice"},
                "first": {"$ref": "#/components/schemas/Invoice/properties/money"},
                "odd": {"$ref": "#/components/schemas/a~1b%20c"},
                "$ref": {"const": {"$ref": "#/components/schemas/Money"}},
            }},
            "Money": {"type": "integer", "minimum": 0},
            "a/b c": {"type": "string"},
            "Unused": {"type": 7},
        }});
        let about = one(&body(&json!({"schema": {"$ref": "#/components/schemas/Invoice"}})), &components).unwrap();
        let text = about.schema.unwrap();
        assert!(
            !text.contains("Unused") && text.contains(r##""const":{"$ref":"#/components/schemas/Money"}"##),
            "{text}"
        );
        let schema = Schema::new(&text).unwrap();
        for (data, fits) in [
            (json!({"money": 1, "parent": {"parent": {"money": 2}}, "first": 3, "odd": "x"}), true),
            (json!({"parent": {"parent": {"money": -1}}}), false),
            (json!({"first": -1}), false),
            (json!({"odd": 1}), false),
        ] {
            assert_eq!(schema.judge(&data.to_string()).is_ok(), fits, "{data}");
        }
        let own = json!({"$defs": {"Money": false}, "allOf": [{"$ref": "#/components/schemas/Money"}]});
        let text = one(&body(&json!({"schema": own})), &components).unwrap().schema.unwrap();
        assert!(Schema::new(&text).unwrap().judge("1").is_ok(), "its own names are kept apart: {text}");
    }

    #[test]
    fn components_stand_for_what_refers_to_them() {
        let components = json!({
            "pathItems": {"Paid": {"post": {"requestBody": {"$ref": "#/components/requestBodies/Paid"}}}},
            "requestBodies": {"Paid": {"content": {"application/vnd.acme+json": {
                "schema": {"required": ["a"]},
                "examples": {"usual": {"$ref": "#/components/examples/Usual"}},
            }}}},
            "examples": {"Usual": {"value": {"a": 1}}, "Loop": {"$ref": "#/components/examples/Loop"}},
        });
        let about = one(&json!({"$ref": "#/components/pathItems/Paid"}), &components).unwrap();
        assert_eq!(
            (json_of(about.schema.as_ref()), json_of(about.example.as_ref())),
            (json!({"required": ["a"]}), json!({"a": 1}))
        );
    }

    #[test]
    fn what_is_amiss_with_one_is_told_of_it_and_the_others_are_taken() {
        let good = body(&json!({"schema": true}));
        let webhooks = json!({
            "invoice.paid": good,
            "invoice paid": good,
            "webhook.disabled": good,
            "a": {"get": {}},
            "b": {"$ref": "#/components/pathItems/None"},
            "c": body(&json!({"schema": {"$ref": "#/components/schemas/None"}})),
            "d": body(&json!({"schema": {"$ref": "https://elsewhere.example/"}})),
            "e": body(&json!({"schema": {"type": "int"}})),
            "f": body(&json!({"schema": {"required": ["x"]}, "example": {}})),
            "g": body(&json!({"example": {"$ref": "#/components/examples/Loop"}})),
            "h": body(&json!({"schema": {"allOf": vec![json!({"$ref": "#/components/schemas/Large"}); 3]}})),
            "i": {"post": {"description": "x".repeat(2001)}},
            "last": good,
        });
        let components = json!({
            "schemas": {"Large": {"title": "x".repeat(33_000)}},
            "examples": {"Loop": {"$ref": "#/components/examples/Loop"}},
        });
        let told: Vec<String> = imported(&webhooks, &components)
            .into_iter()
            .map(|(name, result)| {
                format!("{name}: {}", result.map_or_else(|refusal| refusal.invalid().field, |_| "taken".to_owned()))
            })
            .collect();
        let expected = [
            "invoice.paid: taken",
            "invoice paid: name",
            "webhook.disabled: name",
            "a: post",
            "b: webhook",
            "c: schema",
            "d: schema",
            "e: schema",
            "f: example",
            "g: example",
            "h: schema",
            "i: description",
            "last: taken",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_document_has_bounds() {
        let many = |count: usize| {
            let all: serde_json::Map<String, Json> =
                (0..count).map(|n| (format!("t{n}"), json!({"post": {}}))).collect();
            read(&Json::from(all).to_string(), None).map(|all| all.len()).map_err(|invalid| invalid.field)
        };
        assert_eq!((many(MAX_WEBHOOKS), many(MAX_WEBHOOKS + 1)), (Ok(MAX_WEBHOOKS), Err("webhooks".to_owned())));
        assert!(read("[]", None).is_err() && read("{}", Some("[]")).is_err());
    }

    /// Each component refers to the next one twice: followed one by one that would be 2^300.
    #[test]
    fn what_refers_to_much_is_gathered_once() {
        let reference = |n: u32| json!({"$ref": format!("#/components/schemas/S{n}")});
        let schemas: serde_json::Map<String, Json> = (0..300)
            .map(|n| (format!("S{n}"), json!({"properties": {"a": reference(n + 1), "b": reference(n + 1)}})))
            .chain([("S300".to_owned(), json!({"type": "integer"}))])
            .collect();
        let about = one(&body(&json!({"schema": reference(0)})), &json!({"schemas": schemas})).unwrap();
        assert!(about.schema.unwrap().len() < 32_768);
    }
}
