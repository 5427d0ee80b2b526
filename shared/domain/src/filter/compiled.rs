//! A filter as it was written, taken apart.

use std::cmp::Ordering;
use std::sync::Arc;

use super::fold::Folded;
use super::number::Number;
use super::wildcard::Wildcard;

/// An object of a filter: all of its fields have to be met, and one of its alternatives.
#[derive(Debug)]
pub(super) struct Pattern {
    /// In the order in which they were written, each key once.
    pub(super) fields: Vec<(String, Field)>,
    /// The objects of its `$or`; none where it has no such thing.
    pub(super) or: Vec<Pattern>,
}

/// What is asked of a field.
#[derive(Debug)]
pub(super) enum Field {
    /// Of its value.
    Leaf(Arc<Leaf>),
    /// Of what is in it.
    Inner(Pattern),
}

/// The comparisons of a field, one of which has to hold.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) tests: Vec<Test>,
    /// Whether it may be absent, too.
    pub(super) may_lack: bool,
    /// How many characters the longest has of what texts are compared with whatever their case.
    pub(super) longest_folded: usize,
}

/// One comparison with a value.
#[derive(Debug)]
pub(super) enum Test {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Prefix(Affix),
    Suffix(Affix),
    IgnoringCase(Folded, String),
    Wildcard(Wildcard, String),
    Numeric(Range),
    Exists,
    Absent,
    AnythingBut(Unwanted),
}

/// What a text begins or ends with.
#[derive(Debug)]
pub(super) enum Affix {
    Exact(String),
    IgnoringCase(Folded, String),
}

/// What a value is to be anything but.
#[derive(Debug)]
pub(super) enum Unwanted {
    Texts(Vec<String>),
    Numbers(Vec<Number>),
    Prefixes(Vec<String>),
    Suffixes(Vec<String>),
    IgnoringCase(Vec<(Folded, String)>),
    Wildcards(Vec<(Wildcard, String)>),
}

/// Between which numbers one lies.
#[derive(Debug, Default)]
pub(super) struct Range {
    pub(super) equal: Option<Number>,
    /// Above what, and whether that itself is good.
    pub(super) above: Option<(Number, bool)>,
    /// Below what, and whether that itself is good.
    pub(super) below: Option<(Number, bool)>,
}

impl Range {
    pub(super) fn has(&self, number: Number) -> bool {
        let is = |bound: Option<(Number, bool)>, side: Ordering| {
            bound.is_none_or(|(bound, itself)| match number.compare(bound) {
                Some(Ordering::Equal) => itself,
                found => found == Some(side),
            })
        };
        self.equal.is_none_or(|wanted| number.is(wanted))
            && is(self.above, Ordering::Greater)
            && is(self.below, Ordering::Less)
    }
}

impl Test {
    fn folded(&self) -> usize {
        match self {
            Self::IgnoringCase(wanted, _)
            | Self::Prefix(Affix::IgnoringCase(wanted, _))
            | Self::Suffix(Affix::IgnoringCase(wanted, _)) => wanted.len(),
            Self::AnythingBut(Unwanted::IgnoringCase(all)) => {
                all.iter().map(|(wanted, _)| wanted.len()).max().unwrap_or_default()
            }
            _ => 0,
        }
    }
}

impl Unwanted {
    /// How many comparisons it is.
    fn len(&self) -> usize {
        match self {
            Self::Texts(all) | Self::Prefixes(all) | Self::Suffixes(all) => all.len(),
            Self::Numbers(all) => all.len(),
            Self::IgnoringCase(all) => all.len(),
            Self::Wildcards(all) => all.len(),
        }
    }
}

impl Leaf {
    pub(super) fn new(tests: Vec<Test>) -> Self {
        let may_lack = tests.iter().any(|test| matches!(test, Test::Absent));
        let longest_folded = tests.iter().map(Test::folded).max().unwrap_or_default();
        Self { tests, may_lack, longest_folded }
    }

    pub(super) fn len(&self) -> usize {
        let len = |test: &Test| if let Test::AnythingBut(unwanted) = test { unwanted.len() } else { 1 };
        self.tests.iter().map(len).sum()
    }
}

impl Pattern {
    /// The fields that it looks into.
    pub(super) fn inner(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.fields.iter().filter_map(|(key, field)| match field {
            Field::Inner(inner) => Some((key.as_str(), inner)),
            Field::Leaf(_) => None,
        })
    }

    /// Whether it or any of its alternatives look into a field that is so.
    pub(super) fn looks_into(&self, is_so: &dyn Fn(&str) -> bool) -> bool {
        self.inner().any(|(key, _)| is_so(key)) || self.or.iter().any(|one| one.looks_into(is_so))
    }
}
