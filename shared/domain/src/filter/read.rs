//! Reading a filter: what is amiss is named by its place.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::FIELD;
use super::compiled::{Affix, Field, Leaf, Pattern, Range, Test, Unwanted};
use super::fold::Folded;
use super::number::Number;
use super::wildcard::Wildcard;
use crate::invalid::{Invalid, quoted};

/// What makes alternatives of a list of objects.
pub(super) const OR: &str = "$or";

/// The comparisons, as EventBridge calls them.
const OPERATORS: [&str; 7] =
    ["prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "exists", "anything-but"];
/// What may be said of texts that are not wanted.
const UNWANTED: [&str; 4] = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
/// What no field may be called within an `$or`, where nobody could tell it from a comparison.
const RESERVED: [&str; 14] = [
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "numeric",
    "exists",
    "anything-but",
    "cidr",
    "exactly",
    "=",
    "<",
    "<=",
    ">",
    ">=",
];
const ALTERNATIVES: &str = "a list of at least two objects, one of which is to be met";

/// Where in an event an object of a filter looks.
#[derive(Clone, Copy)]
enum Level {
    /// At all of it.
    Event,
    /// At its tags.
    Tags,
    /// Into its data.
    Data,
}

/// A whole filter.
pub(super) fn whole(value: &Value) -> Result<Pattern, Invalid> {
    let entries = value.as_object().ok_or_else(|| Invalid::new(FIELD, "a JSON object: an event pattern"))?;
    object(entries, FIELD, (Level::Event, false))
}

fn object(entries: &Map<String, Value>, place: &str, (level, in_or): (Level, bool)) -> Result<Pattern, Invalid> {
    if entries.is_empty() {
        return Err(Invalid::new(place, "at least one field"));
    }
    let (mut fields, mut or) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        let place = format!("{place}.{key}");
        if key == OR {
            or = alternatives(value, &place, level)?;
            continue;
        }
        if in_or && RESERVED.contains(&key.as_str()) {
            return Err(Invalid::new(place, format!("no field of this name within `{OR}`: it is a comparison's")));
        }
        fields.push((key.clone(), field(key, value, &place, (level, in_or))?));
    }
    Ok(Pattern { fields, or })
}

fn alternatives(value: &Value, place: &str, level: Level) -> Result<Vec<Pattern>, Invalid> {
    let all = value.as_array().filter(|all| all.len() >= 2).ok_or_else(|| Invalid::new(place, ALTERNATIVES))?;
    let one = |(number, value): (usize, &Value)| {
        let place = format!("{place}[{number}]");
        let entries =
            value.as_object().ok_or_else(|| Invalid::new(place.as_str(), "an object with at least one field"))?;
        object(entries, &place, (level, true))
    };
    all.iter().enumerate().map(one).collect()
}

fn field(key: &str, value: &Value, place: &str, (level, in_or): (Level, bool)) -> Result<Field, Invalid> {
    let (expected, inner) = match (level, key) {
        (Level::Event, "event") => ("a list of what the event's type may be", None),
        (Level::Event, "data") => ("an object: what `data` is asked for", Some(Level::Data)),
        (Level::Event, "tags") => ("an object: what each tag may be", Some(Level::Tags)),
        (Level::Event, _) => {
            return Err(Invalid::new(place, format!("only `event`, `data`, `tags` and `{OR}` at this place")));
        }
        (Level::Tags, _) => ("a list of what the tag may be", None),
        (Level::Data, _) => {
            ("a list of what it may be, or an object: what is asked of the fields in it", Some(Level::Data))
        }
    };
    match (value, inner) {
        (Value::Object(entries), Some(inner)) => Ok(Field::Inner(object(entries, place, (inner, in_or))?)),
        (Value::Array(_), Some(_)) if matches!(level, Level::Event) => Err(Invalid::new(place, expected)),
        (Value::Array(tests), _) => Ok(Field::Leaf(Arc::new(leaf(tests, place)?))),
        _ => Err(Invalid::new(place, expected)),
    }
}

fn leaf(tests: &[Value], place: &str) -> Result<Leaf, Invalid> {
    if tests.is_empty() {
        return Err(Invalid::new(place, "at least one thing that it may be"));
    }
    let each = tests.iter().enumerate().map(|(number, value)| test(value, &format!("{place}[{number}]")));
    Ok(Leaf::new(each.collect::<Result<_, _>>()?))
}

fn test(value: &Value, place: &str) -> Result<Test, Invalid> {
    Ok(match value {
        Value::Null => Test::Null,
        Value::Bool(wanted) => Test::Bool(*wanted),
        Value::Number(number) => Test::Number(Number::of(number)),
        Value::String(text) => Test::Text(text.clone()),
        Value::Array(_) => return Err(Invalid::new(place, "a string, a number, true, false, null or a comparison")),
        Value::Object(entries) => {
            let (name, value) = only(entries, place, &OPERATORS)?;
            comparison(name, value, &format!("{place}.{name}"))?
        }
    })
}

/// The one entry of an object, which is one of these.
fn only<'v>(entries: &'v Map<String, Value>, place: &str, these: &[&str]) -> Result<(&'v str, &'v Value), Invalid> {
    let mut all = entries.iter();
    match (all.next(), all.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(Invalid::new(place, format!("one comparison in an object: {}", listed(these)))),
    }
}

fn comparison(name: &str, value: &Value, place: &str) -> Result<Test, Invalid> {
    Ok(match name {
        "prefix" => Test::Prefix(affix(value, place)?),
        "suffix" => Test::Suffix(affix(value, place)?),
        "equals-ignore-case" => {
            let text = text(value, place)?;
            Test::IgnoringCase(Folded::of(text), text.to_owned())
        }
        "wildcard" => {
            let text = text(value, place)?;
            Test::Wildcard(wildcard(text, place)?, text.to_owned())
        }
        "numeric" => Test::Numeric(range(value, place)?),
        "exists" => match value {
            Value::Bool(true) => Test::Exists,
            Value::Bool(false) => Test::Absent,
            _ => return Err(Invalid::new(place, "true or false")),
        },
        "anything-but" => Test::AnythingBut(unwanted(value, place)?),
        "cidr" => return Err(Invalid::new(place, "another comparison: `cidr` is none that webhooks' filters have")),
        other => {
            return Err(Invalid::new(place, format!("one of {} and not {}", listed(&OPERATORS), quoted(other))));
        }
    })
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn text<'v>(value: &'v Value, place: &str) -> Result<&'v str, Invalid> {
    value.as_str().ok_or_else(|| Invalid::new(place, "a string"))
}

fn wildcard(text: &str, place: &str) -> Result<Wildcard, Invalid> {
    Wildcard::parse(text).map_err(|expected| Invalid::new(place, expected))
}

fn affix(value: &Value, place: &str) -> Result<Affix, Invalid> {
    let expected = r#"a string, or {"equals-ignore-case": a string}"#;
    match value {
        Value::String(text) => Ok(Affix::Exact(text.clone())),
        Value::Object(entries) => match only(entries, place, &["equals-ignore-case"])? {
            ("equals-ignore-case", value) => {
                let text = text(value, &format!("{place}.equals-ignore-case"))?;
                Ok(Affix::IgnoringCase(Folded::of(text), text.to_owned()))
            }
            (name, _) => Err(Invalid::new(format!("{place}.{name}"), expected)),
        },
        _ => Err(Invalid::new(place, expected)),
    }
}

fn range(value: &Value, place: &str) -> Result<Range, Invalid> {
    let expected =
        r#"an operator and a number, such as [">", 0], or a lower and an upper bound, such as [">", 0, "<=", 5]"#;
    let refused = || Invalid::new(place, expected);
    let items = value.as_array().ok_or_else(refused)?;
    if items.len() != 2 && items.len() != 4 {
        return Err(refused());
    }
    let mut range = Range::default();
    for (number, pair) in items.chunks(2).enumerate() {
        let at = |offset: usize, expected: &str| Invalid::new(format!("{place}[{}]", 2 * number + offset), expected);
        let bound = match &pair[1] {
            Value::Number(number) => Number::of(number),
            _ => return Err(at(1, "a number")),
        };
        match (number, pair[0].as_str(), items.len()) {
            (0, Some("="), 2) => range.equal = Some(bound),
            (0, Some(operator @ (">" | ">=")), _) => range.above = Some((bound, operator == ">=")),
            (0, Some(operator @ ("<" | "<=")), 2) | (1, Some(operator @ ("<" | "<=")), _) => {
                range.below = Some((bound, operator == "<="));
            }
            (0, _, 2) => return Err(at(0, "`=`, `<`, `<=`, `>` or `>=`")),
            (0, ..) => return Err(at(0, "`>` or `>=`: the lower bound comes first")),
            _ => return Err(at(0, "`<` or `<=`: the upper bound comes last")),
        }
    }
    if let (Some((low, _)), Some((high, _))) = (range.above, range.below)
        && low.compare(high) != Some(std::cmp::Ordering::Less)
    {
        return Err(Invalid::new(place, "a lower bound that is below the upper one"));
    }
    Ok(range)
}

fn unwanted(value: &Value, place: &str) -> Result<Unwanted, Invalid> {
    let expected = "a string, a number, a list of strings alone or of numbers alone, or one of `prefix`, `suffix`, \
                    `equals-ignore-case` and `wildcard`";
    match value {
        Value::Object(entries) => {
            let (name, value) = only(entries, place, &UNWANTED)?;
            let place = format!("{place}.{name}");
            if !UNWANTED.contains(&name) {
                return Err(Invalid::new(place, listed(&UNWANTED)));
            }
            let all = texts(value, &place)?;
            if matches!(name, "prefix" | "suffix") && all.iter().any(String::is_empty) {
                return Err(Invalid::new(place, "at least one character"));
            }
            match name {
                "prefix" => Ok(Unwanted::Prefixes(all)),
                "suffix" => Ok(Unwanted::Suffixes(all)),
                "equals-ignore-case" => {
                    Ok(Unwanted::IgnoringCase(all.into_iter().map(|text| (Folded::of(&text), text)).collect()))
                }
                _ => {
                    let each = all.into_iter().map(|text| Ok((wildcard(&text, &place)?, text)));
                    Ok(Unwanted::Wildcards(each.collect::<Result<_, Invalid>>()?))
                }
            }
        }
        Value::Number(number) => Ok(Unwanted::Numbers(vec![Number::of(number)])),
        Value::Array(all) if !all.is_empty() && all.iter().all(Value::is_number) => {
            let number =
                |value: &Value| if let Value::Number(number) = value { Some(Number::of(number)) } else { None };
            Ok(Unwanted::Numbers(all.iter().filter_map(number).collect()))
        }
        Value::String(_) | Value::Array(_) => {
            texts(value, place).map(Unwanted::Texts).map_err(|_| Invalid::new(place, expected))
        }
        _ => Err(Invalid::new(place, expected)),
    }
}

/// A string, or a list of them.
fn texts(value: &Value, place: &str) -> Result<Vec<String>, Invalid> {
    let all = match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(all) if !all.is_empty() => {
            all.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    all.ok_or_else(|| Invalid::new(place, "a string, or a list of strings"))
}
