//! A stricter reading of JSON than a parser's, for what other people's parsers will read.
//!
//! Receivers parse what we send with parsers of their own. Whatever two of them could understand differently is refused
//! at the door: repeated keys, lone surrogates, NUL, and nesting deep enough to overflow somebody's stack.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::invalid::quoted;

mod tree;

pub(crate) use tree::{Numbers, Tree};

/// How deep arrays and objects may nest. An event's envelope counts as one level, so its data has one less at every door,
/// and what is sent nests no deeper than this.
pub const MAX_DEPTH: usize = 64;

/// Checks that `text` is one JSON value that every parser reads alike.
///
/// # Errors
/// What is wrong and where, in words for its sender.
pub fn check(text: &[u8]) -> Result<(), String> {
    check_at(0, text)
}

/// Checks a value that stands inside one object, as the value of one of its fields.
///
/// # Errors
/// As [`check`].
pub fn check_field(text: &str) -> Result<(), String> {
    check_at(1, text.as_bytes())
}

fn check_at(depth: usize, text: &[u8]) -> Result<(), String> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    Strict { depth }.deserialize(&mut parser).and_then(|()| parser.end()).map_err(|error| error.to_string())
}

/// A text in which whatever says the same is the same, character for character: keys in order, numbers in one spelling that
/// rounds nothing. None where it is no JSON, or nests too deep.
pub fn canonical(text: &str) -> Option<String> {
    Some(Tree::read(text)?.canonical(Numbers::Exact))
}

/// Checks an object's key, which is new to it or not.
///
/// # Errors
/// It is there already, or holds NUL.
pub fn check_key(key: &str, is_new: bool) -> Result<(), String> {
    if key.contains('\0') {
        return Err(NUL.to_owned());
    }
    if is_new { Ok(()) } else { Err(format!("the key {} stands twice in one object", quoted(key))) }
}

const NUL: &str = "a string holds the character NUL";

/// Walks a value without building it.
#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nesting deeper than {MAX_DEPTH}")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(E::custom(NUL)) } else { Ok(()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            check_key(&key, !seen.contains(&key)).map_err(A::Error::custom)?;
            seen.insert(key);
            entries.next_value_seed(inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_parser_reads_alike_is_accepted() {
        for text in [r#"{"a":[1,2.50,1e5,-0,null,true,"\ud83d\ude00é"],"b":{"a":{}}}"#, "[]", " 1 ", r#""x""#] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_parsers_read_differently_is_refused_with_the_reason() {
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        for (text, reason) in [
            (r#"{"a":1,"a":2}"#, "twice"),
            (r#"{"a":{"b":1,"\u0062":2}}"#, "twice"),
            (r#""\ud800""#, "hex escape"),
            (r#""\ud800 ""#, "hex escape"),
            (r#"{"\udc00":1}"#, "surrogate"),
            (r#"["\u0000"]"#, "NUL"),
            (r#"{"a\u0000":1}"#, "NUL"),
            (deep.as_str(), "nesting"),
            ("{} {}", "trailing"),
            ("{", "EOF"),
            ("NaN", "expected"),
        ] {
            let error = check(text.as_bytes()).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn sixty_four_levels_are_still_good() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(nested(64).as_bytes()), Ok(()));
        assert_eq!(check_field(&nested(63)), Ok(()));
        assert!(check_field(&nested(64)).is_err());
    }

    #[test]
    fn a_key_is_repeated_in_part() {
        for one in ["k", "\\u0001", "\u{301}", "\\\"", "\\\\", "é"] {
            let key = one.repeat(1000);
            for text in [format!(r#"{{"{key}":1,"{key}":2}}"#), format!(r#"[{{"a":{{"{key}":1,"{key}":2}}}}]"#)] {
                let error = check(text.as_bytes()).unwrap_err();
                assert!(error.chars().count() < 150, "{error}");
            }
        }
    }
}
