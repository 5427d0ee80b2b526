//! An operation: who may call it, what it takes, what it answers, and how it is called.

use maud::{Markup, html};
use serde_json::Value;

use super::example::{self, Example};
use super::fields::{fields, parameters};
use super::kind::kind;
use super::prose::prose;
use super::schema::shown;
use super::{list, text};

/// An operation of a document.
pub(super) struct Operation<'a> {
    pub(super) document: &'a Value,
    /// In lower case.
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) told: &'a Value,
}

const JSON: &str = "/content/application~1json";
const PLACES: [(&str, &str); 3] = [("path", "Path"), ("query", "Query"), ("header", "Headers")];

/// How a key is sent, for its reader.
pub(super) fn named(scheme: &str) -> &str {
    match scheme {
        "key" => "Bearer key",
        "keyInHeader" => "Key in X-Api-Key",
        "operator" => "Operator’s key",
        "session" => "Session in the portal",
        other => other,
    }
}

impl<'a> Operation<'a> {
    pub(super) fn id(&self) -> &'a str {
        text(&self.told["operationId"])
    }

    pub(super) fn verb(&self) -> Markup {
        html! { span.verb { (self.method.to_uppercase()) } }
    }

    /// Its section of the page.
    pub(super) fn shown(&self) -> Markup {
        html! {
            section.operation #(self.id()) data-find data-id=(self.id()) {
                h3 { (text(&self.told["summary"])) }
                p.call { (self.verb()) " " code { (self.path) } }
                p.who { (self.ways_in()) }
                (prose(text(&self.told["description"])))
                @for (place, name) in PLACES {
                    @if list(&self.told["parameters"]).any(|one| one["in"] == place) {
                        h4 { (name) }
                        (parameters(self.told, place))
                    }
                }
                (self.taken())
                h4 { "Answers" }
                dl.answers { @for (status, answer) in self.answers() { (self.answer(status, answer)) } }
                h4 { "Example" }
                (self.examples())
            }
        }
    }

    fn answers(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.told["responses"].as_object().into_iter().flatten()
    }

    /// What a reference refers to, with its name; what is none as it is.
    fn resolved(&self, value: &'a Value) -> (Option<&'a str>, &'a Value) {
        let place = value["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
        let found = place.and_then(|place| Some((place.rsplit('/').next(), self.document.pointer(place)?)));
        found.unwrap_or((None, value))
    }

    fn ways_in(&self) -> Markup {
        let ways = list(&self.told["security"]).filter_map(Value::as_object).flatten();
        let (sessions, keys): (Vec<_>, Vec<_>) = ways.partition(|(scheme, _)| *scheme == "session");
        html! {
            @if sessions.is_empty() && keys.is_empty() { "No key." }
            @for (at, (scheme, _)) in keys.iter().enumerate() {
                @if at > 0 { " or " }
                a href={ "#key-" (scheme) } { (named(scheme)) }
            }
            @if let Some(scope) = keys.first().and_then(|(_, scopes)| scopes[0].as_str()) { " with the scope " code { (scope) } }
            @for (scheme, capabilities) in sessions {
                @if !keys.is_empty() { ", or " }
                a href={ "#key-" (scheme) } { (named(scheme)) }
                @if let Some(capability) = capabilities[0].as_str() { " with the capability " code { (capability) } }
            }
        }
    }

    fn taken(&self) -> Markup {
        let Some(body) = self.told["requestBody"].pointer(JSON) else { return html! {} };
        let (_, schema) = self.resolved(&body["schema"]);
        html! {
            h4 { "Body" @if self.told["requestBody"]["required"] != true { ", which may be left out" } }
            p { (kind(&body["schema"])) }
            @if schema["properties"].is_object() { (fields(schema)) } @else { (shown(schema)) }
        }
    }

    fn answer(&self, status: &str, answer: &'a Value) -> Markup {
        let (name, answer) = self.resolved(answer);
        html! {
            div {
                dt { code { (status) } }
                dd {
                    (prose(text(&answer["description"])))
                    @if let Some(name) = name {
                        p { a href={ "#answer-" (name) } { (name) } }
                    } @else {
                        (body(answer))
                    }
                }
            }
        }
    }

    fn examples(&self) -> Markup {
        let example = Example {
            method: self.method.to_uppercase(),
            path: self.path,
            scheme: list(&self.told["security"]).next().and_then(Value::as_object).and_then(|way| way.keys().next()),
            body: self.told["requestBody"].pointer(JSON).map(|body| &body["example"]),
        };
        let in_path: Vec<_> = list(&self.told["parameters"]).filter(|one| one["in"] == "path").collect();
        html! {
            @if !in_path.is_empty() {
                p {
                    "From the environment: "
                    @for (at, one) in in_path.iter().enumerate() {
                        @if at > 0 { ", " }
                        code {
                            (example::variable(text(&one["name"]))) "="
                            (self.resolved(&one["schema"]).1.pointer("/examples/0").map(text).unwrap_or_default())
                        }
                    }
                }
            }
            @for (language, name, program) in
                [("curl", "curl", example.in_curl()), ("python", "Python", example.in_python()), ("node", "Node", example.in_node())]
            {
                details open[language == "curl"] {
                    summary { (name) }
                    pre { code data-example=(language) { (program) } }
                }
            }
        }
    }
}

/// What an answer has beside its words.
pub(super) fn body(answer: &Value) -> Markup {
    let own = answer["headers"].as_object().into_iter().flatten().filter(|(name, _)| *name != "x-request-id");
    let own: Vec<_> = own.map(|(name, _)| name).collect();
    html! {
        @if !own.is_empty() {
            p { "Headers:" @for name in own { " " code { (name) } } }
        }
        @if let Some(body) = answer.pointer(JSON) {
            p { "Body: " (kind(&body["schema"])) }
            details {
                summary { "Example" }
                pre { code { (serde_json::to_string_pretty(&body["example"]).unwrap_or_default()) } }
            }
        }
    }
}
