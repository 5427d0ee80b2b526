//! What the doctor is asked: as it was typed, and as the API takes it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::body::{self, Guess, Told};
use super::pasted::{self, Unread};
use crate::form::{Errors, Form};
use crate::pages::field;
use crate::texts::doctor::Doctor;

/// As it was typed.
#[derive(Debug, Default)]
pub(super) struct Question {
    pub(super) webhook_id: String,
    pub(super) secret: String,
    pub(super) headers: String,
    pub(super) body: String,
    pub(super) is_base64: bool,
    pub(super) received: String,
}

/// As the API takes it.
#[derive(Debug)]
pub(super) struct Read {
    webhook_id: String,
    secret: String,
    headers: BTreeMap<String, String>,
    /// What the body may have been.
    pub(super) guesses: Vec<Guess>,
    received: Option<Timestamp>,
}

impl Question {
    pub(super) fn of(form: &Form) -> Self {
        Self {
            webhook_id: form.text("webhook_id"),
            // A secret with a blank at its end is a mistake that the doctor knows.
            secret: form.raw("secret").to_owned(),
            headers: form.text("headers"),
            body: form.raw("body").to_owned(),
            is_base64: form.has("base64"),
            received: form.text("received"),
        }
    }

    /// What is asked; where something is amiss, it is told by its field.
    pub(super) fn read(&self, texts: &Doctor, errors: &mut Errors) -> Option<Read> {
        if self.webhook_id.is_empty() && self.secret.is_empty() {
            errors.add("webhook_id", texts.neither);
        }
        let headers = pasted::headers(&self.headers).map_err(|unread| match unread {
            Unread::Empty => texts.no_headers.to_owned(),
            Unread::Line(number) => (texts.bad_line)(&number.to_string()),
            Unread::Value(name) => (texts.bad_value)(&name),
        });
        let headers = headers.map_err(|message| errors.add("headers", message)).unwrap_or_default();
        let guesses = if self.is_base64 {
            let decoded = body::decoded(&self.body);
            decoded.map(|text| vec![Guess { text, told: Told::Nothing }])
        } else {
            Some(body::guesses(&self.body))
        };
        let guesses = guesses.unwrap_or_else(|| {
            errors.add("body", texts.no_base64);
            Vec::new()
        });
        let received = Some(self.received.as_str()).filter(|text| !text.is_empty()).and_then(|text| {
            let at = field::time_of(text);
            if at.is_none() {
                errors.add("received", texts.no_time);
            }
            at
        });
        let (webhook_id, secret) = (self.webhook_id.clone(), self.secret.clone());
        errors.is_empty().then_some(Read { webhook_id, secret, headers, guesses, received })
    }
}

impl Read {
    /// As the API is asked about one text.
    pub(super) fn asked(&self, body: &str) -> Value {
        let mut asked = Map::new();
        asked.insert("headers".to_owned(), json!(self.headers));
        asked.insert("body".to_owned(), json!(body));
        let given = [("webhook_id", &self.webhook_id), ("secret", &self.secret)];
        asked.extend(
            given.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name.to_owned(), json!(text))),
        );
        asked.extend(self.received.map(|at| ("now".to_owned(), json!(at.to_string()))));
        Value::Object(asked)
    }
}

/// The field of the form that is meant by one of the API's.
pub(super) fn field_of(field: Option<&str>) -> &'static str {
    match field.and_then(|field| field.split('.').next()).unwrap_or_default() {
        "headers" => "headers",
        "secret" => "secret",
        "now" => "received",
        "webhook_id" | "dialect" => "webhook_id",
        _ => "body",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn texts() -> &'static Doctor {
        &Language::English.texts().doctor
    }

    fn question() -> Question {
        Question::of(&Form::of(&[
            ("webhook_id", "wh_1"),
            ("secret", " whsec_x"),
            ("headers", "webhook-id: evt_1\r\n"),
            ("body", "{\r\n}"),
            ("received", "2026-01-15T14:30"),
        ]))
    }

    #[test]
    fn what_was_typed_is_asked_as_it_is() {
        let mut errors = Errors::default();
        let read = question().read(texts(), &mut errors).unwrap();
        assert_eq!(read.guesses.len(), 2);
        let asked = read.asked(&read.guesses[0].text);
        let expected = json!({
            "headers": {"webhook-id": "evt_1"}, "body": "{\n}", "webhook_id": "wh_1", "secret": " whsec_x", "now": "2026-01-15T14:30:00Z",
        });
        assert_eq!(asked, expected);
        let bare = Question {
            webhook_id: String::new(),
            received: String::new(),
            body: "e30=".to_owned(),
            is_base64: true,
            ..question()
        };
        let read = bare.read(texts(), &mut errors).unwrap();
        assert_eq!(
            read.asked(&read.guesses[0].text),
            json!({"headers": {"webhook-id": "evt_1"}, "body": "{}", "secret": " whsec_x"})
        );
    }

    #[test]
    fn what_is_amiss_is_told_by_its_field() {
        let amiss = |question: Question| {
            let mut errors = Errors::default();
            assert!(question.read(texts(), &mut errors).is_none());
            errors.iter().map(|(field, _)| field.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(amiss(Question::default()), ["webhook_id", "headers"]);
        assert_eq!(amiss(Question { headers: "no header".to_owned(), ..question() }), ["headers"]);
        assert_eq!(amiss(Question { is_base64: true, ..question() }), ["body"]);
        assert_eq!(amiss(Question { received: "yesterday".to_owned(), ..question() }), ["received"]);
        let fields = [Some("headers.a"), Some("now"), Some("dialect"), Some("body"), None].map(field_of);
        assert_eq!(fields, ["headers", "received", "webhook_id", "body", "body"]);
    }
}
