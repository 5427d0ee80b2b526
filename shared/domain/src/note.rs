//! What is written down about something that is set aside: where it came from, why it lies there, and what it says.

use serde_json::{Map, Value, json};

use crate::id::TenantId;
use crate::invalid::excerpt;
use crate::key::hash_of;
use crate::schema::Fault;

/// What a queue's message holds.
const MAX_BYTES: usize = 1024 * 1024;

/// A note for a queue that a person looks into.
#[derive(Debug)]
pub struct Note {
    fields: Map<String, Value>,
    /// What finds the thing elsewhere, should it be too large to be kept here.
    places: Map<String, Value>,
    content: Option<(&'static str, String)>,
    group: Option<TenantId>,
}

impl Note {
    /// A note about something from `source`.
    pub fn new(source: &str) -> Self {
        let fields = [("v".to_owned(), json!(1)), ("source".to_owned(), json!(source))];
        Self { fields: fields.into_iter().collect(), places: Map::new(), content: None, group: None }
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// With whom it concerns, where that is known: in a queue that is worked off one tenant's notes hold up no other's.
    #[must_use]
    pub fn of_tenant(mut self, tenant: Option<TenantId>) -> Self {
        self.group = tenant;
        self
    }

    /// The group of its message.
    pub fn group(&self) -> Option<&str> {
        self.group.as_ref().map(TenantId::as_str)
    }

    /// With the reason why it is set aside.
    #[must_use]
    pub fn because(self, reason: &str) -> Self {
        self.with("reason", reason)
    }

    /// With what is amiss within it, where a schema says so.
    #[must_use]
    pub fn amiss(self, faults: &[Fault]) -> Self {
        if faults.is_empty() { self } else { self.with("errors", json!(faults)) }
    }

    /// With a text of its sender's that tells which one it is, where the thing itself is not there.
    #[must_use]
    pub fn about(mut self, name: &str, text: &Option<String>) -> Self {
        if let Some(text) = text {
            self.places.insert(name.to_owned(), json!(excerpt(text)));
        }
        self
    }

    /// With what it says, whole where the queue holds it.
    #[must_use]
    pub fn holding(mut self, name: &'static str, text: &str) -> Self {
        self.content = Some((name, text.to_owned()));
        self
    }

    /// The note as a message's body: without the thing itself where that is too large, but with its size and SHA-256.
    pub fn text(&self) -> String {
        let mut fields = self.fields.clone();
        let Some((name, content)) = &self.content else {
            fields.extend(self.places.clone());
            return escaped(&fields);
        };
        fields.insert((*name).to_owned(), json!(content));
        let whole = escaped(&fields);
        if whole.len() <= MAX_BYTES {
            return whole;
        }
        fields.shift_remove(*name);
        fields.extend(self.places.clone());
        fields.insert(format!("{name}_bytes"), json!(content.len()));
        fields.insert(format!("{name}_sha256"), json!(hash_of(content)));
        escaped(&fields)
    }
}

/// SQS refuses these two, which JSON can say otherwise; the other characters that it refuses are escaped anyway.
fn escaped(fields: &Map<String, Value>) -> String {
    let text = serde_json::to_string(fields).unwrap_or_default();
    text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}
