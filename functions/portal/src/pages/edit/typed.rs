//! What a webhook's form says, field by field as it was typed; and what the API is asked for by it.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::pairs::Pairs;
use super::settings::Settings;
use crate::form::{self, Errors, Form};
use crate::json::{self, NoObject};
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
            url: form.line("url"),
            name: form.line("name"),
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
            content_type: form.line("content_type"),
            retries: Retries::named(&form.text("retries")),
            retry_schedule: form.text("retry_schedule"),
            more_rows: false,
        }
    }

    /// How settings would have been typed, as a browser sends them back.
    pub(super) fn of(settings: &Settings) -> Self {
        let text = |name| settings.get::<Option<String>>(name).unwrap_or_default();
        let number = |name| settings.get::<Option<u64>>(name).map(|value| value.to_string()).unwrap_or_default();
        let schedule = settings.get::<Option<Vec<u64>>>("retry_schedule");
        let filter = settings.text("filter");
        Self {
            url: form::line(&text("url")),
            name: form::line(&text("name")),
            description: form::lines(&text("description")),
            events: settings.get("events"),
            filter: if filter == "null" { String::new() } else { form::lines(&json::pretty(filter)) },
            headers: Pairs::of(&settings.get("headers")),
            metadata: Pairs::of(&settings.get("metadata")),
            rate_limit: number("rate_limit"),
            timeout_seconds: number("timeout_seconds"),
            content_type: form::line(&text("content_type")),
            retries: match schedule.as_deref() {
                None => Retries::Usual,
                Some([]) => Retries::None,
                Some(_) => Retries::Own,
            },
            retry_schedule: written(schedule.as_deref().unwrap_or_default()),
            ..Self::default()
        }
    }

    /// The same, where all but what stands in these fields is as it is there.
    pub(super) fn over<'a>(self, present: &Settings, own: impl IntoIterator<Item = &'a str>) -> Self {
        let mut typed = Self::of(present);
        for name in own {
            match name {
                "url" => typed.url.clone_from(&self.url),
                "name" => typed.name.clone_from(&self.name),
                "description" => typed.description.clone_from(&self.description),
                "events" => {
                    typed.events.clone_from(&self.events);
                    typed.patterns.clone_from(&self.patterns);
                }
                "filter" => typed.filter.clone_from(&self.filter),
                "headers" => typed.headers = self.headers.clone(),
                "metadata" => typed.metadata = self.metadata.clone(),
                "rate_limit" => typed.rate_limit.clone_from(&self.rate_limit),
                "timeout_seconds" => typed.timeout_seconds.clone_from(&self.timeout_seconds),
                "content_type" => typed.content_type.clone_from(&self.content_type),
                "retry_schedule" => {
                    typed.retries = self.retries;
                    typed.retry_schedule.clone_from(&self.retry_schedule);
                }
                _ => {}
            }
        }
        Self { test_event: self.test_event, test_data: self.test_data, more_rows: self.more_rows, ..typed }
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
    pub(super) fn settings(&self, texts: &Texts, errors: &mut Errors) -> Settings {
        let words = &texts.edit;
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let events = self.asked_for();
        if events.is_empty() {
            errors.add("events", words.events.none);
        }
        let filter = if self.filter.is_empty() { None } else { object(texts, "filter", &self.filter, errors) };
        let mut number = |field: &str, text: &str| match text.parse::<u64>() {
            _ if text.is_empty() => None,
            Ok(number) => Some(number),
            Err(_) => {
                errors.add(field, words.not_a_number);
                None
            }
        };
        let mut settings = Settings::default();
        settings.set("url", &self.url);
        settings.set("events", &events);
        settings.set("name", &text(&self.name));
        settings.set("description", &text(&self.description));
        settings.set("filter", &filter.as_deref().and_then(json::compact));
        settings.set("rate_limit", &number("rate_limit", &self.rate_limit));
        settings.set("timeout_seconds", &number("timeout_seconds", &self.timeout_seconds));
        settings.set("content_type", &text(&self.content_type));
        settings.set("headers", &self.headers.settings(texts, "headers", errors));
        settings.set("metadata", &self.metadata.settings(texts, "metadata", errors));
        settings.set("retry_schedule", &self.schedule(texts, errors));
        settings
    }

    fn schedule(&self, texts: &Texts, errors: &mut Errors) -> Option<Vec<u64>> {
        let waits = self.retry_schedule.split([',', ' ', '\n']).filter(|wait| !wait.is_empty());
        let waits: Option<Vec<u64>> = waits.map(|wait| wait.parse().ok()).collect();
        match (self.retries, waits) {
            (Retries::Usual, _) => None,
            (Retries::None, _) => Some(Vec::new()),
            (Retries::Own, Some(waits)) if !waits.is_empty() => Some(waits),
            (Retries::Own, _) => {
                errors.add("retry_schedule", texts.edit.not_a_schedule);
                None
            }
        }
    }
}

fn written(schedule: &[u64]) -> String {
    schedule.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// A JSON object that was typed.
pub(super) fn object(texts: &Texts, field: &str, text: &str, errors: &mut Errors) -> Option<Box<RawValue>> {
    match json::object(text) {
        Ok(value) => return Some(value),
        Err(NoObject::NoObject) => errors.add(field, texts.edit.not_an_object),
        Err(NoObject::NoJson(line, column)) => errors.add(field, (texts.edit.not_json)(line, column)),
    }
    None
}

/// Of what a form asks for, what is different from how it was drawn: what somebody left as it was is not touched, whatever has become of it
/// meanwhile.
pub(super) fn changes(texts: &Texts, drawn: &Settings, wanted: Settings) -> Settings {
    let sent_back = Typed::of(drawn).settings(texts, &mut Errors::default());
    wanted.other_than(&sent_back).with_values_of(drawn)
}

/// Of these changes, those of settings that somebody else has changed as well since the form was drawn, and not to the same.
pub(super) fn overtaken(texts: &Texts, changes: &Settings, drawn: &Settings, present: &Settings) -> Vec<String> {
    let as_typed = Typed::of(present).settings(texts, &mut Errors::default());
    let is_others = |name: &str| present.text(name) != drawn.text(name);
    let is_other = |name: &str| ![present.text(name), as_typed.text(name)].contains(&changes.text(name));
    changes.names().filter(|name| is_others(name) && is_other(name)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::answers::Webhook;
    use crate::texts::Language;

    fn webhook(more: &Value) -> Settings {
        let mut told = json!({
            "id": "wh_1", "url": "https://hooks.example.com/", "events": ["b.*", "a"], "status": "active",
            "created_at": "2026-01-15T14:30:00.000Z",
        });
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Settings::of(&serde_json::from_str::<Webhook>(&told.to_string()).unwrap())
    }

    fn changes(drawn: &Settings, wanted: Settings) -> Map<String, Value> {
        serde_json::from_str(&super::changes(Language::English.texts(), drawn, wanted).to_carry()).unwrap()
    }

    fn settings(typed: &Typed) -> Result<Settings, Vec<String>> {
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
        let blank = Typed { url: before.get("url"), events: before.get("events"), ..Typed::blank() };
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
