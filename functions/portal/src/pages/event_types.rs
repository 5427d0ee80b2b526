//! The catalogue of event types.

#[cfg(test)]
mod tests;

use maud::{Markup, html};
use postrider_domain::event::EventType as Name;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::field::{self, Field, check};
use crate::answers::{EventType, Pagination};
use crate::directory::{Directory, Listed};
use crate::form::Errors;
use crate::json;
use crate::parts;
use crate::session::Capability;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Types on a page.
const ON_A_PAGE: usize = 50;
/// What Postrider tells of webhooks themselves begins so.
const OPERATIONAL: &str = "webhook.";

#[derive(Debug, Deserialize)]
struct Page {
    event_types: Vec<EventType>,
    #[serde(default)]
    pagination: Pagination,
}

impl EventType {
    /// The webhooks that ask for it.
    fn asking<'a>(&self, directory: &'a Directory) -> Vec<&'a Listed> {
        let Ok(name) = Name::kept(&self.name) else { return Vec::new() };
        directory.all().filter(|listed| listed.asks_for(&name)).collect()
    }
}

/// A page of the catalogue.
pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let prefix = visit.query("prefix").unwrap_or_default().trim();
    let is_with_deprecated = visit.query("deprecated").is_some();
    let mut asked = Vec::new();
    asked.extend(Some(("prefix", prefix)).filter(|_| !prefix.is_empty()));
    asked.extend(is_with_deprecated.then_some(("deprecated", "true")));
    let limit = ON_A_PAGE.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(&asked);
    query.extend(visit.query("cursor").map(|cursor| ("cursor", cursor)));
    let (found, directory) = futures::join!(visit.get::<Page>(&["v1", "event-types"], &query), Directory::of(visit));
    let (texts, directory) = (&visit.texts.event_types, directory?);
    let mut errors = Errors::default();
    let found = match found {
        Err(trouble @ Trouble::Refused(_)) => {
            errors = field::refused(trouble, &["prefix"])?;
            None
        }
        found => Some(found?),
    };
    let first =
        found.as_ref().and_then(|found| found.event_types.iter().find(|one| !one.name.starts_with(OPERATIONAL)));
    let begins = first.and_then(|one| one.name.split('.').next()).unwrap_or("invoice");
    let hint = (texts.begins_with_means)(&format!("{begins}."));
    let main = html! {
        (parts::error_summary(visit, &errors))
        h1 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        form.narrow method="get" action=(visit.to("event-types")) {
            (Field { name: "prefix", label: texts.begins_with, hint: &hint, value: prefix }.input(&errors, "text", None))
            (check("checkbox", ("deprecated", "true"), texts.deprecated_too, is_with_deprecated))
            button.plain type="submit" { (texts.show) }
        }
        @if let Some(found) = &found {
            @let next = found.pagination.next_cursor.as_deref();
            @if found.event_types.is_empty() { (nothing(visit, next.is_some(), !asked.is_empty())) }
            @else { ul.cards { @for one in &found.event_types { (card(visit, one, &directory)) } } }
            (parts::pager(visit, "event-types", &asked, next))
        }
    };
    let shown = Shown::page(texts.title, main);
    Ok(if errors.is_empty() { shown } else { shown.with_status(422) })
}

fn nothing(visit: &Visit<'_>, has_more: bool, is_narrow: bool) -> Markup {
    let texts = &visit.texts.event_types;
    html! {
        @if has_more { p.notice.idle { (texts.none_here) } }
        @else if is_narrow { (parts::empty(texts.none_such, texts.none_such_means, html! {})) }
        @else { (parts::empty(texts.none, texts.none_means, html! {})) }
    }
}

fn card(visit: &Visit<'_>, one: &EventType, directory: &Directory) -> Markup {
    let texts = &visit.texts.event_types;
    let asking = one.asking(directory);
    let leads = match asking.as_slice() {
        [only] => format!("webhooks/{}", only.id),
        _ => format!("event-types/{}", one.name),
    };
    html! {
        li.card {
            h2 {
                a href=(visit.to(&format!("event-types/{}", one.name))) { (one.name) }
                @if one.deprecated { " " (parts::badge("warn", texts.deprecated)) }
                @if one.name.starts_with(OPERATIONAL) { " " (parts::badge("idle", texts.own)) }
            }
            p { (one.description.as_deref().unwrap_or(texts.no_description)) }
            // Of some of the webhooks alone the number would say nothing.
            @if directory.is_complete {
                @if asking.is_empty() { p.soft { (texts.nobody_asks) } }
                @else { p { a href=(visit.to(&leads)) { ((texts.asking)(asking.len())) } } }
            }
        }
    }
}

/// One type.
pub(crate) async fn one(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let [name, _] = visit.variables;
    let path = ["v1", "event-types", name];
    let (one, directory) = futures::join!(visit.get::<EventType>(&path, &[]), Directory::of(visit));
    let (one, directory, texts) = (one?, directory?, &visit.texts.event_types);
    let asking = one.asking(&directory);
    let makes = visit.may(Capability::Edit) && visit.session.sees_all();
    let with_name = |path: &str| visit.to(&parts::with_query(path, &[("event", &one.name)]));
    let main = html! {
        h1 { (one.name) }
        p { (one.description.as_deref().unwrap_or(texts.no_description)) }
        @if one.deprecated { (parts::notice("warn", texts.deprecated_means)) }
        @if one.name.starts_with(OPERATIONAL) { (parts::notice("idle", texts.own_means)) }
        div.actions {
            @if makes { (parts::button_link(&with_name("webhooks/new"), texts.new_webhook, "primary")) }
            a href=(with_name("events")) { (texts.its_events) }
        }
        @if directory.is_complete {
            h2 { (texts.who_asks) }
            @if asking.is_empty() { p { (texts.nobody_asks) } }
            @else { ul { @for listed in asking { li { a href=(visit.to(&format!("webhooks/{}", listed.id))) { (listed.url) } } } } }
        }
        h2 { (texts.example) }
        @match &one.example {
            Some(example) => { p.soft { (texts.example_means) } (code(example)) },
            None => p { (texts.no_example) },
        }
        h2 { (texts.schema) }
        @match &one.schema {
            Some(schema) => { p.soft { (texts.schema_means) } (code(schema)) },
            None => p { (texts.no_schema) },
        }
    };
    Ok(Shown::page(one.name.clone(), main))
}

fn code(text: &RawValue) -> Markup {
    html! { pre { code { (json::pretty(text.get())) } } }
}
