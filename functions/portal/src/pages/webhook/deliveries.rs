//! What was sent to a webhook: its deliveries, the newest first, as far as they are chosen.

use maud::{Markup, html};
use postrider_domain::attempt::Code;
use postrider_domain::delivery::Status;

use crate::answers::{Deliveries, Delivery, Pagination};
use crate::chart;
use crate::form::Errors;
use crate::pages::field::{self, Field};
use crate::parts;
use crate::session::Capability;
use crate::standing;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Deliveries on a page.
const ON_A_PAGE: usize = 25;
/// The fields by which they are chosen, as the query has them, and the API.
const FIELDS: [&str; 5] = ["status", "outcome", "event", "since", "until"];
/// Each is longer than anything that fits.
const MOST_CHARS: usize = 200;

/// What the reader chose, as it was typed.
pub(super) struct Chosen {
    typed: [String; FIELDS.len()],
    cursor: Option<String>,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) deliveries: Vec<Delivery>,
    pagination: Pagination,
    /// What is wrong with what was chosen: then nothing was looked for.
    errors: Errors,
}

impl Found {
    /// Whether nothing was ever sent, as far as that is kept.
    pub(super) fn is_nothing(&self, chosen: &Chosen) -> bool {
        let is_empty = self.deliveries.is_empty() && self.pagination.next_cursor.is_none() && self.errors.is_empty();
        is_empty && chosen.is_all() && chosen.is_first()
    }

    pub(super) fn status(&self) -> u16 {
        if self.errors.is_empty() { 200 } else { 400 }
    }
}

impl Chosen {
    pub(super) fn of(visit: &Visit<'_>) -> Self {
        let typed = |name| visit.query(name).unwrap_or_default().trim().chars().take(MOST_CHARS).collect();
        Self { typed: FIELDS.map(typed), cursor: visit.query("cursor").map(str::to_owned) }
    }

    /// Whether nothing is chosen.
    fn is_all(&self) -> bool {
        self.typed.iter().all(String::is_empty)
    }

    /// Whether it is the first page.
    pub(super) fn is_first(&self) -> bool {
        self.cursor.is_none()
    }

    fn typed(&self, name: &str) -> &str {
        let at = FIELDS.iter().position(|field| *field == name);
        at.map_or("", |at| &self.typed[at])
    }

    /// What was typed, as a query of this page.
    fn query(&self) -> Vec<(&str, &str)> {
        let all = FIELDS.into_iter().zip(self.typed.iter().map(String::as_str));
        all.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The path of this list.
    pub(super) fn place(&self, path: &str) -> String {
        parts::with_query(path, &self.query())
    }

    /// The same as a query of the API's, with what is wrong with it.
    fn asked(&self, visit: &Visit<'_>) -> (Vec<(&'static str, String)>, Errors) {
        let (mut query, mut errors) = (vec![("limit", ON_A_PAGE.to_string())], Errors::default());
        for (name, value) in FIELDS.into_iter().zip(&self.typed).filter(|(_, value)| !value.is_empty()) {
            let is_time = matches!(name, "since" | "until");
            match field::time_of(value) {
                Some(at) if is_time => query.push((name, field::wire(at))),
                None if is_time => errors.add(name, visit.texts.webhook.list.not_a_time),
                _ => query.push((name, value.clone())),
            }
        }
        query.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        (query, errors)
    }
}

/// Looks for what was chosen.
pub(super) async fn find(visit: &Visit<'_>, id: &str, chosen: &Chosen) -> Result<Found, Trouble> {
    let (query, errors) = chosen.asked(visit);
    if !errors.is_empty() {
        return Ok(Found { errors, ..Found::default() });
    }
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    match visit.get::<Deliveries>(&["v1", "webhooks", id, "deliveries"], &query).await {
        Ok(found) => {
            Ok(Found { deliveries: found.deliveries, pagination: found.pagination, errors: Errors::default() })
        }
        Err(trouble) => Ok(Found { errors: field::refused(trouble, &FIELDS)?, ..Found::default() }),
    }
}

/// The fields by which they are chosen.
pub(super) fn form(visit: &Visit<'_>, path: &str, chosen: &Chosen, found: &Found) -> Markup {
    let (texts, words) = (&visit.texts.webhook.list, &visit.texts.ledger);
    let errors = &found.errors;
    let statuses: Vec<_> = [("", texts.any), ("undelivered", texts.undelivered)]
        .into_iter()
        .chain(Status::ALL.iter().map(|status| (status.as_str(), (words.status_name)(*status))))
        .collect();
    let outcomes: Vec<_> =
        Code::ALL.iter().filter(|code| **code != Code::Status).map(|code| code.as_str().to_owned()).collect();
    let example = found.deliveries.first().map_or("invoice.paid", |delivery| delivery.event.as_str());
    let event_hint = (texts.event_hint)(example);
    let of = |name, label, hint| Field { name, label, hint, value: chosen.typed(name) };
    html! {
        (parts::error_summary(visit, errors))
        details.choose open[!chosen.is_all()] {
            summary { (texts.filter) }
            form method="get" action=(visit.to(path)) {
                div.fields {
                    (of("status", texts.status, "").select(errors, &statuses))
                    (of("outcome", texts.outcome, texts.outcome_hint).input(errors, "text", Some("outcomes")))
                    (of("event", texts.event, &event_hint).input(errors, "text", None))
                    (of("since", texts.since, "").input(errors, "datetime-local", None))
                    (of("until", texts.until, "").input(errors, "datetime-local", None))
                }
                (field::suggestions("outcomes", &outcomes))
                div.actions {
                    button.plain type="submit" { (texts.apply) }
                    @if !chosen.is_all() { a href=(visit.to(path)) { (texts.reset) } }
                }
            }
        }
    }
}

/// The list, with the way on.
pub(super) fn listed(visit: &Visit<'_>, id: &str, chosen: &Chosen, found: &Found) -> Markup {
    let path = format!("webhooks/{id}");
    html! {
        @if !found.errors.is_empty() {
        } @else if found.deliveries.is_empty() {
            (nothing(visit, &path, chosen, found))
        } @else {
            (table(visit, &found.deliveries))
        }
        (parts::pager(visit, &path, &chosen.query(), found.pagination.next_cursor.as_deref()))
    }
}

fn table(visit: &Visit<'_>, deliveries: &[Delivery]) -> Markup {
    let texts = &visit.texts.webhook.list;
    html! {
        div.wide {
            table.deliveries {
                thead {
                    tr {
                        @for name in [texts.time, texts.event, texts.status, texts.last_attempt, texts.attempts] { th scope="col" { (name) } }
                    }
                }
                tbody { @for delivery in deliveries { (row(visit, delivery)) } }
            }
        }
    }
}

fn row(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let texts = &visit.texts.webhook.list;
    html! {
        tr {
            td { (time::shown(delivery.created_at)) }
            td.event {
                a href=(visit.to(&format!("deliveries/{}", delivery.id))) aria-label=((texts.open)(&delivery.event)) { (delivery.event) }
                @if delivery.test { " " (parts::badge("idle", texts.test)) }
            }
            td.status { (standing::badge(visit, delivery.status)) }
            td.last {
                @match delivery.attempts.last() {
                    Some(attempt) => (chart::answer_in_words(visit.texts, attempt)),
                    None => span.soft { (texts.no_attempt) },
                }
            }
            td.count { (delivery.attempts.len()) @if delivery.pagination.next_cursor.is_some() { "+" } }
        }
    }
}

fn nothing(visit: &Visit<'_>, path: &str, chosen: &Chosen, found: &Found) -> Markup {
    let texts = &visit.texts.webhook.list;
    // A page may be empty though more follow.
    if found.pagination.next_cursor.is_some() || !chosen.is_first() {
        parts::empty(texts.none_here, texts.none_here_means, html! {})
    } else if chosen.is_all() {
        let test = html! {
            @if visit.may(Capability::Send) {
                (parts::button_form(visit, &format!("{path}/test"), visit.texts.webhook.actions.test, "plain"))
            }
        };
        parts::empty(texts.none, texts.none_means, test)
    } else {
        parts::empty(texts.none_found, texts.none_found_means, html! { a href=(visit.to(path)) { (texts.reset) } })
    }
}
