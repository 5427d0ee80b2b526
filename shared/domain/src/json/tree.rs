//! A JSON value with what parsers usually drop: the order of its keys, and how its numbers are spelt.
//!
//! So two texts can be told to say the same, and one can be written as somebody else's program would have written it.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::MAX_DEPTH;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    /// An object, its fields as they stand there.
    Object(Vec<(String, Tree)>),
    /// An array.
    Array(Vec<Tree>),
    /// A string, with its escapes undone.
    Text(String),
    /// A number as it is spelt, `true`, `false` or `null`.
    Word(String),
}

/// When two numbers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Where they are the same number, however it is spelt.
    Exact,
    /// Also where they are the same to whoever has nothing but doubles, as JavaScript.
    AsDoubles,
}

impl Tree {
    /// The value in a text; none where it is no JSON, or nests deeper than what is ever sent.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        // An envelope may stand around what was checked.
        Self::of(raw, MAX_DEPTH + 1)
    }

    fn of(raw: &RawValue, deeper: usize) -> Option<Self> {
        let text = raw.get();
        match text.as_bytes().first()? {
            b'{' => {
                let fields = serde_json::Deserializer::from_str(text).deserialize_map(Fields).ok()?;
                let below = deeper.checked_sub(1)?;
                let fields = fields.into_iter().map(|(name, value)| Some((name, Self::of(value, below)?)));
                fields.collect::<Option<_>>().map(Self::Object)
            }
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                let below = deeper.checked_sub(1)?;
                items.into_iter().map(|item| Self::of(item, below)).collect::<Option<_>>().map(Self::Array)
            }
            b'"' => serde_json::from_str(text).ok().map(Self::Text),
            _ => Some(Self::Word(text.to_owned())),
        }
    }

    /// The same with its keys in the order of the alphabet and its numbers in one spelling: what says the same is the same text.
    pub(crate) fn canonical(&self, numbers: Numbers) -> String {
        let mut text = String::new();
        self.write_canonical(numbers, &mut text);
        text
    }

    fn write_canonical(&self, numbers: Numbers, into: &mut String) {
        match self {
            Self::Object(fields) => {
                let mut sorted: Vec<_> = fields.iter().collect();
                sorted.sort_by(|one, other| one.0.cmp(&other.0));
                into.push('{');
                for (at, (name, value)) in sorted.into_iter().enumerate() {
                    if at > 0 {
                        into.push(',');
                    }
                    push_quoted(name, into);
                    into.push(':');
                    value.write_canonical(numbers, into);
                }
                into.push('}');
            }
            Self::Array(items) => {
                into.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        into.push(',');
                    }
                    item.write_canonical(numbers, into);
                }
                into.push(']');
            }
            Self::Text(text) => push_quoted(text, into),
            Self::Word(word) => into.push_str(&spelling(word, numbers)),
        }
    }
}

fn push_quoted(text: &str, into: &mut String) {
    // A string can always be written.
    into.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// One spelling of a number; any other word as it stands.
fn spelling(word: &str, numbers: Numbers) -> String {
    if !word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return word.to_owned();
    }
    match numbers {
        // Nothing and less than nothing are the same to whoever counts, here and below.
        Numbers::AsDoubles => {
            word.parse().map_or_else(|_| word.to_owned(), |double: f64| format!("{:e}", double + 0.0))
        }
        Numbers::Exact => exact(word).unwrap_or_else(|| word.to_owned()),
    }
}

/// A number as its digits, without zeros at either end, and the power of ten behind them. Nothing is rounded.
fn exact(word: &str) -> Option<String> {
    let (sign, rest) = word.strip_prefix('-').map_or(("", word), |rest| ("-", rest));
    let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let power = power.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    let significant = significant.trim_start_matches('0');
    Some(if significant.is_empty() { "0".to_owned() } else { format!("{sign}{significant}e{power}") })
}

/// Fields in their order, each as it stands.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str, numbers: Numbers) -> String {
        Tree::read(text).unwrap().canonical(numbers)
    }

    #[test]
    fn what_says_the_same_is_the_same_text() {
        for (one, other) in [
            (r#"{"b":1,"a":[1,2]}"#, "{ \"a\" : [ 1.0, 20e-1 ],\n \"b\": 0.1e1 }"),
            (r#""\u00e9\/""#, "\"\u{e9}/\""),
            ("-0.0", "0"),
            ("100", "1E2"),
            ("0.0010", "1e-3"),
            ("12345678901234567890123", "12345678901234567890123.0"),
        ] {
            assert_eq!(canonical(one, Numbers::Exact), canonical(other, Numbers::Exact), "{one}");
            assert_eq!(canonical(one, Numbers::AsDoubles), canonical(other, Numbers::AsDoubles), "{one}");
        }
    }

    #[test]
    fn what_says_another_thing_is_another() {
        for (one, other) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("-1", "1"),
            ("10", "1"),
            ("[1,2]", "[2,1]"),
            ("null", "false"),
            (r#"{"a":1}"#, r#"{"A":1}"#),
            ("12345678901234567890123", "12345678901234567890124"),
        ] {
            assert_ne!(canonical(one, Numbers::Exact), canonical(other, Numbers::Exact), "{one}");
        }
        let [one, other] = ["12345678901234567890123", "12345678901234567890124"];
        assert_eq!(canonical(one, Numbers::AsDoubles), canonical(other, Numbers::AsDoubles));
    }

    #[test]
    fn what_is_no_json_or_nests_without_end_is_none() {
        for text in ["", "{", "{}x", "[1,]", "\"\\ud800\"", &"[".repeat(100_000)] {
            assert_eq!(Tree::read(text), None);
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::read(&nested(MAX_DEPTH + 1)).is_some() && Tree::read(&nested(MAX_DEPTH + 2)).is_none());
    }
}
