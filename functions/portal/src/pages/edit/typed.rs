//! What a webhook's form says, field by field as it was typed; and what the API is asked for by it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::pairs::Pairs;
use crate::answers::Webhook;
use crate::form::{Errors, Form};
use crate::texts::Texts;

/// What is to be done when a request fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Retries {
    #[default]
    Usual,
    Own,
    None,
}

impl Retries {
    pub(super) const ALL: [Self; 3] = [Self::Usual, Self::Own, Self::None];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Own => "own",
            Self::None => "none",
        }
    }

    fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.name() == name).unwrap_or_default()
    }
}

/// See above.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) description: String,
    /// The patterns that are ticked, or asked for.
    pub(super) events: BTreeSet<String>,
    /// Those that were written, a line each.
    pub(super) patterns: String,
    pub(super) filter: String,
    pub(super) test_event: String,
    pub(super) test_data: String,
    pub(super) headers: Pairs,
    pub(super) metadata: Pairs,
    pub(super) rate_limit: String,
    pub(super) timeout_seconds: String,
    pub(super) content_type: String,
    pub(super) retries: Retries,
    pub(super) retry_schedule: String,
    /// Whether there is to be room for more headers and notes.
    pub(super) more_rows: bool,
}

impl Typed {
    pub(super) fn blank() -> Self {
        Self::default()
    }

    /// What a form was sent with.
    pub(super) fn read(form: &Form) -> Self {
        Self {
            url: form.text("url"),
            name: form.text("name"),
            description: form.text("description"),
            events: form.all("events").map(str::to_owned).collect(),
            patterns: form.text("patterns"),
            filter: form.text("filter"),
            test_event: form.text("test_event"),
            test_data: form.text("test_data"),
            headers: Pairs::read(form, "headers"),
            metadata: Pairs::read(form, "metadata"),
            rate_limit: form.text("rate_limit"),
            timeout_seconds: form.text("timeout_seconds"),
            content_type: form.text("content_type"),
            retries: Retries::named(&form.text("retries")),
            retry_schedule: form.text("retry_schedule"),
            more_rows: false,
        }
    }

    /// How a webhook would have been typed.
    pub(super) fn of(webhook: &Webhook) -> Self {
        let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let schedule = webhook.retry_schedule.as_deref();
        Self {
            url: webhook.url.clone(),
            name: webhook.name.clone().unwrap_or_default(),
            description: webhook.description.clone().unwrap_or_default(),
            events: webhook.events.iter().cloned().collect(),
            filter: webhook.filter.as_ref().map(|filter| format!("{filter:#}")).unwrap_or_default(),
            headers: Pairs::of(&webhook.headers),
            metadata: Pairs::of(&webhook.metadata),
            rate_limit: number(webhook.rate_limit),
            timeout_seconds: number(webhook.timeout_seconds),
            content_type: webhook.content_type.clone().unwrap_or_default(),
            retries: match schedule {
                None => Retries::Usual,
                Some([]) => Retries::None,
                Some(_) => Retries::Own,
            },
            retry_schedule: written(schedule.unwrap_or_default()),
            ..Self::default()
        }
    }

    /// Everything that it asks for: those that are ticked, and those that are written.
    pub(super) fn asked_for(&self) -> BTreeSet<&str> {
        let written = self.patterns.split([',', '\n', ' ', '\t', '\r']).filter(|pattern| !pattern.is_empty());
        self.events.iter().map(String::as_str).chain(written).collect()
    }

    /// Whether anything stands in the part that few need.
    pub(super) fn has_more(&self) -> bool {
        let texts = [&self.rate_limit, &self.timeout_seconds, &self.content_type];
        let is_usual = texts.iter().all(|text| text.is_empty()) && self.retries == Retries::Usual;
        self.more_rows || !is_usual || !self.headers.is_empty() || !self.metadata.is_empty()
    }

    /// A webhook's settings as the API has them, null where there is none; or what is wrong with which field.
    pub(super) fn settings(&self, texts: &Texts, errors: &mut Errors) -> Map<String, Value> {
        let words = &texts.edit;
        let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        let events = self.asked_for();
        if events.is_empty() {
            errors.add("events", words.events.none);
        }
        let filter = if self.filter.is_empty() { Value::Null } else { object(texts, "filter", &self.filter, errors) };
        let mut number = |field: &str, text: &str| match text.parse::<u64>() {
            _ if text.is_empty() => Value::Null,
            Ok(number) => json!(number),
            Err(_) => {
                errors.add(field, words.not_a_number);
                Value::Null
            }
        };
        let rate_limit = number("rate_limit", &self.rate_limit);
        let timeout = number("timeout_seconds", &self.timeout_seconds);
        let settings = json!({
            "url": self.url,
            "events": events,
            "name": text(&self.name),
            "description": text(&self.description),
            "filter": filter,
            "headers": self.headers.settings(texts, "headers", errors),
            "metadata": self.metadata.settings(texts, "metadata", errors),
            "rate_limit": rate_limit,
            "timeout_seconds": timeout,
            "content_type": text(&self.content_type),
            "retry_schedule": self.schedule(texts, errors),
        });
        let Value::Object(settings) = settings else { return Map::new() };
        settings
    }

    fn schedule(&self, texts: &Texts, errors: &mut Errors) -> Value {
        let waits = self.retry_schedule.split([',', ' ', '\n']).filter(|wait| !wait.is_empty());
        let waits: Option<Vec<u64>> = waits.map(|wait| wait.parse().ok()).collect();
        match (self.retries, waits) {
            (Retries::Usual, _) => Value::Null,
            (Retries::None, _) => json!([]),
            (Retries::Own, Some(waits)) if !waits.is_empty() => json!(waits),
            (Retries::Own, _) => {
                errors.add("retry_schedule", texts.edit.not_a_schedule);
                Value::Null
            }
        }
    }
}

fn written(schedule: &[u64]) -> String {
    schedule.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// A JSON object that was typed.
pub(super) fn object(texts: &Texts, field: &str, text: &str, errors: &mut Errors) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value) if value.is_object() => return value,
        Ok(_) => errors.add(field, texts.edit.not_an_object),
        Err(error) => errors.add(field, (texts.edit.not_json)(error.line(), error.column())),
    }
    Value::Null
}

/// Of what a form asks for, what is different from how a webhook is: what stays is not touched.
pub(super) fn changes(webhook: &Webhook, wanted: Map<String, Value>) -> Map<String, Value> {
    let map = |map: &BTreeMap<String, String>| if map.is_empty() { Value::Null } else { json!(map) };
    let present = json!({
        "url": webhook.url,
        "events": webhook.events.iter().collect::<BTreeSet<_>>(),
        "name": webhook.name,
        "description": webhook.description,
        "filter": webhook.filter,
        "headers": map(&webhook.headers),
        "metadata": map(&webhook.metadata),
        "rate_limit": webhook.rate_limit,
        "timeout_seconds": webhook.timeout_seconds,
        "content_type": webhook.content_type,
        "retry_schedule": webhook.retry_schedule,
    });
    wanted.into_iter().filter(|(name, value)| present[name] != *value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;

    fn webhook(more: &Value) -> Webhook {
        let mut told = json!({
            "id": "wh_1", "url": "https://hooks.example.com/", "events": ["b.*", "a"], "status": "active",
            "created_at": "2026-01-15T14:30:00.000Z",
        });
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(told).unwrap()
    }

    fn settings(typed: &Typed) -> Result<Map<String, Value>, Vec<String>> {
        let mut errors = Errors::default();
        let settings = typed.settings(Language::English.texts(), &mut errors);
        if errors.is_empty() { Ok(settings) } else { Err(errors.iter().map(|(field, _)| field.to_owned()).collect()) }
    }

    fn full() -> Value {
        json!({
            "name": "ERP", "description": "note", "filter": {"data": {"amount": [{"numeric": [">", 1000]}]}},
            "headers": {"x-team": "***"}, "metadata": {"cost_center": "4711"}, "rate_limit": 50, "timeout_seconds": 10,
            "content_type": "application/cloudevents+json", "retry_schedule": [60, 600],
        })
    }

    #[test]
    fn a_form_that_is_sent_back_as_it_came_changes_nothing() {
        for more in [json!({}), full(), json!({"retry_schedule": []})] {
            let webhook = webhook(&more);
            let wanted = settings(&Typed::of(&webhook)).unwrap();
            assert_eq!(changes(&webhook, wanted), Map::new(), "{more}");
        }
    }

    #[test]
    fn what_is_emptied_goes_and_what_is_typed_comes() {
        let before = webhook(&full());
        let blank =
            Typed { url: before.url.clone(), events: before.events.iter().cloned().collect(), ..Typed::blank() };
        let gone = changes(&before, settings(&blank).unwrap());
        assert!(gone.len() == 9 && gone.values().all(Value::is_null), "{gone:?}");
        let typed = Typed {
            url: "https://other.example.com/".to_owned(),
            patterns: "c.d\nb.*, e.*".to_owned(),
            filter: "{\"event\": [\"a\"]}".to_owned(),
            rate_limit: "7".to_owned(),
            retries: Retries::None,
            ..Typed::of(&before)
        };
        let changed = changes(&before, settings(&typed).unwrap());
        let expected = json!({
            "url": "https://other.example.com/", "events": ["a", "b.*", "c.d", "e.*"], "filter": {"event": ["a"]}, "rate_limit": 7,
            "retry_schedule": [],
        });
        assert_eq!(Value::Object(changed), expected);
    }

    #[test]
    fn what_makes_no_sense_is_told_at_its_field() {
        let good = Typed::of(&webhook(&full()));
        for (typed, field) in [
            (Typed { events: BTreeSet::new(), ..good.clone() }, "events"),
            (Typed { filter: "{\"a\": ".to_owned(), ..good.clone() }, "filter"),
            (Typed { filter: "[1]".to_owned(), ..good.clone() }, "filter"),
            (Typed { rate_limit: "many".to_owned(), ..good.clone() }, "rate_limit"),
            (Typed { timeout_seconds: "-1".to_owned(), ..good.clone() }, "timeout_seconds"),
            (Typed { retry_schedule: "60, soon".to_owned(), ..good.clone() }, "retry_schedule"),
            (Typed { retry_schedule: String::new(), ..good.clone() }, "retry_schedule"),
        ] {
            assert_eq!(settings(&typed).unwrap_err(), [field]);
        }
    }
}
