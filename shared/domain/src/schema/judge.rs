//! Holding a value to a schema. Each look at something is a step, and there are only so many: however a schema and a value are
//! made, judging ends, by a count and not by a clock, so that the same value is judged alike each time.

use std::borrow::Cow;

use super::compile::Compiled;
use super::fault::{Fault, MAX_FAULTS, Step, listed, pointer};
use super::number::Number;
use super::rule::{At, Contains, Count, If, List, Object, Rule, Subschema};
use super::value::{BYTES_AT_ONCE, Value};
use crate::invalid::quoted;

/// How deep schemas and values may lie in one another: what the stack holds many times over.
pub const MAX_NESTING: usize = 256;

/// It took more steps than there are, or lay too deep.
#[derive(Debug)]
pub(crate) struct TooMuch;

/// What became of a part.
type Verdict = Result<bool, TooMuch>;

/// Which fields of an object, or items of a list, some schema has had a say on.
type Seen = Vec<bool>;

pub(crate) struct Judge<'s, 'v> {
    compiled: &'s Compiled,
    steps: u64,
    way: Vec<Step<'v>>,
    depth: usize,
    faults: Vec<Fault>,
}

impl<'s, 'v> Judge<'s, 'v> {
    pub(crate) fn new(compiled: &'s Compiled, steps: u64) -> Self {
        Self { compiled, steps, way: Vec::new(), depth: 0, faults: Vec::new() }
    }

    /// What is amiss with a value, up to so many faults; and how many steps are left.
    pub(crate) fn judge(mut self, value: &'v Value<'v>) -> Result<(Vec<Fault>, u64), TooMuch> {
        let fits = self.fits(0, value, true, None)?;
        debug_assert_eq!(fits, self.faults.is_empty(), "whatever does not fit is told");
        Ok((self.faults, self.steps))
    }

    fn pay(&mut self, steps: u64) -> Result<(), TooMuch> {
        self.steps = self.steps.checked_sub(steps).ok_or(TooMuch)?;
        Ok(())
    }

    fn pay_for(&mut self, text: &str) -> Result<(), TooMuch> {
        self.pay(1 + steps(text.len() / BYTES_AT_ONCE))
    }

    /// Whether a schema takes a value. What it does not take is told where that `tells`; without, the first fault ends it.
    fn fits(&mut self, at: At, value: &'v Value<'v>, tells: bool, mut seen: Option<&mut Seen>) -> Verdict {
        self.pay(1)?;
        let compiled = self.compiled;
        let rules = match &compiled.all[at] {
            Subschema::Anything => return Ok(true),
            Subschema::Nothing => return Ok(self.fault(tells, || "expected nothing here".to_owned())),
            Subschema::Rules(rules) => rules,
        };
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(TooMuch);
        }
        // What nobody has had a say on is asked of this schema's own keywords alone: what stands beside it around it counts for others.
        let asks = rules.iter().any(|rule| matches!(rule, Rule::UnevaluatedItems(_) | Rule::UnevaluatedProperties(_)));
        let mut own = if asks { Some(self.unseen(value)?) } else { None };
        let mut fits = true;
        for rule in rules {
            self.pay(1)?;
            let seen = own.as_mut().or(seen.as_deref_mut());
            fits &= self.keeps(rule, value, tells, seen)?;
            if !fits && (!tells || self.faults.len() == MAX_FAULTS) {
                break;
            }
        }
        if let (Some(seen), Some(own)) = (seen, own) {
            merge(seen, own);
        }
        self.depth -= 1;
        Ok(fits)
    }

    fn unseen(&mut self, value: &Value<'_>) -> Result<Seen, TooMuch> {
        let parts = match value {
            Value::List(items) => items.len(),
            Value::Object(fields) => fields.len(),
            _ => 0,
        };
        self.pay(1 + steps(parts / BYTES_AT_ONCE))?;
        Ok(vec![false; parts])
    }

    fn fault(&mut self, tells: bool, message: impl FnOnce() -> String) -> bool {
        if tells && self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault::new(pointer(&self.way), message()));
        }
        false
    }

    fn keeps(&mut self, rule: &'s Rule, value: &'v Value<'v>, tells: bool, seen: Option<&mut Seen>) -> Verdict {
        match rule {
            Rule::Types(types) if types.take(value) => Ok(true),
            Rule::Types(types) => Ok(self.fault(tells, || format!("expected {}", types.told()))),
            Rule::Enum(all) => self.is_one_of(all, value, tells),
            Rule::Const(one) => self.is_one_of(std::slice::from_ref(one), value, tells),
            Rule::AllOf(all) => self.all_of(all, value, tells, seen),
            Rule::AnyOf(all) => self.any_of(all, value, tells, seen),
            Rule::OneOf(all) => self.one_of(all, value, tells, seen),
            Rule::Not(one) => {
                let fits = self.fits(*one, value, false, None)?;
                Ok(!fits || self.fault(tells, || "expected what the schema of `not` does not take".to_owned()))
            }
            Rule::If(condition) => self.follows(condition, value, tells, seen),
            Rule::Refer(reference) => self.fits(self.compiled.targets[*reference], value, tells, seen),
            _ => match value {
                Value::Number(number) => self.keeps_number(rule, number, tells),
                Value::Text(text) => self.keeps_text(rule, text, tells),
                Value::List(items) => self.keeps_list(rule, items, tells, seen),
                Value::Object(fields) => self.keeps_object(rule, value, fields, tells, seen),
                Value::Null | Value::Boolean(_) => Ok(true),
            },
        }
    }

    fn is_one_of(&mut self, all: &'s [Value<'static>], value: &Value<'_>, tells: bool) -> Verdict {
        // Looked for among those that are in order, each of which may take as long as the value does.
        self.pay(value.size().saturating_mul(1 + u64::from(usize::BITS - all.len().leading_zeros())))?;
        let canonical = value.canonical();
        let is_one = all.binary_search_by(|one| one.cmp(&canonical)).is_ok();
        Ok(is_one
            || self.fault(tells, || match all {
                [one] => format!("expected {}", quoted(&one.to_string())),
                all => format!("expected one of {}", listed(all)),
            }))
    }

    fn all_of(&mut self, all: &'s [At], value: &'v Value<'v>, tells: bool, mut seen: Option<&mut Seen>) -> Verdict {
        let mut fits = true;
        for one in all {
            fits &= self.fits(*one, value, tells, seen.as_deref_mut())?;
            if !fits && (!tells || self.faults.len() == MAX_FAULTS) {
                break;
            }
        }
        Ok(fits)
    }

    fn any_of(&mut self, all: &'s [At], value: &'v Value<'v>, tells: bool, mut seen: Option<&mut Seen>) -> Verdict {
        let mut fits = false;
        for one in all {
            fits |= self.tried(*one, value, seen.as_deref_mut())?;
            if fits && seen.is_none() {
                break;
            }
        }
        Ok(fits || self.fault(tells, || format!("expected what one of the {} schemas of `anyOf` takes", all.len())))
    }

    fn one_of(&mut self, all: &'s [At], value: &'v Value<'v>, tells: bool, mut seen: Option<&mut Seen>) -> Verdict {
        let mut fitting = 0;
        for one in all {
            fitting += usize::from(self.tried(*one, value, seen.as_deref_mut())?);
            if fitting > 1 {
                break;
            }
        }
        Ok(fitting == 1
            || self.fault(tells, || {
                let which = if fitting == 0 { "none does" } else { "more than one does" };
                format!("expected what exactly one of the {} schemas of `oneOf` takes; {which}", all.len())
            }))
    }

    fn follows(
        &mut self,
        condition: &'s If,
        value: &'v Value<'v>,
        tells: bool,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let holds = self.tried(condition.condition, value, seen.as_deref_mut())?;
        match if holds { condition.then } else { condition.otherwise } {
            Some(one) => self.fits(one, value, tells, seen),
            None => Ok(true),
        }
    }

    /// Whether a schema takes a value that need not fit; only where it does, it has had a say.
    fn tried(&mut self, at: At, value: &'v Value<'v>, seen: Option<&mut Seen>) -> Verdict {
        let Some(seen) = seen else { return self.fits(at, value, false, None) };
        let mut its = self.unseen(value)?;
        let fits = self.fits(at, value, false, Some(&mut its))?;
        if fits {
            merge(seen, its);
        }
        Ok(fits)
    }

    fn keeps_number(&mut self, rule: &'s Rule, number: &Number<'_>, tells: bool) -> Verdict {
        self.pay_for(number.text())?;
        let (keeps, expected, bound) = match rule {
            Rule::MultipleOf(one) => (number.is_multiple_of(one), "a multiple of", one),
            Rule::AtMost(one) => (number <= one, "at most", one),
            Rule::Below(one) => (number < one, "less than", one),
            Rule::AtLeast(one) => (number >= one, "at least", one),
            Rule::Above(one) => (number > one, "more than", one),
            _ => return Ok(true),
        };
        Ok(keeps || self.fault(tells, || format!("expected {expected} {}", quoted(bound.text()))))
    }

    fn keeps_text(&mut self, rule: &'s Rule, text: &'v str, tells: bool) -> Verdict {
        match rule {
            Rule::Length(count) => {
                self.pay_for(text)?;
                Ok(self.counts(count, text.chars().count(), "characters", tells))
            }
            Rule::Matches(pattern) => {
                self.pay(pattern.steps(text))?;
                Ok(pattern.is_in(text)
                    || self.fault(tells, || format!("expected what matches {}", quoted(pattern.text()))))
            }
            _ => Ok(true),
        }
    }

    fn counts(&mut self, count: &Count, there_are: usize, of_what: &str, tells: bool) -> bool {
        let there_are = steps(there_are);
        match (count.least, count.most) {
            (Some(least), _) if there_are < least => {
                self.fault(tells, || format!("expected at least {least} {of_what}"))
            }
            (_, Some(most)) if there_are > most => self.fault(tells, || format!("expected at most {most} {of_what}")),
            _ => true,
        }
    }

    fn keeps_list(&mut self, rule: &'s Rule, items: &'v [Value<'v>], tells: bool, seen: Option<&mut Seen>) -> Verdict {
        match rule {
            Rule::Items(count) => Ok(self.counts(count, items.len(), "items", tells)),
            Rule::Unique => self.are_unique(items, tells),
            Rule::List(List { first, rest }) => {
                let asked = items
                    .iter()
                    .enumerate()
                    .map_while(|(at, item)| Some((at, item, first.get(at).copied().or(*rest)?)));
                self.each_item(asked, tells, seen)
            }
            Rule::Contains(contains) => self.contain(contains, items, tells, seen),
            Rule::UnevaluatedItems(rest) => {
                let left: Vec<usize> =
                    (0..items.len()).filter(|at| seen.as_ref().is_some_and(|seen| !seen[*at])).collect();
                self.pay(steps(items.len() / BYTES_AT_ONCE))?;
                self.each_item(left.into_iter().map(|at| (at, &items[at], *rest)), tells, seen)
            }
            _ => Ok(true),
        }
    }

    fn each_item(
        &mut self,
        asked: impl Iterator<Item = (usize, &'v Value<'v>, At)>,
        tells: bool,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut fits = true;
        for (at, item, schema) in asked {
            if let Some(seen) = &mut seen {
                seen[at] = true;
            }
            fits &= self.within(Step::Item(at), schema, item, tells)?;
            if !fits && (!tells || self.faults.len() == MAX_FAULTS) {
                break;
            }
        }
        Ok(fits)
    }

    fn are_unique(&mut self, items: &[Value<'_>], tells: bool) -> Verdict {
        let size = items.iter().map(Value::size).fold(0_u64, u64::saturating_add);
        self.pay(size)?;
        // Put in order, each is looked at once for each halving.
        self.pay(size.saturating_mul(u64::from(usize::BITS - items.len().leading_zeros())))?;
        let mut items: Vec<_> = items.iter().map(Value::canonical).collect();
        items.sort_unstable();
        let are = items.windows(2).all(|pair| pair[0] != pair[1]);
        Ok(are || self.fault(tells, || "expected items of which no two are the same".to_owned()))
    }

    fn contain(
        &mut self,
        contains: &'s Contains,
        items: &'v [Value<'v>],
        tells: bool,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut found = 0;
        for (at, item) in items.iter().enumerate() {
            if self.within(Step::Item(at), contains.item, item, false)? {
                found += 1;
                if let Some(seen) = &mut seen {
                    seen[at] = true;
                }
            }
        }
        let count = Count { least: Some(contains.count.least.unwrap_or(1)), most: contains.count.most };
        Ok(self.counts(&count, found, "items that the schema of `contains` takes", tells))
    }

    fn keeps_object(
        &mut self,
        rule: &'s Rule,
        value: &'v Value<'v>,
        fields: &'v [(Cow<'v, str>, Value<'v>)],
        tells: bool,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        match rule {
            Rule::Properties(count) => Ok(self.counts(count, fields.len(), "properties", tells)),
            Rule::Required(names) => self.are_there(names, fields, tells),
            Rule::DependentRequired(all) => {
                let mut fits = true;
                for (name, names) in all {
                    if self.has(fields, name)? {
                        fits &= self.are_there(names, fields, tells)?;
                    }
                }
                Ok(fits)
            }
            Rule::DependentSchemas(all) => {
                let mut fits = true;
                for (name, schema) in all {
                    if self.has(fields, name)? {
                        fits &= self.fits(*schema, value, tells, seen.as_deref_mut())?;
                    }
                }
                Ok(fits)
            }
            Rule::PropertyNames(schema) => {
                for (name, _) in fields {
                    // A name is no value of the data's own, so that what is amiss with it is told of its object.
                    let text = Value::Text(Cow::Borrowed(name));
                    let mut of_name = Judge { steps: self.steps, depth: self.depth, ..Judge::new(self.compiled, 0) };
                    let fits = of_name.fits(*schema, &text, false, None)?;
                    self.steps = of_name.steps;
                    if !fits {
                        return Ok(self.fault(tells, || format!("expected no property named {}", quoted(name))));
                    }
                }
                Ok(true)
            }
            Rule::Object(object) => self.each_field(object, fields, tells, seen),
            Rule::UnevaluatedProperties(rest) => {
                let mut fits = true;
                self.pay(steps(fields.len() / BYTES_AT_ONCE))?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    if let Some(seen) = &mut seen
                        && !std::mem::replace(&mut seen[at], true)
                    {
                        fits &= self.within(Step::Name(name), *rest, value, tells)?;
                    }
                }
                Ok(fits)
            }
            _ => Ok(true),
        }
    }

    fn each_field(
        &mut self,
        object: &'s Object,
        fields: &'v [(Cow<'v, str>, Value<'v>)],
        tells: bool,
        mut seen: Option<&mut Seen>,
    ) -> Verdict {
        let mut fits = true;
        for (at, (name, value)) in fields.iter().enumerate() {
            self.pay_for(name)?;
            let named = object.named.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok();
            let mut schemas: Vec<At> = named.map(|at| object.named[at].1).into_iter().collect();
            for (pattern, schema) in &object.patterns {
                self.pay(pattern.steps(name))?;
                if pattern.is_in(name) {
                    schemas.push(*schema);
                }
            }
            if schemas.is_empty() {
                schemas.extend(object.rest);
            }
            for schema in schemas {
                if let Some(seen) = &mut seen {
                    seen[at] = true;
                }
                fits &= self.within(Step::Name(name), schema, value, tells)?;
            }
            if !fits && (!tells || self.faults.len() == MAX_FAULTS) {
                break;
            }
        }
        Ok(fits)
    }

    fn are_there(&mut self, names: &'s [String], fields: &[(Cow<'_, str>, Value<'_>)], tells: bool) -> Verdict {
        self.pay(steps(names.len()))?;
        let mut missing = vec![true; names.len()];
        for (name, _) in fields {
            self.pay_for(name)?;
            if let Ok(at) = names.binary_search_by(|known| known.as_str().cmp(name)) {
                missing[at] = false;
            }
        }
        let missing: Vec<&String> =
            names.iter().zip(missing).filter(|(_, missing)| *missing).map(|(name, _)| name).collect();
        Ok(missing.is_empty() || self.fault(tells, || format!("expected the property {}", listed(&missing))))
    }

    fn has(&mut self, fields: &[(Cow<'_, str>, Value<'_>)], name: &str) -> Verdict {
        self.pay(1 + steps(fields.len()))?;
        Ok(fields.iter().any(|(known, _)| known == name))
    }

    /// Judges a part of the value.
    fn within(&mut self, step: Step<'v>, schema: At, part: &'v Value<'v>, tells: bool) -> Verdict {
        self.way.push(step);
        let fits = self.fits(schema, part, tells, None)?;
        self.way.pop();
        Ok(fits)
    }
}

fn merge(seen: &mut Seen, more: Seen) {
    seen.iter_mut().zip(more).for_each(|(seen, more)| *seen |= more);
}

fn steps(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
