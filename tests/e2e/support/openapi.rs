//! The API's document, which every call of every test is held to: each answer, and each request that was taken.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use super::schema::Judge;
use super::stack::Stack;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../../docs/openapi.json");
    serde_json::from_str(text).expect("the document is JSON")
});

/// An operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// As the document has it, with `{…}` where something is named.
    pub(crate) path: &'static str,
    says: &'static Value,
}

/// All of them, in the document's order.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    let paths = DOCUMENT["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(|(method, says)| Operation { method: method.as_str(), path: path.as_str(), says })
    })
}

impl Operation {
    /// Whether it asks who calls.
    pub(crate) fn is_for_somebody(&self) -> bool {
        self.says["security"].as_array().is_some_and(|ways| !ways.is_empty())
    }

    /// Whether callers may say who they are by this scheme.
    pub(crate) fn wants(&self, scheme: &str) -> bool {
        self.says["security"].as_array().into_iter().flatten().any(|way| way.get(scheme).is_some())
    }

    /// The scope that a key needs.
    pub(crate) fn scope(&self) -> Option<&'static str> {
        self.says["security"][0].as_object()?.values().next()?[0].as_str()
    }

    /// The capability that a session in the portal needs; nothing where none is let in.
    pub(crate) fn capability(&self) -> Option<&'static str> {
        let ways = self.says["security"].as_array().into_iter().flatten();
        ways.filter_map(|way| way.get("session")?[0].as_str()).next()
    }

    /// A good request's body.
    pub(crate) fn example(&self) -> Option<&'static Value> {
        self.says.pointer("/requestBody/content/application~1json/example")
    }

    /// A path with the document's examples in place of what is named.
    pub(crate) fn filled(&self, path: &str) -> String {
        let named = self.says["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path");
        named.fold(path.to_owned(), |path, one| {
            let (name, example) = (one["name"].as_str(), resolved(&one["schema"])["examples"][0].as_str());
            path.replace(&format!("{{{}}}", name.unwrap_or_default()), example.unwrap_or_default())
        })
    }
}

/// A call and its answer.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    /// The path, with a query behind it.
    pub(crate) target: &'a str,
    pub(crate) sent: Option<&'a str>,
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) answered: &'a str,
}

impl Exchange<'_> {
    /// Holds it to the document, and notes what was seen.
    pub(crate) fn hold(&self) {
        let faults = self.faults();
        assert!(
            faults.is_empty(),
            "docs/openapi.json says otherwise of {} {}, which answered {} {}:\n{}",
            self.method,
            self.target,
            self.status,
            self.answered,
            faults.join("\n")
        );
        if let Some(operation) = self.operation() {
            saw(operation["operationId"].as_str().unwrap_or_default(), self.status);
        }
    }

    /// What the document has of it.
    fn operation(&self) -> Option<&'static Value> {
        path_of(self.path())?.1.get(self.method.to_lowercase())
    }

    fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    fn faults(&self) -> Vec<String> {
        let path = self.path();
        let (Some((template, _)), Some(operation)) = (path_of(path), self.operation()) else {
            return self.faults_of_astray(path);
        };
        let status = self.status.to_string();
        let Some(answer) = operation["responses"].get(&status).map(resolved) else {
            return vec![format!("it documents no {status}")];
        };
        let is_page = answer.pointer("/content/text~1html").is_some();
        let mut faults = if is_page {
            self.faults_of_page()
        } else {
            self.faults_of_answer(answer.pointer("/content/application~1json/schema"))
        };
        if (200..300).contains(&self.status) {
            faults.extend(self.faults_of_request(operation, template, path));
        }
        faults
    }

    fn faults_of_answer(&self, schema: Option<&Value>) -> Vec<String> {
        let Some(schema) = schema else {
            return if self.answered.is_empty() { vec![] } else { vec!["it documents no body".to_owned()] };
        };
        if self.content_type != Some("application/json") {
            return vec![format!("it is {:?}, not JSON", self.content_type)];
        }
        match serde_json::from_str(self.answered) {
            Ok(body) => Judge { document: &DOCUMENT, closed: true }.faults(schema, &body),
            Err(error) => vec![error.to_string()],
        }
    }

    fn faults_of_page(&self) -> Vec<String> {
        let is_page = self.content_type == Some("text/html; charset=utf-8");
        if is_page { vec![] } else { vec![format!("it is {:?}, not a page", self.content_type)] }
    }

    /// A path that there is not, or a method that it does not take, has its path's shape of errors.
    fn faults_of_astray(&self, path: &str) -> Vec<String> {
        if ![401, 403, 404, 405, 503].contains(&self.status) {
            return vec!["it documents no such operation".to_owned()];
        }
        let shape = match path {
            _ if path.starts_with("/api/v1/") => "PlainError",
            _ if path == "/v1/jobs" || path.starts_with("/v1/jobs/") => "ErrorWithMeta",
            _ => "Error",
        };
        self.faults_of_answer(DOCUMENT["components"]["schemas"].get(shape))
    }

    /// What was taken is what the document lets anybody send.
    fn faults_of_request(&self, operation: &Value, template: &str, path: &str) -> Vec<String> {
        let judge = Judge { document: &DOCUMENT, closed: false };
        let mut faults = Vec::new();
        if let Some(text) = self.sent {
            let schema = operation.pointer("/requestBody/content/application~1json/schema");
            match (schema, serde_json::from_str::<Value>(text)) {
                (Some(schema), Ok(body)) => faults.extend(judge.faults(schema, &body)),
                (None, _) => faults.push("it documents no request body".to_owned()),
                // An item of a batch that no parser reads is refused in its place.
                (_, Err(_)) if template == "/v1/events/batch" => {}
                (_, Err(error)) => faults.push(format!("what was taken is no JSON: {error}")),
            }
        } else if operation["requestBody"]["required"] == true {
            faults.push("it documents that there is a request body".to_owned());
        }
        let query = self.target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let named = template.split('/').zip(path.split('/')).filter(|(name, _)| name.starts_with('{'));
        let in_path = named.map(|(name, value)| ("path", name.trim_matches(['{', '}']), value.to_owned()));
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split_once('='));
        let in_query = pairs.map(|(name, value)| ("query", name, decoded(value)));
        for (place, name, value) in in_path.chain(in_query) {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let Some(known) = parameters.clone().find(|one| one["in"] == place && one["name"] == name) else {
                faults.push(format!("it documents no {name} in the {place}"));
                continue;
            };
            let value = match known["schema"]["type"].as_str() {
                Some("integer") => value.parse::<u64>().map_or(Value::Null, Value::from),
                Some("boolean") => value.parse::<bool>().map_or(Value::Null, Value::from),
                _ => value.into(),
            };
            faults.extend(judge.faults(&known["schema"], &value).into_iter().map(|fault| format!("{name}: {fault}")));
        }
        faults
    }
}

/// A query's value as its reader sees it.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let hex = (byte == b'%').then(|| rest.clone().take(2).collect::<Vec<_>>());
        match hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest.nth(1);
            }
            None => bytes.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The path of the document that a request's path is, and its methods. One without a variable goes before one with it.
fn path_of(path: &str) -> Option<(&'static str, &'static Value)> {
    let fits = |template: &str| {
        let (mut wanted, mut there) = (template.split('/'), path.split('/'));
        let pairs = wanted
            .by_ref()
            .zip(there.by_ref())
            .all(|(wanted, there)| wanted == there || (wanted.starts_with('{') && !there.is_empty()));
        pairs && template.split('/').count() == path.split('/').count()
    };
    let fitting = DOCUMENT["paths"].as_object()?.iter().filter(|(template, _)| fits(template));
    fitting
        .min_by_key(|(template, _)| template.matches('{').count())
        .map(|(template, methods)| (template.as_str(), methods))
}

fn resolved(value: &'static Value) -> &'static Value {
    let reference = value["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    reference.map_or(value, |place| DOCUMENT.pointer(place).expect("a reference leads somewhere"))
}

/// Notes an operation with a status, once a process: `tests/openapi/coverage.py` adds up what all of them saw.
fn saw(operation: &str, status: u16) {
    static SEEN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let line = format!("{operation} {status}\n");
    if SEEN.lock().expect("no test fails while it holds this").insert(line.clone()) {
        let folder = Stack::folder().join("openapi");
        let file = folder.join(format!("{}.seen", std::process::id()));
        let noted = fs::create_dir_all(&folder)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(file))
            .and_then(|mut file| file.write_all(line.as_bytes()));
        noted.expect("what was seen can be noted beside the stack's description");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_ID: &str = "wh_0000000000000001";

    fn faults(method: &str, target: &str, sent: Option<&str>, status: u16, answered: &str) -> Vec<String> {
        let content_type = (!answered.is_empty()).then_some("application/json");
        Exchange { method, target, sent, status, content_type, answered }.faults()
    }

    #[test]
    fn a_path_with_a_word_goes_before_one_with_a_variable() {
        assert_eq!(path_of("/v1/events/batch").unwrap().0, "/v1/events/batch");
        assert_eq!(path_of("/v1/events/evt_1").unwrap().0, "/v1/events/{id}");
        assert!(path_of("/v1/events/").is_none() && path_of("/v1/events/a/b").is_none());
    }

    #[test]
    fn what_the_document_does_not_say_is_a_fault() {
        let path = format!("/v1/webhooks/{AN_ID}");
        let not_found = r#"{"error": {"code": "not_found", "message": "no such webhook"}}"#;
        assert_eq!(faults("GET", &path, None, 404, not_found), Vec::<String>::new());
        for (status, answered) in [
            (418, not_found),
            (404, r#"{"error": {"code": "gone", "message": "no such webhook"}}"#),
            (404, r#"{"error": {"code": "not_found", "message": "no such webhook"}, "more": 1}"#),
            (404, r#"{"error": "not_found"}"#),
            (404, ""),
            (200, "{}"),
        ] {
            assert!(!faults("GET", &path, None, status, answered).is_empty(), "{status} {answered}");
        }
        assert!(!faults("DELETE", &path, None, 204, "{}").is_empty());
        assert!(!faults("PUT", &path, None, 200, "{}").is_empty());
    }

    #[test]
    fn what_was_taken_though_the_document_refuses_it_is_a_fault() {
        let found = r#"{"recovery_id": "rec_0000000000000001"}"#;
        let path = format!("/v1/webhooks/{AN_ID}/recover");
        let good = r#"{"since": "2026-01-15T14:30:00Z"}"#;
        assert_eq!(faults("POST", &path, Some(good), 202, found), Vec::<String>::new());
        let bad = [None, Some("{}"), Some(r#"{"since": "2026-01-15T14:30:00Z", "more": 1}"#), Some(r#"{"since": 7}"#)];
        for sent in bad {
            assert!(!faults("POST", &path, sent, 202, found).is_empty(), "{sent:?}");
        }
        let queried = format!("{path}?limit=7");
        assert!(!faults("POST", &queried, Some(good), 202, found).is_empty());
        assert!(!faults("POST", "/v1/webhooks/x/recover", Some(good), 202, found).is_empty());
    }

    #[test]
    fn a_query_is_read_as_its_reader_does() {
        assert_eq!(decoded("2026-01-15T14%3A30%3a00%2B01:00+x%"), "2026-01-15T14:30:00+01:00 x%");
    }
}
