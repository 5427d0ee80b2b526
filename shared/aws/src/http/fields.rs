//! A body's fields, taken one by one: whatever is wrong is told by the field's own name.

use std::collections::BTreeMap;

use postrider_domain::invalid::Invalid;
use postrider_domain::json;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Fault;

/// The fields of a JSON object that have not been taken yet.
#[derive(Debug, Default)]
pub struct Fields {
    left: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Reads an object.
    ///
    /// # Errors
    /// 400 when it is anything else.
    pub fn parse(body: &[u8]) -> Result<Self, Fault> {
        let left = serde_json::from_slice(body).map_err(|_| Invalid::new("body", "a JSON object"))?;
        Ok(Self { left, known: Vec::new() })
    }

    /// Reads an object that came by another way than HTTP, checked as strictly.
    ///
    /// # Errors
    /// 400 when it is no JSON object that every parser reads alike.
    pub fn checked(text: &str) -> Result<Self, Fault> {
        json::check(text.as_bytes()).map_err(|why| Invalid::new("body", format!("valid JSON; {why}")))?;
        Self::parse(text.as_bytes())
    }

    /// Takes a field that may be missing; null counts as missing.
    ///
    /// # Errors
    /// 400 when it is there and of another type.
    pub fn take<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, Fault> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map(Some).map_err(|_| Invalid::new(name, expected).into()),
        }
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn require<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<T, Fault> {
        self.take(name, expected)?.ok_or_else(|| Invalid::new(name, expected).into())
    }

    /// Takes a field as it stands, text for text.
    pub fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.known.push(name);
        self.left.remove(name).filter(|raw| raw.get() != "null")
    }

    /// All fields but this one, text for text, as one object.
    pub fn without(&self, name: &str) -> Box<RawValue> {
        let kept: BTreeMap<&String, &RawValue> =
            self.left.iter().filter(|(known, _)| *known != name).map(|(known, raw)| (known, &**raw)).collect();
        serde_json::value::to_raw_value(&kept).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// Refuses what was not taken: a mistyped `secret` would make a webhook that signs nothing.
    ///
    /// # Errors
    /// 400 naming the first unknown field.
    pub fn finish(self) -> Result<(), Fault> {
        match self.left.into_keys().next() {
            None => Ok(()),
            Some(name) if self.known.is_empty() => Err(Invalid::new(name, "no fields").into()),
            Some(name) => Err(Invalid::new(name, format!("only the fields {}", self.known.join(", "))).into()),
        }
    }
}
