//! Why an event does not meet a filter, in words for whoever wrote it: the first reason that there is.

use super::MAX_REASON_CHARS;
use super::compiled::{Affix, Field, Leaf, Pattern, Range, Test, Unwanted};
use super::judged::{holds_any, is_met};
use super::plan::Plan;
use super::read::OR;
use super::seen::Node;
use crate::invalid::excerpt;

/// Of a field's comparisons, so many are told.
const TOLD: usize = 3;

/// The reason. The filter is not met by the event.
pub(super) fn not(pattern: &Pattern, root: &Node<'_>) -> String {
    let unmet = unmet(pattern, &[root], "").or_else(|| no_single_element(pattern, root, ""));
    // Where alternatives beside it are what asks too much of a list's elements.
    let mut why = unmet.unwrap_or_else(|| "no single element of a list meets all that is asked of the list".to_owned());
    // Alternatives of alternatives have their reasons one behind the other.
    if let Some((cut, _)) =
        why.char_indices().nth(MAX_REASON_CHARS - 1).filter(|_| why.chars().count() > MAX_REASON_CHARS)
    {
        why.truncate(cut);
        why.push('…');
    }
    why
}

/// What of a pattern nothing in these places meets. Of a list of objects each is a place, and each part of the pattern may be met in another.
fn unmet(pattern: &Pattern, places: &[&Node<'_>], path: &str) -> Option<String> {
    let field = |(key, field): &(String, Field)| {
        let path = joined(path, key);
        let values: Vec<&Node<'_>> = places.iter().filter_map(|place| place.get(key)).collect();
        match field {
            Field::Leaf(leaf) => unmet_leaf(leaf, &values, &path),
            Field::Inner(inner) => {
                let mut objects = Vec::new();
                values.into_iter().for_each(|value| gather_objects(value, &mut objects));
                unmet(inner, &objects, &path)
            }
        }
    };
    pattern.fields.iter().find_map(field).or_else(|| {
        let reasons: Option<Vec<String>> = pattern.or.iter().map(|one| unmet(one, places, path)).collect();
        let reasons = reasons?;
        let first = reasons.first()?;
        Some(format!(
            "none of the {} alternatives of {} is met; of the first: {first}",
            reasons.len(),
            joined(path, OR)
        ))
    })
}

/// The innermost list of which no single element meets what is asked of it, though each part is met by one.
fn no_single_element(pattern: &Pattern, node: &Node<'_>, path: &str) -> Option<String> {
    pattern.inner().find_map(|(key, inner)| {
        let (value, path) = (node.get(key)?, joined(path, key));
        let is_met = Plan::of(inner, usize::MAX).is_some_and(|plan| is_met(&plan, value));
        match value {
            _ if is_met => None,
            Node::List(_) => {
                Some(format!("no single element of {} meets all that the filter asks of its elements", shown(&path)))
            }
            _ => no_single_element(inner, value, &path),
        }
    })
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A path as it is told: its end tells more than its beginning.
fn shown(path: &str) -> String {
    let (most, length) = (60, path.chars().count());
    let from = path.char_indices().nth(length.saturating_sub(most)).map_or(0, |(at, _)| at);
    if length > most { format!("…{}", excerpt(&path[from..])) } else { excerpt(path) }
}

fn gather_objects<'n, 'a>(node: &'n Node<'a>, objects: &mut Vec<&'n Node<'a>>) {
    match node {
        Node::List(items) => items.iter().for_each(|item| gather_objects(item, objects)),
        Node::Object(_) => objects.push(node),
        _ => {}
    }
}

/// What is wrong with the values of a field, if none is right.
fn unmet_leaf(leaf: &Leaf, values: &[&Node<'_>], path: &str) -> Option<String> {
    let (mut found, mut first) = (0_usize, None);
    let is_met = values.iter().any(|value| {
        value.any_scalar(&mut |scalar| {
            found += 1;
            first.get_or_insert_with(|| told(scalar));
            holds_any(leaf, scalar)
        })
    });
    if is_met || (found == 0 && leaf.may_lack) {
        return None;
    }
    let path = shown(path);
    let Some(first) = first else {
        return Some(match values.first() {
            None => format!("{path} is missing"),
            Some(Node::Object(_)) => format!("{path} is an object, and no value to compare"),
            Some(Node::List(items)) if !items.is_empty() => {
                format!("{path} is a list of lists or objects, and has no value to compare")
            }
            Some(_) => format!("{path} is an empty list"),
        });
    };
    Some(match (found, leaf.tests.as_slice()) {
        (1, [test]) => format!("{path}: {first} {}", not_as(test)),
        (1, tests) => format!("{path}: {first} is none of {}", listed(tests)),
        (_, [test]) => {
            format!("{path}: none of its {found} values is as asked for; the first: {first} {}", not_as(test))
        }
        (_, tests) => format!("{path}: none of its {found} values is one of {}; the first: {first}", listed(tests)),
    })
}

/// A value, in part where it is long. A text stands in quotation marks, which tells it from a number.
fn told(scalar: &Node<'_>) -> String {
    match scalar {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => value.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Text(text) => in_marks(text),
        Node::List(_) | Node::Object(_) => String::new(),
    }
}

fn in_marks(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

/// What a value is not that fails a test, to be read behind it.
fn not_as(test: &Test) -> String {
    match test {
        Test::Prefix(Affix::Exact(text)) => format!("does not begin with {}", in_marks(text)),
        Test::Prefix(Affix::IgnoringCase(_, text)) => {
            format!("does not begin with {}, whatever its case", in_marks(text))
        }
        Test::Suffix(Affix::Exact(text)) => format!("does not end with {}", in_marks(text)),
        Test::Suffix(Affix::IgnoringCase(_, text)) => {
            format!("does not end with {}, whatever its case", in_marks(text))
        }
        Test::Wildcard(_, text) => format!("does not match the wildcard {}", in_marks(text)),
        Test::Absent => "is there and should be absent".to_owned(),
        Test::AnythingBut(unwanted) => format!("is {}, which it should not be", but(unwanted)),
        test => format!("is not {}", wanted(test)),
    }
}

fn listed(tests: &[Test]) -> String {
    let mut told: Vec<String> = tests.iter().take(TOLD).map(wanted).collect();
    if tests.len() > TOLD {
        told.push(format!("{} more", tests.len() - TOLD));
    }
    told.join(", ")
}

/// What a test wants a value to be.
fn wanted(test: &Test) -> String {
    match test {
        Test::Null => "null".to_owned(),
        Test::Bool(value) => value.to_string(),
        Test::Number(number) => format!("the number {number}"),
        Test::Text(text) => in_marks(text),
        Test::Prefix(Affix::Exact(text) | Affix::IgnoringCase(_, text)) => {
            format!("what begins with {}", in_marks(text))
        }
        Test::Suffix(Affix::Exact(text) | Affix::IgnoringCase(_, text)) => format!("what ends with {}", in_marks(text)),
        Test::IgnoringCase(_, text) => format!("{}, whatever its case", in_marks(text)),
        Test::Wildcard(_, text) => format!("what matches {}", in_marks(text)),
        Test::Numeric(range) => between(range),
        Test::Exists => "there".to_owned(),
        Test::Absent => "absent".to_owned(),
        Test::AnythingBut(unwanted) => format!("anything but {}", but(unwanted)),
    }
}

fn between(range: &Range) -> String {
    let equal = range.equal.map(|number| format!("= {number}"));
    let above = range.above.map(|(number, itself)| format!("{} {number}", if itself { ">=" } else { ">" }));
    let below = range.below.map(|(number, itself)| format!("{} {number}", if itself { "<=" } else { "<" }));
    equal.into_iter().chain(above).chain(below).collect::<Vec<_>>().join(" and ")
}

fn but(unwanted: &Unwanted) -> String {
    fn any<T>(all: &[T], told: impl Fn(&T) -> String) -> String {
        match all {
            [one] => told(one),
            all => {
                let first: Vec<String> = all.iter().take(TOLD).map(told).collect();
                let more = all.len().saturating_sub(TOLD);
                let more = if more > 0 { format!(", {more} more") } else { String::new() };
                format!("one of {}{more}", first.join(", "))
            }
        }
    }
    match unwanted {
        Unwanted::Texts(all) => any(all, |text| in_marks(text)),
        Unwanted::Numbers(all) => any(all, ToString::to_string),
        Unwanted::Prefixes(all) => format!("what begins with {}", any(all, |text| in_marks(text))),
        Unwanted::Suffixes(all) => format!("what ends with {}", any(all, |text| in_marks(text))),
        Unwanted::IgnoringCase(all) => format!("{}, whatever its case", any(all, |(_, text)| in_marks(text))),
        Unwanted::Wildcards(all) => format!("what matches {}", any(all, |(_, text)| in_marks(text))),
    }
}
