//! The catalogue of a deployment: which types of events there are, and what the `data` of each has to be.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dialect;
use crate::event::{EventType, OwnType};
use crate::invalid::Invalid;
use crate::json;
use crate::schema::Schema;

pub mod openapi;
mod own;
mod refusal;
mod standing;

pub use own::BuiltIn;
pub use refusal::Refusal;
pub use standing::{COUNTS_AFTER_SECONDS, KEPT_SECONDS, MAX_EARLIER, MAX_EARLIER_BYTES, Standing, Standings};

/// Types of a deployment, those of Postrider's own not counted.
pub const MAX_TYPES: u64 = 1000;
/// Of what is said about a type.
pub const MAX_DESCRIPTION_CHARS: usize = 2000;
/// Of a type's example, as it is written.
pub const MAX_EXAMPLE_BYTES: usize = 32 * 1024;
/// How much longer than it counts anything a deleted type's row is kept, in seconds: clocks differ.
const LEEWAY_SECONDS: i64 = 3600;
/// A path of the API has this name, so no type may.
const TAKEN_BY_A_PATH: &str = "import";

/// Whether types that the catalogue does not have may be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// They may.
    Open,
    /// They may not.
    Closed,
}

/// What is said about a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What it tells of, for people.
    pub description: Option<String>,
    /// JSON Schema for `data`, letter for letter as it was given.
    pub schema: Option<String>,
    /// An example of `data`, letter for letter as it was given.
    pub example: Option<String>,
    /// Whether nobody should begin with it any more.
    pub deprecated: bool,
}

impl About {
    /// Whether it says the same, however its schema and its example are written.
    pub fn says_what(&self, other: &Self) -> bool {
        let is_same = |one: &Option<String>, other: &Option<String>| {
            let read = |text: &Option<String>| text.as_deref().and_then(json::canonical);
            one == other || read(one).is_some_and(|one| read(other) == Some(one))
        };
        (&self.description, self.deprecated) == (&other.description, other.deprecated)
            && is_same(&self.schema, &other.schema)
            && is_same(&self.example, &other.example)
    }

    /// Holds it to its bounds, and the example to the schema.
    ///
    /// # Errors
    /// [`Refusal`] for the first thing that is amiss.
    pub fn check(&self) -> Result<(), Refusal> {
        let too_long = |text: &String| text.chars().count() > MAX_DESCRIPTION_CHARS;
        if self.description.as_ref().is_some_and(too_long) {
            let expected = format!("at most {MAX_DESCRIPTION_CHARS} characters");
            return Err(Invalid::new("description", expected).into());
        }
        if let Some(example) = &self.example {
            if example.len() > MAX_EXAMPLE_BYTES {
                return Err(Invalid::new("example", format!("at most {MAX_EXAMPLE_BYTES} bytes")).into());
            }
            if !example.trim_start().starts_with('{') {
                return Err(Invalid::new("example", "a JSON object, as `data` is").into());
            }
        }
        let Some(schema) = &self.schema else { return Ok(()) };
        let schema = Schema::new(schema).map_err(Refusal::NoSchema)?;
        let judged = self.example.as_ref().map_or(Ok(()), |example| schema.judge(example));
        judged.map_err(Refusal::UnfitExample)
    }
}

/// Takes a name for a type that somebody makes.
///
/// # Errors
/// [`Invalid`] where it is none, or not theirs to give.
pub fn check_name(name: &str) -> Result<EventType, Invalid> {
    let event_type: EventType = name.parse().map_err(|invalid: Invalid| Invalid::new("name", invalid.expected))?;
    if event_type.is_operational() {
        return Err(Invalid::new("name", "a type outside `webhook.*`, which is for Postrider's own events"));
    }
    if name == TAKEN_BY_A_PATH {
        return Err(Invalid::new("name", format!("another name than `{TAKEN_BY_A_PATH}`, which is a path of the API")));
    }
    Ok(event_type)
}

/// Whether a type is known wherever nobody has put it into the catalogue: those that some dialect knows alone, and Postrider's own. Those
/// too that are named with characters of a dialect's own: no path of the API has room for them, so nobody could put them there.
pub fn is_always_known(event_type: &EventType) -> bool {
    OwnType::ALL.iter().any(|own| own.as_str() == event_type.as_str())
        || dialect::all().any(|dialect| dialect.catalogue.alone_has(event_type))
}

/// A type of the catalogue, as its row holds it; for a while also when it was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CataloguedType {
    /// Its name.
    pub name: EventType,
    /// What it tells of, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// An example of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether nobody should begin with it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deprecated: bool,
    /// When it was made.
    #[serde(with = "crate::time::as_wire")]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[serde(with = "crate::time::as_wire")]
    pub updated_at: Timestamp,
    /// One more with each change: it is changed only from the state that it was read in.
    pub revision: u64,
    /// How it stood, up to now.
    pub standings: Standings<String>,
    /// Once it is deleted, when the row may go, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl CataloguedType {
    /// A new type. `before` is what is left of one of the same name, if anything is.
    pub fn new(name: EventType, about: About, before: Option<&Self>, now: Timestamp) -> Self {
        let standing = Standing { since: now, known: true, schema: about.schema };
        let standings = match before {
            Some(before) => before.standings.followed_by(standing),
            None => Standings::new(standing),
        };
        Self {
            name,
            description: about.description,
            example: about.example,
            deprecated: about.deprecated,
            created_at: now,
            updated_at: now,
            revision: before.map_or(0, |before| before.revision + 1),
            standings,
            expires_at: None,
        }
    }

    /// Whether it is in the catalogue: it was not deleted.
    pub fn is_there(&self) -> bool {
        self.standings.now().known
    }

    /// Its schema.
    pub fn schema(&self) -> Option<&str> {
        self.standings.now().schema.as_deref()
    }

    /// What is said about it.
    pub fn about(&self) -> About {
        About {
            description: self.description.clone(),
            schema: self.schema().map(str::to_owned),
            example: self.example.clone(),
            deprecated: self.deprecated,
        }
    }

    /// The same with something else said about it.
    #[must_use]
    pub fn changed(&self, about: About, now: Timestamp) -> Self {
        let standings = if about.schema.as_deref() == self.schema() {
            self.standings.clone()
        } else {
            self.standings.followed_by(Standing { since: now, known: true, schema: about.schema })
        };
        Self {
            name: self.name.clone(),
            description: about.description,
            example: about.example,
            deprecated: about.deprecated,
            updated_at: now,
            revision: self.revision + 1,
            standings,
            ..self.clone()
        }
    }

    /// What is left of it once it is deleted: how it stood, for what was written before.
    #[must_use]
    pub fn deleted(&self, now: Timestamp) -> Self {
        let gone = Standing { since: now, known: false, schema: None };
        Self {
            description: None,
            example: None,
            deprecated: false,
            updated_at: now,
            revision: self.revision + 1,
            standings: self.standings.followed_by(gone),
            expires_at: Some(now.as_second() + COUNTS_AFTER_SECONDS + KEPT_SECONDS + LEEWAY_SECONDS),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_768_000_000 + second).unwrap()
    }

    fn about(schema: Option<&str>, example: Option<&str>) -> About {
        About { schema: schema.map(str::to_owned), example: example.map(str::to_owned), ..About::default() }
    }

    #[test]
    fn an_example_has_to_fit_its_schema_and_all_has_its_bounds() {
        let schema = Some(r#"{"required":["a"]}"#);
        for (good, bad, field) in [
            (about(schema, Some(r#"{"a":1}"#)), about(schema, Some("{}")), "example"),
            (about(schema, None), about(Some(r#"{"type":7}"#), None), "schema"),
            (about(None, Some(" {}")), about(None, Some("[]")), "example"),
            (
                about(None, Some(&format!("{{{}}}", " ".repeat(MAX_EXAMPLE_BYTES - 2)))),
                about(None, Some(&format!("{{{}}}", " ".repeat(MAX_EXAMPLE_BYTES - 1)))),
                "example",
            ),
            (
                About { description: Some("é".repeat(MAX_DESCRIPTION_CHARS)), ..About::default() },
                About { description: Some("e".repeat(MAX_DESCRIPTION_CHARS + 1)), ..About::default() },
                "description",
            ),
        ] {
            assert_eq!(good.check(), Ok(()));
            assert_eq!(bad.check().map_err(|refusal| refusal.invalid().field), Err(field.to_owned()));
        }
    }

    #[test]
    fn postriders_own_names_are_nobody_elses() {
        assert_eq!(check_name("invoice.paid").unwrap().as_str(), "invoice.paid");
        for bad in ["", "a..b", "webhook.disabled", "webhook.anything", "import", &"a".repeat(129)] {
            assert_eq!(check_name(bad).unwrap_err().field, "name", "{bad}");
        }
        assert!(check_name("import.finished").is_ok());
    }

    #[test]
    fn what_a_dialect_knows_alone_and_our_own_are_always_known() {
        for (name, known) in [
            ("dubbing.completed", true),
            ("job.completed", true),
            ("job.cancelled", true),
            ("webhook.disabled", true),
            ("invoice.paid", false),
            ("job.started", false),
        ] {
            assert_eq!(is_always_known(&name.parse().unwrap()), known, "{name}");
        }
    }

    #[test]
    fn a_change_of_anything_but_the_schema_changes_nothing_of_how_it_stands() {
        let made = CataloguedType::new("a".parse().unwrap(), about(Some("{}"), None), None, at(0));
        let changed = made.changed(About { deprecated: true, ..made.about() }, at(10));
        assert_eq!((&changed.standings, changed.revision), (&made.standings, 1));
        assert_eq!((changed.created_at, changed.updated_at), (at(0), at(10)));
        let stricter = changed.changed(about(Some("false"), None), at(20));
        assert_eq!((stricter.schema(), stricter.revision), (Some("false"), 2));
        assert_ne!(stricter.standings, made.standings);
    }

    #[test]
    fn what_is_deleted_and_made_again_remembers_how_it_stood() {
        let made = CataloguedType::new("a".parse().unwrap(), about(Some("{}"), Some("{}")), None, at(0));
        let gone = made.deleted(at(100));
        assert_eq!((gone.is_there(), gone.schema(), &gone.example), (false, None, &None));
        assert_eq!(gone.expires_at, Some(at(100).as_second() + 60 + 2 * 86_400 + 3600));
        let again = CataloguedType::new("a".parse().unwrap(), about(None, None), Some(&gone), at(200));
        assert_eq!((again.is_there(), again.revision, again.expires_at), (true, 2, None));
        let known = |second: i64| again.standings.at(at(second)).map(|standing| standing.known);
        assert_eq!([59, 60, 159, 160, 259, 260].map(known), [false, true, true, false, false, true].map(Some));
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let made = CataloguedType::new("a".parse().unwrap(), about(Some("{}"), Some("{}")), None, at(0));
        for one in [made.clone(), made.changed(about(None, None), at(70)), made.deleted(at(100))] {
            let written = serde_json::to_string(&one).unwrap();
            assert_eq!(serde_json::from_str::<CataloguedType>(&written).unwrap(), one, "{written}");
        }
    }
}
