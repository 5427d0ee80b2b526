//! A filter as it is judged: what is asked of one field stands together, wherever in the filter it was written, since of an array of
//! objects it is to be met by one of them.

use std::sync::Arc;

use super::compiled::{Field, Leaf, Pattern};

/// What is asked of a place: one of these is to be met.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) any: Vec<All>,
    /// Whether it can be met by what is absent alone.
    pub(super) may_lack: bool,
}

/// All of it is to be met.
#[derive(Debug)]
pub(super) struct All {
    /// The fields whose values are compared.
    pub(super) leaves: Vec<(String, Arc<Leaf>)>,
    /// The fields that are looked into, each once.
    pub(super) inner: Vec<(String, Plan)>,
    /// What has alternatives of its own, which look into none of the fields that the rest looks into.
    pub(super) choices: Vec<Plan>,
}

/// Objects of a filter that are to be met in one place, each with its alternatives or, where one of them was chosen, without.
type Together<'p> = Vec<(&'p Pattern, bool)>;

impl Plan {
    /// The plan of a filter, and how many comparisons it makes; nothing where they are more than `most`. They bound the time that a
    /// judgement takes.
    pub(super) fn of(pattern: &Pattern, most: usize) -> Option<Self> {
        let mut left = most;
        planned(&[(pattern, true)], &mut left)
    }

    fn new(any: Vec<All>) -> Self {
        let may_lack = any.iter().any(All::may_lack);
        Self { any, may_lack }
    }
}

impl All {
    fn may_lack(&self) -> bool {
        self.leaves.iter().all(|(_, leaf)| leaf.may_lack)
            && self.inner.iter().all(|(_, plan)| plan.may_lack)
            && self.choices.iter().all(|plan| plan.may_lack)
    }
}

/// What is asked together, which may take so many comparisons.
fn planned(together: &[(&Pattern, bool)], left: &mut usize) -> Option<Plan> {
    if let Some(at) = entangled(together) {
        let mut any = Vec::new();
        for alternative in &together[at].0.or {
            let mut chosen = together.to_vec();
            chosen[at].1 = false;
            chosen.push((alternative, true));
            any.extend(planned(&chosen, left)?.any);
        }
        return Some(Plan::new(any));
    }
    let mut leaves = Vec::new();
    for (key, field) in together.iter().flat_map(|(pattern, _)| &pattern.fields) {
        if let Field::Leaf(leaf) = field {
            *left = left.checked_sub(leaf.len())?;
            leaves.push((key.clone(), Arc::clone(leaf)));
        }
    }
    let mut inner = Vec::new();
    for (key, asked) in by_key(together) {
        inner.push((key.to_owned(), planned(&asked, left)?));
    }
    let mut choices = Vec::new();
    for (pattern, _) in together.iter().filter(|(pattern, with_or)| *with_or && !pattern.or.is_empty()) {
        let mut any = Vec::new();
        for alternative in &pattern.or {
            any.extend(planned(&[(alternative, true)], left)?.any);
        }
        choices.push(Plan::new(any));
    }
    Some(Plan::new(vec![All { leaves, inner, choices }]))
}

/// The first of these objects whose alternatives look into a field that something else here looks into. They cannot be judged apart,
/// so each of them is planned with the rest.
fn entangled(together: &[(&Pattern, bool)]) -> Option<usize> {
    let is_shared = |at: usize, key: &str| {
        together.iter().enumerate().any(|(place, (pattern, with_or))| {
            let is_it = |into: &str| into == key;
            pattern.inner().any(|(into, _)| is_it(into))
                || (place != at && *with_or && pattern.or.iter().any(|one| one.looks_into(&is_it)))
        })
    };
    together
        .iter()
        .enumerate()
        .find(|(at, (pattern, with_or))| {
            *with_or && pattern.or.iter().any(|one| one.looks_into(&|key| is_shared(*at, key)))
        })
        .map(|(at, _)| at)
}

/// All that is asked of each field that is looked into, in the order in which they are first named.
fn by_key<'p>(together: &[(&'p Pattern, bool)]) -> Vec<(&'p str, Together<'p>)> {
    let mut keys: Vec<(&str, Together<'_>)> = Vec::new();
    for (key, inner) in together.iter().flat_map(|(pattern, _)| pattern.inner()) {
        match keys.iter_mut().find(|(there, _)| *there == key) {
            Some((_, all)) => all.push((inner, true)),
            None => keys.push((key, vec![(inner, true)])),
        }
    }
    keys
}
