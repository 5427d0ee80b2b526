//! Schemas out of a larger document: what they refer to lies elsewhere in it, and comes along.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use percent_encoding::percent_decode_str;

use super::MAX_BYTES;
use super::fault::Fault;
pub(crate) use super::value::Value;
use super::value::{escaped, unescaped};

const COMPONENTS: &str = "#/components/";
const SCHEMAS: &str = "#/components/schemas/";
/// References that lead to references.
const MAX_HOPS: usize = 8;
/// Keywords whose values are nobody's schema, whatever they look like.
const DATA: [&str; 5] = ["const", "enum", "default", "example", "examples"];
/// Keywords under which schemas stand by names that are no keywords.
const BY_NAME: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// What a value stands for: what it refers to among the components, or itself; nothing where it leads nowhere.
pub(crate) fn resolved<'v>(value: &'v Value<'v>, components: &'v Value<'v>) -> Option<&'v Value<'v>> {
    let mut found = value;
    for _ in 0..MAX_HOPS {
        let Some(Value::Text(to)) = found.get("$ref") else { return Some(found) };
        let pointer = percent_decode_str(to.strip_prefix(COMPONENTS)?).decode_utf8().ok()?;
        found = components.find(pointer.split('/'))?;
    }
    None
}

/// The schemas of a document.
pub(crate) struct Bundle<'v> {
    schemas: Option<&'v Value<'v>>,
    /// How long each is as it is written: it is asked for by each webhook that refers to it.
    bytes: RefCell<HashMap<String, usize>>,
}

/// What comes along with one schema, in the order in which it is referred to.
struct Gathered<'b, 'v> {
    bundle: &'b Bundle<'v>,
    names: Vec<(String, String)>,
    /// Names that are the schema's own.
    taken: Vec<String>,
    bytes: usize,
}

impl<'v> Bundle<'v> {
    pub(crate) fn new(components: &'v Value<'v>) -> Self {
        Self { schemas: components.get("schemas"), bytes: RefCell::default() }
    }

    /// A schema that refers to nothing outside of itself.
    ///
    /// # Errors
    /// Where it refers to a schema that there is not, or all together would be too long.
    pub(crate) fn with_all_that_it_refers_to(&self, schema: &Value<'v>) -> Result<Value<'v>, Fault> {
        let taken = match schema.get("$defs") {
            Some(Value::Object(own)) => own.iter().map(|(name, _)| name.as_ref().to_owned()).collect(),
            _ => Vec::new(),
        };
        let mut gathered = Gathered { bundle: self, names: Vec::new(), taken, bytes: 0 };
        let mut whole = gathered.schema("", schema)?;
        let mut defs = Vec::new();
        while let Some((name, key)) = gathered.names.get(defs.len()).cloned() {
            let found = self.find(&name).ok_or_else(|| Fault::new("", "expected a schema of the document"))?;
            let def = gathered.schema(&format!("/$defs/{}", escaped(&key)), found)?;
            defs.push((Cow::Owned(key), def));
        }
        if let (Value::Object(fields), false) = (&mut whole, defs.is_empty()) {
            match fields.iter_mut().find(|(name, _)| name == "$defs") {
                Some((_, Value::Object(own))) => own.extend(defs),
                _ => fields.push((Cow::Borrowed("$defs"), Value::Object(defs))),
            }
        }
        Ok(whole)
    }

    fn find(&self, name: &str) -> Option<&'v Value<'v>> {
        self.schemas?.get(name)
    }

    fn bytes_of(&self, name: &str, schema: &Value<'_>) -> usize {
        let mut known = self.bytes.borrow_mut();
        *known.entry(name.to_owned()).or_insert_with(|| schema.to_string().len())
    }
}

impl<'v> Gathered<'_, 'v> {
    /// The same schema, its references led to where what they mean will lie.
    fn schema(&mut self, path: &str, value: &Value<'v>) -> Result<Value<'v>, Fault> {
        match value {
            Value::List(items) => {
                let items = items.iter().enumerate().map(|(at, item)| self.schema(&format!("{path}/{at}"), item));
                Ok(Value::List(items.collect::<Result<_, _>>()?))
            }
            Value::Object(fields) => {
                let mut told = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    let here = format!("{path}/{}", escaped(name));
                    let value = match (name.as_ref(), value) {
                        ("$ref" | "$dynamicRef", Value::Text(to)) => Value::Text(self.reference(&here, to)?),
                        (name, _) if DATA.contains(&name) => value.clone(),
                        (name, Value::Object(all)) if BY_NAME.contains(&name) => {
                            let all = all.iter().map(|(name, one)| {
                                Ok((name.clone(), self.schema(&format!("{here}/{}", escaped(name)), one)?))
                            });
                            Value::Object(all.collect::<Result<_, Fault>>()?)
                        }
                        _ => self.schema(&here, value)?,
                    };
                    told.push((name.clone(), value));
                }
                Ok(Value::Object(told))
            }
            other => Ok(other.clone()),
        }
    }

    fn reference(&mut self, here: &str, to: &Cow<'v, str>) -> Result<Cow<'v, str>, Fault> {
        let Some(rest) = to.strip_prefix(SCHEMAS) else { return Ok(to.clone()) };
        let (token, within) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let fault = || Fault::new(here, "expected a reference to a schema of the document's components");
        let name = unescaped(&percent_decode_str(token).decode_utf8().map_err(|_| fault())?);
        let key = match self.names.iter().find(|(known, _)| *known == name) {
            Some((_, key)) => key.clone(),
            None => {
                let found = self.bundle.find(&name).ok_or_else(fault)?;
                self.bytes += self.bundle.bytes_of(&name, found);
                if self.bytes > MAX_BYTES {
                    let expected = format!("expected at most {MAX_BYTES} bytes with all that the schema refers to");
                    return Err(Fault::new(here, expected));
                }
                let mut key = name.clone();
                while self.taken.contains(&key) {
                    key.push('_');
                }
                self.taken.push(key.clone());
                self.names.push((name, key.clone()));
                key
            }
        };
        Ok(Cow::Owned(format!("#/$defs/{}{within}", in_a_fragment(&escaped(&key)))))
    }
}

/// A part of a pointer as it stands in a URI's fragment: a per cent sign would begin something that is encoded.
fn in_a_fragment(part: &str) -> String {
    part.replace('%', "%25")
}
