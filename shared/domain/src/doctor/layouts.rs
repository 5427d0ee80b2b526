//! A body as it may have been before some program parsed it and wrote it anew.
//!
//! What was sent is an envelope of ours, without white space, around `data` as its producer wrote it. What JSON parsers drop can be
//! guessed again: white space, the order of keys, how characters are escaped, an ending `.0`. Only guesses; the signature tells.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::written::any_base64;
use crate::json::Tree;
use crate::payload::BodyShape;

mod written;

use self::written::{Escapes, Spaces, Style, write};

/// Numbers of a body of which each may have lost its fraction.
const MAX_NUMBERS: usize = 8;

/// Orders of keys in which bodies are sent: of an envelope, and of what tells of a job. A key that stands in none keeps its place
/// behind those that do.
const ENVELOPE: [&str; 6] = ["id", "type", "event", "data", "timestamp", "webhook_id"];
const STANDARD_ENVELOPE: [&str; 3] = ["type", "timestamp", "data"];
const OF_A_JOB: [&str; 13] = [
    "event",
    "jobId",
    "job_id",
    "projectId",
    "title",
    "status",
    "completed_at",
    "totalProjects",
    "completedProjects",
    "failedProjects",
    "projects",
    "videoUrl",
    "credits_charged",
];

/// Texts that this body may have been, the likeliest first; never the body itself, and none twice. They are made one after another,
/// as they are asked for.
pub(super) fn of(body: &str, shape: BodyShape) -> impl Iterator<Item = String> {
    let plain = without_parser(body);
    // A body that somebody has turned into a string of JSON is one that he has escaped, and nothing else.
    let tree = Tree::read(body.trim_start_matches(BYTE_ORDER_MARK));
    let (tree, unwrapped) = match tree {
        Some(Tree::Text(inner)) => (Tree::read(&inner), Some(inner)),
        tree => (tree, None),
    };
    let guesses = tree.into_iter().flat_map(move |tree| guesses(tree, shape));
    let mut seen = HashSet::from([digest(body)]);
    plain.into_iter().chain(unwrapped).chain(guesses).filter(move |text| seen.insert(digest(text)))
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What became of a body that nobody has parsed: another line's end, a mark before it, UTF-8 that was read as something else.
fn without_parser(body: &str) -> Vec<String> {
    let trimmed = body.trim_start_matches(BYTE_ORDER_MARK).trim();
    let read_as_latin: Option<Vec<u8>> = body.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let read_as_latin = read_as_latin.and_then(|bytes| String::from_utf8(bytes).ok());
    // As API Gateway hands on what it takes for binary.
    let from_base64 = any_base64(trimmed).and_then(|bytes| String::from_utf8(bytes).ok());
    let others = [trimmed.to_owned(), body.replace("\r\n", "\n"), body.replace('\n', "\r\n")];
    others.into_iter().chain(read_as_latin).chain(from_base64).collect()
}

fn guesses(tree: Tree, shape: BodyShape) -> impl Iterator<Item = String> {
    let envelope = match shape {
        BodyShape::IdEventDataTimestampWebhook | BodyShape::TypeTimestampData => 1,
        BodyShape::DataAlone => 0,
    };
    let orders = [Order::AsItIs, Order::AsSent(shape), Order::Sorted, Order::SentAndSorted(shape)];
    let trees: Rc<[Tree]> = orders.into_iter().map(|order| order.of(tree.clone())).collect();
    let of_style = move |style| {
        let trees = Rc::clone(&trees);
        (0..trees.len()).map(move |at| write(&trees[at], style))
    };
    let compact = Style { spaces: Spaces::None, escapes: Escapes::None, depth: envelope };
    let spaced = Style { spaces: Spaces::Single, ..compact };
    Style::all(envelope)
        .flat_map(of_style)
        .chain(respelt(tree).flat_map(move |tree| [compact, spaced].map(|style| write(&tree, style))))
}

/// The order of keys that a body may have had.
#[derive(Clone, Copy)]
enum Order {
    AsItIs,
    Sorted,
    /// The envelope's as it is sent, all else as it is.
    AsSent(BodyShape),
    /// The envelope's as it is sent, all else sorted.
    SentAndSorted(BodyShape),
}

impl Order {
    fn of(self, tree: Tree) -> Tree {
        match self {
            Self::AsItIs => tree,
            Self::Sorted => sorted(tree),
            Self::AsSent(shape) => as_sent(tree, shape),
            Self::SentAndSorted(shape) => as_sent(sorted(tree), shape),
        }
    }
}

fn sorted(tree: Tree) -> Tree {
    match tree {
        Tree::Object(mut fields) => {
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Tree::Object(fields.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Tree::Array(items) => Tree::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn as_sent(tree: Tree, shape: BodyShape) -> Tree {
    match shape {
        BodyShape::IdEventDataTimestampWebhook => by_names(tree, &ENVELOPE, false),
        BodyShape::TypeTimestampData => by_names(tree, &STANDARD_ENVELOPE, false),
        BodyShape::DataAlone => by_names(tree, &OF_A_JOB, true),
    }
}

fn by_names(tree: Tree, names: &[&str], is_deep: bool) -> Tree {
    let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or(names.len());
    let below = |tree: Tree| if is_deep { by_names(tree, names, is_deep) } else { tree };
    match tree {
        Tree::Object(mut fields) => {
            fields.sort_by_key(|(name, _)| place(name));
            Tree::Object(fields.into_iter().map(|(name, value)| (name, below(value))).collect())
        }
        Tree::Array(items) => Tree::Array(items.into_iter().map(below).collect()),
        other => other,
    }
}

/// The same with numbers that have a fraction of zero again: all of them, or one of the first.
fn respelt(tree: Tree) -> impl Iterator<Item = Tree> {
    let with_zero = move |which: Option<usize>| {
        let mut at = 0;
        let mut copy = tree.clone();
        add_zero(&mut copy, which, &mut at);
        copy
    };
    std::iter::once(None).chain((0..MAX_NUMBERS).map(Some)).map(with_zero)
}

fn add_zero(tree: &mut Tree, which: Option<usize>, at: &mut usize) {
    match tree {
        Tree::Object(fields) => fields.iter_mut().for_each(|(_, value)| add_zero(value, which, at)),
        Tree::Array(items) => items.iter_mut().for_each(|item| add_zero(item, which, at)),
        Tree::Word(word)
            if word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && !word.contains(['e', 'E']) =>
        {
            if which.is_none_or(|which| which == *at) {
                word.push_str(if word.contains('.') { "0" } else { ".0" });
            }
            *at += 1;
        }
        Tree::Word(_) | Tree::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = r#"{"type":"invoice.paid","timestamp":"2026-01-15T14:30:00.000Z","data":{"b":1,"a":"é/"}}"#;

    fn finds(received: &str, sent: &str) -> bool {
        of(received, BodyShape::TypeTimestampData).any(|text| text == sent)
    }

    #[test]
    fn what_a_parser_made_of_a_body_leads_back_to_it() {
        let value =
            r#"{"type": "invoice.paid", "timestamp": "2026-01-15T14:30:00.000Z", "data": {"b": 1, "a": "\u00e9\/"}}"#;
        for received in [
            value.to_owned(),
            value.replace(": ", " :\t"),
            format!("{SENT}\n"),
            format!("\u{feff}{SENT}"),
            SENT.replace('é', "\u{c3}\u{a9}"),
            serde_json::to_string(SENT).unwrap(),
            r#"{"data":{"b":1,"a":"é/"},"timestamp":"2026-01-15T14:30:00.000Z","type":"invoice.paid"}"#.to_owned(),
        ] {
            assert!(finds(&received, SENT), "{received}");
        }
    }

    #[test]
    fn what_producers_write_is_guessed_inside_of_the_envelope() {
        let compact = r#"{"type":"a","timestamp":"t","data":{"b":1,"a":["é/<"]}}"#;
        for data in [
            "{\"b\": 1, \"a\": [\"\\u00e9/<\"]}",
            "{\n  \"b\": 1,\n  \"a\": [\n    \"é/<\"\n  ]\n}",
            "{\n        \"b\": 1,\n        \"a\": [\n            \"é/<\"\n        ]\n    }",
            "{\"b\":1,\"a\":[\"\\u00e9\\/<\"]}",
            "{\"b\":1,\"a\":[\"é/\\u003c\"]}",
            "{\"b\":1.0,\"a\":[\"é/<\"]}",
            "{\"b\": 1.0, \"a\": [\"é/<\"]}",
        ] {
            let sent = format!(r#"{{"type":"a","timestamp":"t","data":{data}}}"#);
            assert!(finds(compact, &sent), "{sent}");
        }
    }

    #[test]
    fn none_is_the_body_and_none_comes_twice() {
        let all: Vec<_> = of(SENT, BodyShape::TypeTimestampData).collect();
        assert!(all.len() > 20 && !all.iter().any(|text| text == SENT));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn what_is_no_json_is_guessed_no_further() {
        assert!(of("[object Object]", BodyShape::DataAlone).count() == 0);
        assert!(of(&"[".repeat(100_000), BodyShape::DataAlone).count() == 0);
    }
}
