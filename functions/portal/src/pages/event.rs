//! One event: what it says, and webhook by webhook what became of it, or why it was not sent.

mod filtered;
mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use postrider_domain::event::OwnType;
use postrider_domain::time::{as_wire, as_wire_option};
use postrider_domain::withheld::NotDelivered;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use self::filtered::Explained;
use self::row::{Row, rows};
use crate::answers::Pagination;
use crate::directory::Directory;
use crate::json;
use crate::parts;
use crate::session::Capability;
use crate::shown::Shown;
use crate::standing;
use crate::time;
use crate::trouble::{Refused, Trouble};
use crate::visit::Visit;

/// An event as the API shows it.
#[derive(Debug, Deserialize)]
struct Event {
    id: String,
    event: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default, with = "as_wire_option")]
    expunged_at: Option<Timestamp>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(with = "as_wire")]
    timestamp: Timestamp,
    #[serde(default)]
    test: bool,
    deliveries: Vec<Delivery>,
    not_delivered: Vec<Missed>,
    #[serde(default)]
    pagination: Pagination,
}

/// One of its deliveries.
#[derive(Debug, Deserialize)]
struct Delivery {
    id: String,
    /// Nothing where it goes to a job's own address.
    webhook_id: Option<String>,
    status: Status,
    attempts: usize,
    #[serde(default, with = "as_wire_option")]
    next_attempt_at: Option<Timestamp>,
    #[serde(default)]
    waiting_for: Option<Cause>,
    #[serde(default)]
    reason: Option<Reason>,
}

/// A webhook that did not get it.
#[derive(Debug, Deserialize)]
struct Missed {
    webhook_id: String,
    reason: NotDelivered,
}

#[derive(Deserialize)]
struct Sent {
    delivery_id: String,
}

impl Event {
    fn is_of_job(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.webhook_id.is_none())
    }

    /// Whether it is for all webhooks that ask for it: neither a test, nor how a job ended, nor the word to workers that there is one.
    fn is_for_all(&self) -> bool {
        !self.test && !self.is_of_job() && self.event != OwnType::JobCreated.as_str()
    }
}

/// The page of an event.
pub(crate) async fn one(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    page(visit, None).await
}

/// Sends it to a webhook that did not get it.
pub(crate) async fn send(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let [id, _] = visit.variables;
    let webhook = visit.form.text("webhook_id");
    match visit.post::<Sent>(&["v1", "events", id, "send"], &json!({"webhook_id": webhook})).await {
        Ok(sent) => Ok(Shown::see(format!("deliveries/{}", sent.delivery_id))),
        Err(Trouble::Refused(refused)) => Ok(page(visit, Some(&refused)).await?.with_status(refused.status)),
        Err(trouble) => Err(trouble),
    }
}

async fn page(visit: &Visit<'_>, refused: Option<&Refused>) -> Result<Shown, Trouble> {
    let [id, _] = visit.variables;
    let query: Vec<_> = visit.query("cursor").map(|cursor| ("cursor", cursor)).into_iter().collect();
    let path = ["v1", "events", id];
    let (event, directory) = futures::join!(visit.get::<Event>(&path, &query), Directory::with_names(visit));
    let (event, directory) = (event?, directory?);
    let explained = filtered::explained(visit, &event).await?;
    let is_first = query.is_empty();
    let rows = rows(&event, &directory, is_first);
    let texts = &visit.texts.event;
    let main = html! {
        @if let Some(Refused { message, .. }) = refused {
            div.errors #errors role="alert" tabindex="-1" { p { strong { (texts.not_taken) } " " span lang="en" { (message) } } }
        }
        h1 { (event.event) }
        @if event.test { (parts::notice("idle", texts.test)) }
        @if event.is_of_job() { (parts::notice("idle", texts.of_job)) }
        (verdict(visit, &rows))
        (facts(visit, &event))
        h2 { (texts.webhooks) }
        (webhooks(visit, &event, &rows, &explained))
        @if let Some(cursor) = &event.pagination.next_cursor {
            nav.pager aria-label=(visit.texts.common.pages) {
                a rel="next" href=(visit.to(&parts::with_query(&format!("events/{id}"), &[("cursor", cursor)]))) { (texts.more_webhooks) }
            }
        }
        (data(visit, &event))
    };
    Ok(Shown::page(event.event.clone(), main))
}

/// What became of it, at a glance.
fn verdict(visit: &Visit<'_>, rows: &[Row<'_>]) -> Markup {
    let of = |status| rows.iter().filter(|row| row.status() == Some(status)).count();
    let not_sent = rows.iter().filter(|row| matches!(row, Row::Missed { .. })).count();
    html! {
        p {
            @for status in Status::ALL {
                @let count = of(*status);
                @if count > 0 { (standing::count(visit, *status, count)) " " }
            }
            @if not_sent > 0 { (parts::badge("idle", &(visit.texts.event.not_sent)(not_sent))) }
        }
    }
}

fn facts(visit: &Visit<'_>, event: &Event) -> Markup {
    let texts = &visit.texts.event;
    html! {
        dl.facts {
            div { dt { (texts.id) } dd { (parts::copyable(visit, "event-id", &event.id)) } }
            div { dt { (texts.time) } dd { (time::shown(event.timestamp)) } }
            @if !event.tags.is_empty() {
                div { dt { (texts.tags) } dd { @for (name, value) in &event.tags { code { (name) ": " (value) } " " } } }
            }
        }
        p { a href=(visit.to(&parts::with_query("events", &[("event", &event.event)]))) { (texts.of_this_type) } }
    }
}

fn webhooks(visit: &Visit<'_>, event: &Event, rows: &[Row<'_>], explained: &Explained) -> Markup {
    let texts = &visit.texts.event;
    let (deleted, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.is_of_deleted());
    let can_make = visit.may(Capability::Edit) && visit.session.sees_all();
    let new = parts::with_query("webhooks/new", &[("event", &event.event)]);
    html! {
        @if rows.is_empty() && event.pagination.next_cursor.is_none() {
            (parts::empty(texts.no_webhook, texts.no_webhook_means, html! { @if can_make { (parts::button_link(&visit.to(&new), texts.new_webhook, "primary")) } }))
        }
        @if !others.is_empty() { ul.cards { @for row in others { (row::card(visit, event, row, explained)) } } }
        @if !deleted.is_empty() {
            details {
                summary { ((texts.deleted_webhooks)(deleted.len())) }
                ul { @for row in deleted { li { code { (row.webhook_id()) } } } }
            }
        }
    }
}

fn data(visit: &Visit<'_>, event: &Event) -> Markup {
    let texts = &visit.texts.event;
    html! {
        h2 { (texts.data) }
        @match (&event.data, event.expunged_at) {
            (_, Some(at)) => p { (texts.expunged) " " (time::shown(at)) "." },
            (Some(data), None) => {
                p.soft { (texts.data_means) }
                pre { code { (json::pretty(data.get())) } }
            }
            (None, None) => {},
        }
    }
}
