//! What is refused by the catalogue: data, a type, or what somebody says about one.

use crate::event::EventType;
use crate::invalid::{Invalid, excerpt};
use crate::schema::{DRAFT, Fault};

/// Such a refusal. Through every door it is told in the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Data that its type's schema does not take: what is amiss, by JSON Pointers into the data.
    UnfitData(EventType, Vec<Fault>),
    /// A type that the catalogue of a closed deployment does not have.
    UnknownType,
    /// A schema that is none, or beyond its bounds: where, by a JSON Pointer into it.
    NoSchema(Fault),
    /// An example that the schema beside it does not take, by JSON Pointers into the example.
    UnfitExample(Vec<Fault>),
    /// Something else about a type.
    Invalid(Invalid),
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl Refusal {
    /// The field that is amiss, and what was expected of it.
    pub fn invalid(&self) -> Invalid {
        match self {
            Self::UnfitData(event_type, faults) => {
                let takes = format!("what the schema of `{}` takes", excerpt(event_type.as_str()));
                Invalid::new("data", with(&takes, faults))
            }
            Self::UnknownType => Invalid::new("event", "a type of the catalogue, which GET /v1/event-types lists"),
            Self::NoSchema(fault) => {
                Invalid::new("schema", with(&format!("JSON Schema ({DRAFT})"), std::slice::from_ref(fault)))
            }
            Self::UnfitExample(faults) => Invalid::new("example", with("what the schema takes", faults)),
            Self::Invalid(invalid) => invalid.clone(),
        }
    }

    /// What is amiss within the field, by JSON Pointers into it.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::UnfitData(_, faults) | Self::UnfitExample(faults) => faults,
            Self::NoSchema(fault) => std::slice::from_ref(fault),
            Self::UnknownType | Self::Invalid(_) => &[],
        }
    }

    /// Whether what was sent is well-formed, and cannot be all the same.
    pub fn is_well_formed(&self) -> bool {
        matches!(self, Self::UnfitData(..) | Self::UnknownType | Self::UnfitExample(_))
    }
}

/// What was expected, with the first fault and how many more there are.
fn with(expected: &str, faults: &[Fault]) -> String {
    let Some((first, more)) = faults.split_first() else { return expected.to_owned() };
    let place = if first.path.is_empty() { "all of it".to_owned() } else { format!("`{}`", excerpt(&first.path)) };
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    format!("{expected}; {place}: {}{more}", first.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_field_and_the_first_fault() {
        let fault = |path: &str| Fault { path: path.to_owned(), message: "expected integer".to_owned() };
        let unfit = |faults: Vec<Fault>| Refusal::UnfitData("invoice.paid".parse().unwrap(), faults);
        for (refusal, told) in [
            (
                unfit(vec![fault("/a")]),
                "`data`: expected what the schema of `invoice.paid` takes; `/a`: expected integer",
            ),
            (
                unfit(vec![fault(""), fault("/b"), fault("/c")]),
                "`data`: expected what the schema of `invoice.paid` takes; all of it: expected integer, and 2 more",
            ),
            (
                Refusal::NoSchema(fault("/type")),
                "`schema`: expected JSON Schema (https://json-schema.org/draft/2020-12/schema); `/type`: expected integer",
            ),
            (
                Refusal::UnfitExample(vec![fault("/a")]),
                "`example`: expected what the schema takes; `/a`: expected integer",
            ),
            (Refusal::UnknownType, "`event`: expected a type of the catalogue, which GET /v1/event-types lists"),
        ] {
            assert_eq!(refusal.invalid().to_string(), told);
        }
        let long = unfit(vec![fault(&format!("/{}", "x".repeat(250)))]).invalid();
        assert!(long.expected.chars().count() < 200, "what is told of a stranger's names is bounded: {long}");
    }
}
