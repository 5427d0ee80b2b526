//! Which events a webhook asks for: the catalogue to pick from, and room for patterns.

use maud::{Markup, html};
use postrider_domain::event::{EventPattern, EventType as Name};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::typed::Typed;
use crate::answers::{EventType, Pagination};
use crate::form::Errors;
use crate::json;
use crate::pages::field::Field;
use crate::prose;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Types that are listed; those beyond are written by hand.
const MOST: usize = 200;
/// A page of them, as the API gives it.
const ON_A_PAGE: usize = 100;
/// An example or a schema that is shown whole; a longer one is on its type's own page.
const MOST_CHARS: usize = 4_000;
/// All that are shown so on one page.
const MOST_CHARS_IN_ALL: usize = 60_000;

/// With more than so many, the list is looked through in a box of its own.
const MANY: usize = 12;

/// What asks for all.
const ALL: &str = "*";

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    event_types: Vec<EventType>,
    #[serde(default)]
    pagination: Pagination,
}

/// The deployment's types, as far as they are listed.
#[derive(Default)]
pub(super) struct Catalogue {
    pub(super) types: Vec<EventType>,
    /// Whether there are more.
    is_cut: bool,
    /// Whether they could not be read.
    is_missing: bool,
}

impl Catalogue {
    /// Reads them. Where that fails the form is shown all the same, and names are written.
    ///
    /// # Errors
    /// Where the session has ended.
    pub(super) async fn read(visit: &Visit<'_>) -> Result<Self, Trouble> {
        let mut found = Self::default();
        let mut cursor: Option<String> = None;
        let limit = ON_A_PAGE.to_string();
        while found.types.len() < MOST {
            let query: Vec<_> =
                [("limit", limit.as_str())].into_iter().chain(cursor.as_deref().map(|at| ("cursor", at))).collect();
            let page: Page = match visit.get(&["v1", "event-types"], &query).await {
                Ok(page) => page,
                Err(Trouble::Ended) => return Err(Trouble::Ended),
                Err(_) => return Ok(Self { is_missing: true, ..found }),
            };
            found.types.extend(page.event_types);
            cursor = page.pagination.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        found.is_cut = cursor.is_some() || found.types.len() > MOST;
        found.types.truncate(MOST);
        Ok(found)
    }

    fn has(&self, name: &str) -> bool {
        name == ALL || self.types.iter().any(|one| one.name == name)
    }
}

/// Patterns, and boxes to tick, each with what it is. A type that a pattern takes says so at its box.
pub(super) fn picker(visit: &Visit<'_>, typed: &Typed, catalogue: &Catalogue, errors: &Errors) -> Markup {
    let texts = &visit.texts.edit.events;
    let (built_in, own): (Vec<_>, Vec<_>) = catalogue.types.iter().partition(|one| one.built_in);
    let others: Vec<_> = typed.events.iter().filter(|name| !catalogue.has(name)).map(String::as_str).collect();
    let written = [others.join("\n"), typed.patterns.clone()].into_iter().filter(|text| !text.is_empty());
    let written = written.collect::<Vec<_>>().join("\n");
    let wrong = errors.of("events");
    let described = if wrong.is_some() { "events-hint events-wrong" } else { "events-hint" };
    let patterns: Vec<&str> = typed
        .asked_for()
        .into_iter()
        .filter(|name| *name != ALL && name.ends_with(ALL) && EventPattern::kept(name).is_ok())
        .collect();
    let mut room = MOST_CHARS_IN_ALL;
    let mut boxes = |types: &[&EventType], id: &str, is_long: bool| {
        html! { ul.types.long[is_long] #(id) { @for one in types { li { (listed(visit, one, typed, &patterns, &mut room)) } } } }
    };
    let group = own.first().and_then(|one| one.name.split('.').next()).unwrap_or("invoice");
    let more_hint = (texts.more_hint)(&format!("{group}.*"), &format!("{group}."));
    html! {
        fieldset.section #events data-patterns="patterns" tabindex="-1" aria-describedby=(described) {
            legend { h2 { (texts.title) } }
            p.hint #events-hint { (texts.hint) }
            @if let Some(message) = wrong { p.wrong #events-wrong { (prose::line(message)) } }
            @if catalogue.is_missing { p.hint { (texts.not_listed) } }
            ul.types { li { (choice(ALL, texts.all, Some(texts.all_means), typed)) } }
            (Field { name: "patterns", label: texts.more, hint: &more_hint, value: &written }.area_of(errors, 3))
            @if !patterns.is_empty() {
                ul.patterns { @for pattern in &patterns { li { code { (pattern) } " = " ((texts.pattern_means)(pattern.trim_end_matches(ALL))) } } }
            }
            @if !own.is_empty() {
                h3 { (texts.own) }
                div data-find="types-own" hidden {
                    label for="find-type" { (texts.search) }
                    input #find-type type="search" autocomplete="off" spellcheck="false";
                }
                (boxes(&own, "types-own", own.len() > MANY))
            }
            @if !built_in.is_empty() {
                details open[built_in.iter().any(|one| typed.events.contains(&one.name) || taken(&one.name, &patterns).is_some())] {
                    summary { h3 { (texts.built_in) } }
                    p.hint { (texts.built_in_means) }
                    (boxes(&built_in, "types-built-in", false))
                }
            }
            @if catalogue.is_cut { p.hint { (texts.not_all_listed) } }
        }
    }
}

/// The pattern among these that takes a type.
fn taken<'a>(name: &str, patterns: &[&'a str]) -> Option<&'a str> {
    let name = Name::kept(name).ok()?;
    patterns.iter().copied().find(|pattern| EventPattern::kept(pattern).is_ok_and(|pattern| pattern.takes(&name)))
}

fn choice(name: &str, label: &str, means: Option<&str>, typed: &Typed) -> Markup {
    let id = format!("type-{name}");
    html! {
        div.check {
            input #(id) type="checkbox" name="events" value=(name) checked[typed.events.contains(name)];
            label for=(id) {
                @if label == name { code { (label) } } @else { (label) }
                @if let Some(means) = means { " " span.soft { (means) } }
            }
        }
    }
}

fn listed(visit: &Visit<'_>, one: &EventType, typed: &Typed, patterns: &[&str], room: &mut usize) -> Markup {
    let texts = &visit.texts.edit.events;
    let mut shown = |value: Option<&RawValue>| {
        let text = json::pretty(value?.get());
        let fits = text.len() <= MOST_CHARS && text.len() <= *room;
        *room -= if fits { text.len() } else { 0 };
        fits.then_some(text)
    };
    let (example, schema) = (shown(one.example.as_deref()), shown(one.schema.as_deref()));
    html! {
        (choice(&one.name, &one.name, one.description.as_deref(), typed))
        @let pattern = taken(&one.name, patterns);
        p.through data-through=(texts.through) hidden[pattern.is_none()] { @if let Some(pattern) = pattern { (texts.through) " " (pattern) } }
        @if example.is_some() || schema.is_some() {
            details.type {
                summary { (texts.details) span.unseen { " " (one.name) } }
                @if let Some(example) = example { p { (texts.example) } pre { code { (example) } } }
                @if let Some(schema) = schema { p { (texts.schema) } pre { code { (schema) } } }
            }
        }
    }
}
