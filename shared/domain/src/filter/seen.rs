//! An event as a filter sees it: read once, whatever number of filters look at it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::number::Number;

/// So many keys are looked through one by one, which is faster than any other way.
const FEW: usize = 8;

/// A JSON value. Its texts are the event's own, where none of their characters is escaped; objects are in the order of their keys.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Box<[Node<'a>]>),
    Object(Box<[(Cow<'a, str>, Node<'a>)]>),
}

impl<'a> Node<'a> {
    fn object(mut entries: Vec<(Cow<'a, str>, Self)>) -> Self {
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Self::Object(entries.into())
    }

    /// The value of a key, if this is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(entries) = self else { return None };
        if entries.len() <= FEW {
            return entries.iter().find(|(there, _)| there == key).map(|(_, value)| value);
        }
        let place = entries.binary_search_by(|(there, _)| there.as_ref().cmp(key)).ok()?;
        entries.get(place).map(|(_, value)| value)
    }

    /// Whether any of the values that it is good for, itself or its elements at any depth, is so.
    pub(super) fn any_scalar(&self, is_so: &mut impl FnMut(&Self) -> bool) -> bool {
        match self {
            Self::List(items) => items.iter().any(|item| item.any_scalar(is_so)),
            Self::Object(_) => false,
            scalar => is_so(scalar),
        }
    }
}

/// An event, as filters see it.
#[derive(Debug)]
pub struct Seen<'a>(Node<'a>);

impl<'a> Seen<'a> {
    /// An event of this type, with this `data`, a JSON object as text, and these tags. It takes some ten times the memory of `data` at
    /// the most.
    ///
    /// # Errors
    /// When `data` is no JSON.
    pub fn read(
        event_type: &'a str,
        data: &'a str,
        tags: &'a BTreeMap<String, String>,
    ) -> Result<Self, serde_json::Error> {
        let tags = tags.iter().map(|(name, value)| (name.as_str().into(), Node::Text(value.as_str().into())));
        let root = vec![
            ("event".into(), Node::Text(event_type.into())),
            ("data".into(), serde_json::from_str(data)?),
            ("tags".into(), Node::object(tags.collect())),
        ];
        Ok(Self(Node::object(root)))
    }

    pub(super) fn root(&self) -> &Node<'a> {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(parser: D) -> Result<Self, D::Error> {
        parser.deserialize_any(OfNode)
    }
}

struct OfNode;

impl<'de> Visitor<'de> for OfNode {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(Number::Whole(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(i64::try_from(value).map_or(Number::Large(value), Number::Whole)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Node::Number(Number::Double(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Node::List(all.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(key) = entries.next_key_seed(OfKey)? {
            all.push((key, entries.next_value()?));
        }
        Ok(Node::object(all))
    }
}

/// A key, borrowed where it can be.
struct OfKey;

impl<'de> DeserializeSeed<'de> for OfKey {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Self::Value, D::Error> {
        parser.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for OfKey {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}
