//! A stricter reading of JSON than a parser's, for what other people's parsers will read.
//!
//! Receivers parse what we send with parsers of their own. Whatever two of them could understand differently is refused
//! at the door: repeated keys, lone surrogates, NUL, and nesting deep enough to overflow somebody's stack.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;

/// Checks that `text` is one JSON value that every parser reads alike.
///
/// # Errors
/// What is wrong and where, in words for its sender.
pub fn check(text: &[u8]) -> Result<(), String> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    Strict { depth: 0 }.deserialize(&mut parser).and_then(|()| parser.end()).map_err(|error| error.to_string())
}

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

fn no_nul<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom("a string holds the character NUL")) } else { Ok(()) }
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
        no_nul(text)
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
            no_nul(&key)?;
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key {key:?} stands twice in one object")));
            }
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
        let text = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert_eq!(check(text.as_bytes()), Ok(()));
    }
}
