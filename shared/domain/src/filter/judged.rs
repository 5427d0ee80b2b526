//! Whether an event meets a filter.
//!
//! A filter is met in one of two ways, wherever it is looked at. Something of what it asks for is *found* there: then, of an array of
//! objects, it is one of them that meets all that is asked of the array, what is to be absent included. Or it asks for nothing but
//! absence (`exists: false`): then none of the array's objects may have it.
//!
//! Each value is compared with each of the filter's comparisons once at the most, so the time is bounded by their product.

use super::compiled::{Affix, Leaf, Test, Unwanted};
use super::fold::Folding;
use super::plan::{All, Plan};
use super::seen::Node;

/// Whether it is met in a place.
pub(super) fn is_met(plan: &Plan, node: &Node<'_>) -> bool {
    is_found(plan, node) || is_lacking(plan, node)
}

/// Whether it is met in a place, at least something of it by what is there.
fn is_found(plan: &Plan, node: &Node<'_>) -> bool {
    match node {
        Node::List(items) => items.iter().any(|item| is_found(plan, item)),
        Node::Object(_) => plan.any.iter().any(|all| all_are_met(all, node)),
        _ => false,
    }
}

/// Whether all of it is met in an object, and something is found.
fn all_are_met(all: &All, node: &Node<'_>) -> bool {
    let mut finds = false;
    let mut is_met = |part: Part| {
        finds |= part == Part::Found;
        part != Part::Not
    };
    all.leaves.iter().all(|(key, leaf)| is_met(leaf_of(leaf, node.get(key))))
        && all.inner.iter().all(|(key, plan)| is_met(part_of(plan, node.get(key))))
        && all.choices.iter().all(|plan| is_met(part_of(plan, Some(node))))
        && finds
}

/// How a part is met, if it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Found,
    Lacking,
    Not,
}

impl Part {
    fn of(is_found: bool, is_lacking: impl FnOnce() -> bool) -> Self {
        match is_found {
            true => Self::Found,
            false if is_lacking() => Self::Lacking,
            false => Self::Not,
        }
    }
}

fn leaf_of(leaf: &Leaf, value: Option<&Node<'_>>) -> Part {
    let is_found = value.is_some_and(|value| value.any_scalar(&mut |scalar| holds_any(leaf, scalar)));
    Part::of(is_found, || leaf.may_lack && value.is_none_or(|value| !value.any_scalar(&mut |_| true)))
}

fn part_of(plan: &Plan, value: Option<&Node<'_>>) -> Part {
    let is_found = value.is_some_and(|value| is_found(plan, value));
    Part::of(is_found, || value.map_or(plan.may_lack, |value| is_lacking(plan, value)))
}

/// Whether it is met by what is absent alone: none of an array's objects has it.
fn is_lacking(plan: &Plan, node: &Node<'_>) -> bool {
    plan.may_lack && lacks(plan, node, &mut Vec::new())
}

fn lacks<'p>(plan: &'p Plan, from: &Node<'_>, path: &mut Vec<&'p str>) -> bool {
    let at = |key: &'p str, path: &mut Vec<&'p str>, is_so: &dyn Fn(&mut Vec<&'p str>) -> bool| {
        path.push(key);
        let is_so = is_so(path);
        path.pop();
        is_so
    };
    plan.any.iter().any(|all| {
        all.leaves.iter().all(|(key, leaf)| leaf.may_lack && at(key, path, &|path| !has_any(from, path)))
            && all.inner.iter().all(|(key, plan)| plan.may_lack && at(key, path, &|path| lacks(plan, from, path)))
            && all.choices.iter().all(|plan| plan.may_lack && lacks(plan, from, path))
    })
}

/// Whether there is any value to compare at the end of a path.
fn has_any(node: &Node<'_>, path: &[&str]) -> bool {
    match (node, path.split_first()) {
        (_, None) => node.any_scalar(&mut |_| true),
        (Node::List(items), _) => items.iter().any(|item| has_any(item, path)),
        (Node::Object(_), Some((key, rest))) => node.get(key).is_some_and(|value| has_any(value, rest)),
        _ => false,
    }
}

/// Whether a value is as any of a field's comparisons has it.
pub(super) fn holds_any(leaf: &Leaf, scalar: &Node<'_>) -> bool {
    match scalar {
        Node::Text(text) => {
            let folding = Folding::new(text, leaf.longest_folded);
            leaf.tests.iter().any(|test| holds_text(test, text, &folding))
        }
        scalar => leaf.tests.iter().any(|test| holds(test, scalar)),
    }
}

/// What is no text, before one comparison.
fn holds(test: &Test, scalar: &Node<'_>) -> bool {
    match (test, scalar) {
        (Test::Exists, _) | (Test::Null, Node::Null) => true,
        (Test::Bool(wanted), Node::Bool(found)) => wanted == found,
        (Test::Number(wanted), Node::Number(found)) => found.is(*wanted),
        (Test::Numeric(range), Node::Number(found)) => range.has(*found),
        // What is of another kind than what is not wanted is anything but that.
        (Test::AnythingBut(Unwanted::Numbers(all)), Node::Number(found)) => !all.iter().any(|one| one.is(*found)),
        (Test::AnythingBut(_), _) => true,
        _ => false,
    }
}

fn holds_text(test: &Test, text: &str, folding: &Folding<'_>) -> bool {
    match test {
        Test::Exists => true,
        Test::Text(wanted) => wanted == text,
        Test::Prefix(Affix::Exact(prefix)) => text.starts_with(prefix.as_str()),
        Test::Prefix(Affix::IgnoringCase(prefix, _)) => folding.begins_with(prefix),
        Test::Suffix(Affix::Exact(suffix)) => text.ends_with(suffix.as_str()),
        Test::Suffix(Affix::IgnoringCase(suffix, _)) => folding.ends_with(suffix),
        Test::IgnoringCase(wanted, _) => folding.is(wanted),
        Test::Wildcard(wildcard, _) => wildcard.matches(text),
        Test::AnythingBut(unwanted) => !is_unwanted(unwanted, text, folding),
        Test::Null | Test::Bool(_) | Test::Number(_) | Test::Numeric(_) | Test::Absent => false,
    }
}

fn is_unwanted(unwanted: &Unwanted, text: &str, folding: &Folding<'_>) -> bool {
    match unwanted {
        Unwanted::Numbers(_) => false,
        Unwanted::Texts(all) => all.iter().any(|one| one == text),
        Unwanted::Prefixes(all) => all.iter().any(|one| text.starts_with(one.as_str())),
        Unwanted::Suffixes(all) => all.iter().any(|one| text.ends_with(one.as_str())),
        Unwanted::IgnoringCase(all) => all.iter().any(|(one, _)| folding.is(one)),
        Unwanted::Wildcards(all) => all.iter().any(|(one, _)| one.matches(text)),
    }
}
