//! The list of events, with what became of each.

mod outcomes;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use postrider_domain::delivery::Status;
use postrider_domain::time::as_wire;
use serde::Deserialize;
use serde::de::IgnoredAny;

use self::outcomes::{Became, Outcomes};
use super::field::{self, Field};
use crate::answers::Pagination;
use crate::directory::Directory;
use crate::form::Errors;
use crate::parts;
use crate::shown::Shown;
use crate::standing;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Events on a page.
const ON_A_PAGE: usize = 25;

#[derive(Debug, Default, Deserialize)]
struct Page {
    events: Vec<Event>,
    #[serde(default)]
    pagination: Pagination,
}

/// An event as it is listed.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) event: String,
    #[serde(with = "as_wire")]
    pub(crate) timestamp: jiff::Timestamp,
    #[serde(default)]
    test: bool,
}

/// What of them is asked for, as it was typed.
#[derive(Debug, Default)]
struct Asked<'a> {
    event: &'a str,
    since: &'a str,
    until: &'a str,
    cursor: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(visit: &'a Visit<'_>) -> Self {
        let text = |name| visit.query(name).unwrap_or_default().trim();
        Self { event: text("event"), since: text("since"), until: text("until"), cursor: visit.query("cursor") }
    }

    /// As the API is asked.
    fn query(&self, visit: &Visit<'_>, errors: &mut Errors) -> Vec<(&'static str, String)> {
        let mut query = vec![("limit", ON_A_PAGE.to_string())];
        query.extend(Some(self.event).filter(|event| !event.is_empty()).map(|event| ("event", event.to_owned())));
        for (name, text) in
            [("since", self.since), ("until", self.until)].into_iter().filter(|(_, text)| !text.is_empty())
        {
            match field::time_of(text) {
                Some(at) => query.push((name, at.to_string())),
                None => errors.add(name, visit.texts.events.no_time),
            }
        }
        query.extend(self.cursor.map(|cursor| ("cursor", cursor.to_owned())));
        query
    }

    /// As a link to this page has it.
    fn link(&self) -> Vec<(&'static str, &'a str)> {
        let all = [("event", self.event), ("since", self.since), ("until", self.until)];
        all.into_iter().filter(|(_, text)| !text.is_empty()).collect()
    }

    fn is_narrow(&self) -> bool {
        !self.link().is_empty()
    }
}

/// A page of them; or the way to the one whose id is asked for.
pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (asked, mut errors) = (Asked::of(visit), Errors::default());
    if let Some(id) = visit.query("id").map(str::trim) {
        match visit.get_if_there::<IgnoredAny>(&["v1", "events", id]).await? {
            Some(_) => return Ok(Shown::see(format!("events/{id}"))),
            None => errors.add("id", (visit.texts.events.not_found)(id)),
        }
    }
    let is_misspelt = !errors.is_empty();
    let query = asked.query(visit, &mut errors);
    if !is_misspelt && !errors.is_empty() {
        return Ok(page(visit, &asked, &errors, None).with_status(422));
    }
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (found, directory) = futures::join!(visit.get::<Page>(&["v1", "events"], &query), Directory::of(visit));
    let found = match found {
        Err(trouble @ Trouble::Refused(_)) => {
            let errors = field::refused(trouble, &["event", "since", "until"])?;
            return Ok(page(visit, &asked, &errors, None).with_status(422));
        }
        found => found?,
    };
    let outcomes = Outcomes::of(visit, &directory?, asked.event, &found.events).await?;
    if visit.is_for_script() {
        return Ok(Shown::Part(listed(visit, &asked, &found, &outcomes)));
    }
    let shown = page(visit, &asked, &errors, Some((&found, &outcomes)));
    Ok(if is_misspelt { shown.with_status(404) } else { shown })
}

fn page(visit: &Visit<'_>, asked: &Asked<'_>, errors: &Errors, found: Option<(&Page, &Outcomes)>) -> Shown {
    let texts = &visit.texts.events;
    let main = html! {
        (parts::error_summary(visit, errors))
        h1 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        (search(visit, errors))
        (narrowing(visit, asked, errors, found.and_then(|(found, _)| found.events.first())))
        @if let Some((found, outcomes)) = found {
            @let place = parts::with_query("events", &asked.link());
            (parts::refreshed(visit, &place, asked.cursor.is_none(), listed(visit, asked, found, outcomes)))
        }
    };
    Shown::page(texts.title, main)
}

fn listed(visit: &Visit<'_>, asked: &Asked<'_>, found: &Page, outcomes: &Outcomes) -> Markup {
    html! {
        @if found.events.is_empty() { (nothing(visit, asked, found.pagination.next_cursor.is_some())) }
        @else { (table(visit, &found.events, outcomes)) }
        (parts::pager(visit, "events", &asked.link(), found.pagination.next_cursor.as_deref()))
    }
}

fn search(visit: &Visit<'_>, errors: &Errors) -> Markup {
    let texts = &visit.texts.events;
    let value = visit.query("id").unwrap_or_default();
    let field = Field { name: "id", label: texts.id, hint: texts.find_means, value };
    html! {
        details.choose open[errors.of("id").is_some()] {
            summary { (texts.find) }
            form method="get" action=(visit.to("events")) {
                (field.input(errors, "text", None))
                button.plain type="submit" { (texts.find_it) }
            }
        }
    }
}

fn narrowing(visit: &Visit<'_>, asked: &Asked<'_>, errors: &Errors, newest: Option<&Event>) -> Markup {
    let texts = &visit.texts.events;
    let event_hint = (texts.event_type_means)(newest.map_or("invoice.paid", |newest| newest.event.as_str()));
    let is_wrong = ["event", "since", "until"].into_iter().any(|name| errors.of(name).is_some());
    html! {
        details.choose open[asked.is_narrow() || is_wrong] {
            summary { (texts.narrow) }
            form method="get" action=(visit.to("events")) {
                (Field { name: "event", label: texts.event_type, hint: &event_hint, value: asked.event }.input(errors, "text", None))
                (Field { name: "since", label: texts.since, hint: texts.in_utc, value: asked.since }.input(errors, "datetime-local", None))
                (Field { name: "until", label: texts.until, hint: texts.in_utc, value: asked.until }.input(errors, "datetime-local", None))
                div.actions {
                    button.plain type="submit" { (texts.show) }
                    @if asked.is_narrow() { a href=(visit.to("events")) { (texts.show_all) } }
                }
            }
        }
    }
}

fn nothing(visit: &Visit<'_>, asked: &Asked<'_>, has_more: bool) -> Markup {
    let texts = &visit.texts.events;
    let webhooks = || parts::button_link(&visit.to("webhooks"), visit.texts.common.webhooks, "plain");
    html! {
        @if has_more { p.notice.idle { (texts.none_here) } }
        @else if asked.is_narrow() { (parts::empty(texts.none_such, texts.none_such_means, html! {})) }
        @else { (parts::empty(texts.none, texts.none_means, webhooks())) }
    }
}

fn table(visit: &Visit<'_>, events: &[Event], outcomes: &Outcomes) -> Markup {
    let texts = &visit.texts.events;
    html! {
        @if outcomes.is_of_undelivered() { p.soft { (texts.undelivered_alone) } }
        div.wide {
            table.stacked {
                thead { tr { th scope="col" { (texts.time) } th scope="col" { (texts.event) } th scope="col" { (texts.deliveries) } } }
                tbody {
                    @for event in events {
                        tr {
                            td { (time::shown(event.timestamp)) }
                            td {
                                a href=(visit.to(&format!("events/{}", event.id))) { (event.event) }
                                @if event.test { " " (parts::badge("idle", texts.test)) }
                                br; small { (event.id) }
                            }
                            td { (became(visit, event, &outcomes.of_event(event))) }
                        }
                    }
                }
            }
        }
    }
}

fn became(visit: &Visit<'_>, event: &Event, became: &Became) -> Markup {
    let texts = &visit.texts.events;
    html! {
        @match became {
            Became::Unread => span.soft { (texts.unread) },
            Became::SentToNobody => a href=(visit.to(&format!("events/{}", event.id))) { (texts.nobody) },
            Became::NothingUndelivered => span.soft { (texts.nothing_amiss) },
            Became::Sent(counts) => {
                @for status in Status::ALL {
                    @if let Some(count) = counts.get(status.as_str()) { (standing::count(visit, *status, *count)) " " }
                }
            }
        }
    }
}
