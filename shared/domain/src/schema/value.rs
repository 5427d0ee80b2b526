//! JSON as a schema sees it: numbers to their last digit, fields in their order.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::number::Number;
use crate::json::MAX_DEPTH;

/// A value. Two are ordered somehow, and equal where they mean the same, once both are in [`Value::canonical`] form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    Number(Number<'a>),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Object(Vec<(Cow<'a, str>, Self)>),
}

impl<'a> Value<'a> {
    /// Reads it from JSON that was checked where it came in; nothing where it is none, or nests too deeply.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        Self::at(text, MAX_DEPTH)
    }

    /// Each level is read by itself, from the text of the level around it: so numbers keep their text without a parser of our own.
    fn at(text: &'a str, levels: usize) -> Option<Self> {
        let text = text.trim_ascii();
        let inner = |raw: &'a RawValue| Self::at(raw.get(), levels.checked_sub(1)?);
        Some(match text.as_bytes().first()? {
            b'{' => {
                let Fields(fields) = serde_json::from_str(text).ok()?;
                let fields = fields.into_iter().map(|(name, raw)| Some((name, inner(raw)?)));
                Self::Object(fields.collect::<Option<_>>()?)
            }
            b'[' => {
                let Items(items) = serde_json::from_str(text).ok()?;
                Self::List(items.into_iter().map(inner).collect::<Option<_>>()?)
            }
            b'"' => {
                let Text(text) = serde_json::from_str(text).ok()?;
                Self::Text(text)
            }
            b'n' => Self::Null,
            b't' => Self::Boolean(true),
            b'f' => Self::Boolean(false),
            b'-' | b'0'..=b'9' => Self::Number(Number::new(text)),
            _ => return None,
        })
    }

    /// The same with every object's fields in order of the alphabet.
    pub(crate) fn canonical(&self) -> Self {
        match self {
            Self::List(items) => Self::List(items.iter().map(Self::canonical).collect()),
            Self::Object(fields) => {
                let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.clone(), value.canonical())).collect();
                fields.sort();
                Self::Object(fields)
            }
            other => other.clone(),
        }
    }

    /// The same that borrows nothing.
    pub(crate) fn into_owned(self) -> Value<'static> {
        let text = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Value::Null,
            Self::Boolean(is) => Value::Boolean(is),
            Self::Number(number) => Value::Number(number.into_owned()),
            Self::Text(inner) => Value::Text(text(inner)),
            Self::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Self::Object(fields) => {
                Value::Object(fields.into_iter().map(|(name, value)| (text(name), value.into_owned())).collect())
            }
        }
    }

    /// How much there is to look at: its values, and its texts by so many bytes each.
    pub(crate) fn size(&self) -> u64 {
        let of_text = |text: &str| u64::try_from(text.len() / BYTES_AT_ONCE).unwrap_or(u64::MAX);
        1 + match self {
            Self::Null | Self::Boolean(_) => 0,
            Self::Number(number) => of_text(number.text()),
            Self::Text(text) => of_text(text),
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Object(fields) => fields.iter().map(|(name, value)| of_text(name) + value.size()).sum(),
        }
    }

    /// What stands in an object under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// What a JSON Pointer leads to (RFC 6901), by its parts; nothing where it leads nowhere.
    pub(crate) fn find<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Option<&Self> {
        parts.into_iter().try_fold(self, |at, part| match at {
            Self::Object(_) => at.get(&unescaped(part)),
            Self::List(items) if part == "0" || !part.starts_with(['0', '+']) => items.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// It as a text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Texts are looked at by so many bytes at once.
pub(crate) const BYTES_AT_ONCE: usize = 16;

/// A part of a JSON Pointer for a name.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The name that a part of a JSON Pointer stands for.
pub(crate) fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// As compact JSON.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &str| serde_json::to_string(text).map_err(|_| fmt::Error);
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(is) => write!(f, "{is}"),
            Self::Number(number) => f.write_str(number.text()),
            Self::Text(text) => f.write_str(&quoted(text)?),
            Self::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{}:{value}", if at == 0 { "" } else { "," }, quoted(name)?)?;
                }
                f.write_str("}")
            }
        }
    }
}

/// A text that is borrowed where nothing in it is escaped.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        parser.deserialize_str(Of)
    }
}

/// An object's fields, each still as it is written.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Text(name)) = entries.next_key()? {
                    fields.push((name, entries.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        parser.deserialize_map(Of)
    }
}

/// A list's items, each still as it is written.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Items<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        parser.deserialize_seq(Of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_to_the_letter() {
        for text in [
            r#"{"b":[1.50,-0,1e5,12345678901234567890123],"a":{"":null},"é":"\n\"x"}"#,
            "[]",
            "{}",
            "true",
            r#""\u0001""#,
        ] {
            assert_eq!(Value::read(text).unwrap().to_string(), text);
        }
        assert_eq!(Value::read(" { \"a\" : [ 1 , 2 ] } ").unwrap().to_string(), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn what_is_no_json_or_too_deep_is_nothing() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Value::read(&nested(MAX_DEPTH)).is_some() && Value::read(&nested(MAX_DEPTH + 2)).is_none());
        for text in ["", "{", "[1", "\"a", "?", "{\"a\":}"] {
            assert!(Value::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn values_are_equal_by_what_they_mean() {
        let same =
            |one: &str, other: &str| Value::read(one).unwrap().canonical() == Value::read(other).unwrap().canonical();
        assert!(same(r#"{"a":1,"b":[2.0,{"d":1,"c":0}]}"#, r#"{"b":[2,{"c":-0,"d":1e0}],"a":1.0}"#));
        for other in [r#"{"a":1}"#, r#"{"a":1,"b":2,"c":3}"#, r#"[1,2]"#, r#""a""#, "null"] {
            assert!(!same(r#"{"a":1,"b":2}"#, other), "{other}");
        }
        assert!(!same("0", "false") && !same("1", "\"1\"") && !same("[]", "{}") && !same("[1,2]", "[2,1]"));
    }

    #[test]
    fn a_pointer_leads_to_its_place() {
        let value = Value::read(r#"{"a/b":{"~":[10,20]},"":1}"#).unwrap();
        let found = |parts: &[&str]| value.find(parts.iter().copied()).map(Value::to_string);
        assert_eq!(found(&["a~1b", "~0", "1"]).as_deref(), Some("20"));
        assert_eq!(found(&[""]).as_deref(), Some("1"));
        assert_eq!(found(&[]), Some(value.to_string()));
        for nowhere in [&["a~1b", "~0", "2"][..], &["a~1b", "~0", "01"], &["a~1b", "~0", "-"], &["b"], &["", "x"]] {
            assert_eq!(found(nowhere), None, "{nowhere:?}");
        }
        assert_eq!(escaped("a/b~"), "a~1b~0");
    }
}
