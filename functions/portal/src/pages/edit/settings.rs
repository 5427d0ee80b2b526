//! A webhook's settings, as the API has them and as a form carries them along: what was drawn is known when it comes back.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::answers::Webhook;
use crate::form;
use crate::json;

/// Each by its name, in JSON that is written in one way, null where there is none: so two that say the same are the same text.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Settings(BTreeMap<String, Box<RawValue>>);

/// Those that are names with values.
const MAPS: [&str; 2] = ["headers", "metadata"];

impl Settings {
    pub(super) fn of(webhook: &Webhook) -> Self {
        let mut settings = Self::default();
        settings.set("url", &webhook.url);
        settings.set("events", &webhook.events.iter().collect::<BTreeSet<_>>());
        settings.set("name", &webhook.name);
        settings.set("description", &webhook.description);
        settings.set("filter", &webhook.filter.as_deref().and_then(json::compact));
        settings.set("headers", &some(&webhook.headers));
        settings.set("metadata", &some(&webhook.metadata));
        settings.set("rate_limit", &webhook.rate_limit);
        settings.set("timeout_seconds", &webhook.timeout_seconds);
        settings.set("content_type", &webhook.content_type);
        settings.set("retry_schedule", &webhook.retry_schedule);
        settings
    }

    /// As a form has carried them; nothing where it has none.
    pub(super) fn carried(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// For a form to carry.
    pub(super) fn to_carry(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) {
        if let Ok(value) = to_raw_value(value) {
            self.0.insert(name.to_owned(), value);
        }
    }

    pub(super) fn get<T: DeserializeOwned + Default>(&self, name: &str) -> T {
        serde_json::from_str(self.text(name)).unwrap_or_default()
    }

    /// As JSON.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("null", |value| value.get())
    }

    /// For a reader.
    pub(super) fn in_words(&self, name: &str) -> String {
        self.get::<Option<String>>(name).unwrap_or_else(|| self.text(name).to_owned())
    }

    /// Of these, the ones that another has not, or otherwise.
    pub(super) fn other_than(mut self, other: &Self) -> Self {
        self.0.retain(|name, value| other.text(name) != value.get());
        self
    }

    pub(super) fn without_nothings(mut self) -> Self {
        self.0.retain(|_, value| value.get() != "null");
        self
    }

    /// With values of names that somebody left as they were drawn as they were before that: drawn, they lose blanks around them.
    pub(super) fn with_values_of(mut self, drawn: &Self) -> Self {
        for name in MAPS {
            let (before, mut now): (BTreeMap<String, String>, BTreeMap<String, String>) =
                (drawn.get(name), self.get(name));
            for (name, value) in &mut now {
                if let Some(before) = before.get(name).filter(|before| form::line(before) == *value) {
                    value.clone_from(before);
                }
            }
            if !now.is_empty() {
                self.set(name, &now);
            }
        }
        self
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn some(map: &BTreeMap<String, String>) -> Option<&BTreeMap<String, String>> {
    (!map.is_empty()).then_some(map)
}
