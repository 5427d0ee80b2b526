//! A body's fields, taken one by one: whatever is wrong is told by the field's own name.
//!
//! Every object that somebody sends is read here, whichever way it came: a request's body, an item of a batch, what a bus
//! brings or an invocation says. So what is refused at one door is refused at all.

use std::collections::BTreeMap;
use std::fmt;

use postrider_domain::invalid::Invalid;
use postrider_domain::json;
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Fault;

/// The fields of a JSON object that have not been taken yet.
#[derive(Debug, Default)]
pub struct Fields {
    /// Where the object stands in a larger one, `projects[2].` for instance; nothing for the whole.
    place: String,
    left: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Reads an object that every parser reads alike.
    ///
    /// # Errors
    /// 400 when it is anything else, naming the field that is amiss.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        Self::at(String::new(), text)?.checked(|_| true)
    }

    /// Reads an object whose field `list` is checked by whoever takes it apart, item by item.
    ///
    /// # Errors
    /// As [`Fields::read`].
    pub fn around(list: &str, text: &[u8]) -> Result<Self, Fault> {
        Self::at(String::new(), text)?.checked(|name| name != list)
    }

    /// Reads an object that stands at `place` in one that was read already.
    ///
    /// # Errors
    /// 400 when it is none.
    pub fn inner(place: &str, text: &RawValue) -> Result<Self, Fault> {
        Self::at(format!("{place}."), text.get().as_bytes())
    }

    fn at(place: String, text: &[u8]) -> Result<Self, Fault> {
        let of_whole = |expected: String| {
            let field = if place.is_empty() { "body" } else { place.trim_end_matches('.') };
            Fault::from(Invalid::new(field, expected))
        };
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(of_whole("a JSON object".to_owned()));
        }
        let mut parser = serde_json::Deserializer::from_slice(text);
        let read = parser.deserialize_map(Once).and_then(|left| parser.end().map(|()| left));
        let left = read.map_err(|error| of_whole(format!("valid JSON; {error}")))?;
        Ok(Self { place, left, known: Vec::new() })
    }

    fn checked(self, which: impl Fn(&str) -> bool) -> Result<Self, Fault> {
        for (name, raw) in self.left.iter().filter(|(name, _)| which(name)) {
            json::check_field(raw.get()).map_err(|why| self.invalid(name, format!("valid JSON; {why}")))?;
        }
        Ok(self)
    }

    /// Takes a field that may be missing; null counts as missing.
    ///
    /// # Errors
    /// 400 when it is there and of another type.
    pub fn take<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, Fault> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map(Some).map_err(|_| self.invalid(name, expected)),
        }
    }

    /// Takes a field that may be missing, but not null: a secret, for instance, that somebody meant to send.
    ///
    /// # Errors
    /// 400 when it is there and of another type, or null.
    pub fn take_value<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, Fault> {
        match self.change(name, expected)? {
            Some(None) => Err(self.invalid(name, expected)),
            value => Ok(value.flatten()),
        }
    }

    /// Takes a field of a change: missing, it stays; null, it goes.
    ///
    /// # Errors
    /// 400 when it is there and of another type.
    pub fn change<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<Option<T>>, Fault> {
        let is_there = self.left.contains_key(name);
        Ok(self.take(name, expected)?.map_or(is_there.then_some(None), |value| Some(Some(value))))
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn require<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<T, Fault> {
        self.take(name, expected)?.ok_or_else(|| self.invalid(name, expected))
    }

    /// Takes a field as it stands, text for text.
    pub fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.known.push(name);
        self.left.remove(name).filter(|raw| raw.get() != "null")
    }

    /// What is said of a field that is not as expected, by its whole place.
    pub fn invalid(&self, name: &str, expected: impl Into<String>) -> Fault {
        Invalid::new(format!("{}{name}", self.place), expected).into()
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
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) if self.known.is_empty() => Err(self.invalid(name, "no fields")),
            Some(name) => Err(self.invalid(name, format!("only the fields {}", self.known.join(", ")))),
        }
    }
}

/// Builds an object's fields, each key once: of two that are the same, parsers choose differently.
struct Once;

impl<'de> Visitor<'de> for Once {
    type Value = BTreeMap<String, Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            json::check_key(&key, !fields.contains_key(&key)).map_err(A::Error::custom)?;
            fields.insert(key, entries.next_value()?);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(read: Result<Fields, Fault>) -> String {
        read.map(drop).expect_err("it should be refused").message().to_owned()
    }

    #[test]
    fn what_is_amiss_is_named_at_every_depth() {
        for (text, field, why) in [
            ("[]", "body", "object"),
            ("null", "body", "object"),
            ("", "body", "object"),
            ("{", "body", "valid JSON"),
            ("{} {}", "body", "trailing"),
            (r#"{"a":1,"a":2}"#, "body", "twice"),
            (r#"{"a":1,"\u0061":2}"#, "body", "twice"),
            (r#"{"a\u0000":1}"#, "body", "NUL"),
            (r#"{"a":{"b":1,"b":2}}"#, "a", "twice"),
            (r#"{"a":1e400}"#, "a", "out of range"),
            (r#"{"a":"\ud800"}"#, "a", "hex escape"),
            (r#"{"a":["\u0000"]}"#, "a", "NUL"),
        ] {
            let said = refusal(Fields::read(text.as_bytes()));
            assert!(said.starts_with(&format!("`{field}`")) && said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn a_list_is_left_to_whoever_takes_it_apart() {
        let text = br#"{"events":[{"a":1,"a":2}],"more":1}"#;
        assert!(Fields::around("events", text).is_ok());
        assert!(refusal(Fields::around("more", text)).contains("`events`"));
    }

    #[test]
    fn no_more_than_64_characters_are_repeated() {
        let long = "k".repeat(100_000);
        for text in
            [format!(r#"{{"{long}":1}}"#), format!(r#"{{"{long}":1,"{long}":1}}"#), format!(r#"{{"{long}":1e999}}"#)]
        {
            let said = match Fields::read(text.as_bytes()) {
                Ok(fields) => fields.finish().unwrap_err(),
                Err(fault) => fault,
            };
            assert!(said.body().to_string().len() < 400, "{}", said.message());
        }
    }

    #[test]
    fn null_is_missing_or_wrong_or_takes_a_field_away() {
        let fields = || Fields::read(br#"{"a":null,"b":1}"#).unwrap();
        assert_eq!(fields().take::<u8>("a", "").unwrap(), None);
        assert!(fields().take_value::<u8>("a", "").is_err());
        assert_eq!(fields().take_value::<u8>("c", "").unwrap(), None);
        assert_eq!(fields().change::<u8>("a", "").unwrap(), Some(None));
        assert_eq!(fields().change::<u8>("b", "").unwrap(), Some(Some(1)));
        assert_eq!(fields().change::<u8>("c", "").unwrap(), None);
    }
}
