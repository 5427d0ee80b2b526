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

use crate::ApiError;

/// The fields of a JSON object that have not been taken yet.
#[derive(Debug, Default)]
pub struct Fields {
    /// What stands before a field's name where the object stands in a larger one, `projects[2].` for instance.
    place: String,
    left: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
}

impl Fields {
    /// What stands before the names of all fields where one is refused that there is not.
    const ONLY: &str = "only the fields ";

    /// Reads an object that every parser reads alike.
    ///
    /// # Errors
    /// 400 when it is anything else, naming the field that is amiss.
    pub fn read(text: &[u8]) -> Result<Self, ApiError> {
        Self::at("body", String::new(), text)?.checked(|_| true)
    }

    /// Reads one of a list whose items are answered one by one: `name` is the item's own, and its fields go by theirs.
    ///
    /// # Errors
    /// As [`Fields::read`].
    pub fn item(name: &str, text: &RawValue) -> Result<Self, ApiError> {
        Self::at(name, String::new(), text.get().as_bytes())?.checked(|_| true)
    }

    /// Reads an object whose field `list` is checked by whoever takes it apart, item by item.
    ///
    /// # Errors
    /// As [`Fields::read`].
    pub fn around(list: &str, text: &[u8]) -> Result<Self, ApiError> {
        Self::at("body", String::new(), text)?.checked(|name| name != list)
    }

    /// Reads an object that stands at `place` in one that was read already.
    ///
    /// # Errors
    /// 400 when it is none.
    pub fn inner(place: &str, text: &RawValue) -> Result<Self, ApiError> {
        Self::at(place, format!("{place}."), text.get().as_bytes())
    }

    fn at(whole: &str, place: String, text: &[u8]) -> Result<Self, ApiError> {
        let of_whole = |expected: String| ApiError::from(Invalid::new(whole, expected));
        if text.trim_ascii_start().first() != Some(&b'{') {
            return Err(of_whole("a JSON object".to_owned()));
        }
        let mut parser = serde_json::Deserializer::from_slice(text);
        let read = parser.deserialize_map(Once).and_then(|left| parser.end().map(|()| left));
        let left = read.map_err(|error| of_whole(format!("valid JSON; {error}")))?;
        Ok(Self { place, left, known: Vec::new() })
    }

    fn checked(self, which: impl Fn(&str) -> bool) -> Result<Self, ApiError> {
        for (name, raw) in self.left.iter().filter(|(name, _)| which(name)) {
            json::check_field(raw.get()).map_err(|why| self.invalid(name, format!("valid JSON; {why}")))?;
        }
        Ok(self)
    }

    /// Null counts as missing here, so nobody else may ask so: a null was mostly meant to be something.
    fn take<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<Option<T>, ApiError> {
        match self.raw(name) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map(Some).map_err(|_| self.invalid(name, expected)),
        }
    }

    /// Takes a field that may be missing, but not null: a webhook's URL, for instance, that somebody meant to send.
    ///
    /// # Errors
    /// 400 when it is there and of another type, or null.
    pub fn take_value<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ApiError> {
        match self.change(name, expected)? {
            Some(None) => Err(self.invalid(name, expected)),
            value => Ok(value.flatten()),
        }
    }

    /// Takes a field of a change: missing, it stays; null, it goes. Also what may be null because it is so where it is shown.
    ///
    /// # Errors
    /// 400 when it is there and of another type.
    pub fn change<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        expected: &str,
    ) -> Result<Option<Option<T>>, ApiError> {
        let is_there = self.left.contains_key(name);
        Ok(self.take(name, expected)?.map_or(is_there.then_some(None), |value| Some(Some(value))))
    }

    /// Takes a field that must be there.
    ///
    /// # Errors
    /// 400 when it is missing or of another type.
    pub fn require<T: DeserializeOwned>(&mut self, name: &'static str, expected: &str) -> Result<T, ApiError> {
        self.take(name, expected)?.ok_or_else(|| self.invalid(name, expected))
    }

    /// Takes a field as it stands, text for text.
    pub fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.known.push(name);
        self.left.remove(name).filter(|raw| raw.get() != "null")
    }

    /// What is said of a field that is not as expected, by its whole place.
    pub fn invalid(&self, name: &str, expected: impl Into<String>) -> ApiError {
        Invalid::new(format!("{}{name}", self.place), expected).into()
    }

    /// All fields but this one, text for text, as one object.
    pub fn without(&self, name: &str) -> Box<RawValue> {
        let kept: BTreeMap<&String, &RawValue> =
            self.left.iter().filter(|(known, _)| *known != name).map(|(known, raw)| (known, &**raw)).collect();
        serde_json::value::to_raw_value(&kept).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// The fields that there are, in order of the alphabet, as whoever is told who sent one that there is not.
    pub fn told(error: &ApiError) -> Vec<String> {
        let told = error.expected().and_then(|expected| expected.strip_prefix(Self::ONLY)).unwrap_or_default();
        let mut names: Vec<_> = told.split(", ").map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Refuses what was not taken: a mistyped `secret` would make a webhook that signs nothing.
    ///
    /// # Errors
    /// 400 naming the first unknown field.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) if self.known.is_empty() => Err(self.invalid(name, "no fields")),
            Some(name) => Err(self.invalid(name, format!("{}{}", Self::ONLY, self.known.join(", ")))),
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
    use proptest::strategy::Strategy as _;

    fn refusal(read: Result<Fields, ApiError>) -> String {
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
    fn an_item_is_named_by_its_place_and_its_fields_by_their_names() {
        let item = |text: &str| Fields::item("events[7]", &RawValue::from_string(text.to_owned()).unwrap());
        for whole in ["7", "null", "[]", "\"x\"", r#"{"a":1,"a":2}"#, r#"{"a\u0000":1}"#] {
            assert!(refusal(item(whole)).starts_with("`events[7]`"), "{whole}");
        }
        assert!(refusal(item(r#"{"a":{"b":1,"b":2}}"#)).starts_with("`a`"));
        assert!(item(r#"{"a":1}"#).unwrap().finish().unwrap_err().message().starts_with("`a`"));
    }

    #[test]
    fn a_list_is_left_to_whoever_takes_it_apart() {
        let text = br#"{"events":[{"a":1,"a":2}],"more":1}"#;
        assert!(Fields::around("events", text).is_ok());
        assert!(refusal(Fields::around("more", text)).contains("`events`"));
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

    /// Every refusal of this text, wherever it stands: as a key, twice, within, as a value, in a list.
    fn refusals(long: &str) -> Vec<(String, ApiError)> {
        let mut all = Vec::new();
        for text in [
            format!(r#"{{"{long}":1}}"#),
            format!(r#"{{"{long}":1,"{long}":1}}"#),
            format!(r#"{{"{long}":{{"{long}":1,"{long}":1}}}}"#),
            format!(r#"{{"a":[{{"b":{{"{long}":"{long}","{long}":[]}}}}]}}"#),
            format!(r#"{{"{long}":1e999}}"#),
            format!(r#"{{"{long}":["\u0000"]}}"#),
            format!(r#"{{"known":"{long}"}}"#),
            format!(r#"{{"known":{{"{long}":"{long}"}}}}"#),
            format!(r#"["{long}"]"#),
            format!(r#""{long}""#),
            format!(r#"{{"{long}""#),
            long.to_owned(),
        ] {
            let read = |fields: Result<Fields, ApiError>| {
                let mut fields = fields?;
                fields.take_value::<u8>("known", "a number")?;
                fields.finish()
            };
            let raw = RawValue::from_string(text.clone()).ok();
            let item = raw.as_ref().map(|raw| read(Fields::item("events[1]", raw)));
            let inner = raw.as_ref().map(|raw| read(Fields::inner("projects[1]", raw)));
            let whole =
                [Some(read(Fields::read(text.as_bytes()))), Some(read(Fields::around("known", text.as_bytes())))];
            let errors = whole.into_iter().chain([item, inner]).flatten().filter_map(Result::err);
            all.extend(errors.map(|error| (text.clone(), error)));
        }
        all
    }

    proptest::proptest! {
        /// Neither does an answer carry much back, nor 64 characters in a row of what came.
        #[test]
        fn no_refusal_repeats_more_than_64_characters(
            one in proptest::prop_oneof![
                proptest::sample::select(vec!["k", "é", "\u{301}", "🙂", "\\u0001", "\\\"", "\\\\", "`", "\\ud800", "{", " "])
                    .prop_map(|part| part.repeat(90)),
                "[a-z0-9\\[\\]{}:,.é🙂]{0,200}",
            ],
        ) {
            for (text, error) in refusals(&one) {
                let body = serde_json::json!(error.body())["error"].clone();
                for said in [error.message(), body["details"]["field"].as_str().unwrap_or_default()] {
                    proptest::prop_assert!(!repeats(&text, said, 65), "{text}\n{said}");
                }
                proptest::prop_assert!(body.to_string().len() < 3000, "{body}");
                proptest::prop_assert!(!repeats(&text, &body.to_string(), 65), "{text}\n{body}");
            }
        }
    }

    /// Whether `said` holds so many characters in a row that stand so in `text`, or in what it says as JSON.
    fn repeats(text: &str, said: &str, most: usize) -> bool {
        let said: Vec<char> = said.chars().collect();
        said.windows(most).any(|part| text.contains(&part.iter().collect::<String>()))
    }
}
