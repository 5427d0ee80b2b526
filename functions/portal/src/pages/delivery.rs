//! One delivery: where it stands and why, each attempt with what came of it and what to do, and its request.

mod attempt;
mod request;

use maud::{Markup, html};
use postrider_domain::delivery::Status;
use serde_json::{Value, json};

use crate::answers::Delivery;
use crate::parts;
use crate::prose;
use crate::session::Capability;
use crate::shown::Shown;
use crate::standing;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Its page.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    match asked_for(visit).await {
        // What was asked for a moment ago is there in another.
        Err(Trouble::NotFound) if visit.query("new").is_some() => Ok(on_its_way(visit)),
        Err(trouble) => Err(trouble),
        Ok(delivery) => Ok(shown(visit, &delivery, None)),
    }
}

/// Sends it once more.
pub(crate) async fn resend(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    asked(visit, "retry").await
}

/// Cancels it.
pub(crate) async fn cancel(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    asked(visit, "cancel").await
}

/// What cannot be is told above the delivery as it is now, which mostly shows why.
async fn asked(visit: &Visit<'_>, what: &str) -> Result<Shown, Trouble> {
    let id = visit.variables[0];
    match visit.post::<Value>(&["v1", "deliveries", id, what], &json!({})).await {
        Ok(_) => Ok(Shown::see(format!("deliveries/{id}"))),
        Err(Trouble::Refused(refused)) => {
            Ok(shown(visit, &asked_for(visit).await?, Some(&refused.message)).with_status(refused.status))
        }
        Err(trouble) => Err(trouble),
    }
}

async fn asked_for(visit: &Visit<'_>) -> Result<Delivery, Trouble> {
    let mut query = vec![("include", "request")];
    query.extend(visit.query("cursor").map(|cursor| ("cursor", cursor)));
    visit.get(&["v1", "deliveries", visit.variables[0]], &query).await
}

/// The address of the attempts that are shown.
fn place(visit: &Visit<'_>) -> String {
    let cursor: Vec<_> = visit.query("cursor").map(|cursor| ("cursor", cursor)).into_iter().collect();
    parts::with_query(&path(visit), &cursor)
}

fn path(visit: &Visit<'_>) -> String {
    format!("deliveries/{}", visit.variables[0])
}

/// The page of a delivery that is not there yet.
fn on_its_way(visit: &Visit<'_>) -> Shown {
    let texts = &visit.texts.delivery;
    let part = parts::empty(texts.on_its_way, texts.on_its_way_means, html! {});
    if visit.is_for_script() {
        return Shown::Part(part);
    }
    let place = parts::with_query(&path(visit), &[("new", "1")]);
    Shown::page(
        texts.on_its_way,
        html! { h1 { (texts.id) } (parts::watched(visit, &place, false, html! { (part) (parts::look_again(visit, &place)) })) },
    )
}

fn shown(visit: &Visit<'_>, delivery: &Delivery, refusal: Option<&str>) -> Shown {
    let part = whole(visit, delivery, refusal);
    if visit.is_for_script() {
        return Shown::Part(part);
    }
    let place = place(visit);
    let title = (visit.texts.delivery.title)(&delivery.event);
    let main = html! {
        @if let Some(webhook) = &delivery.webhook_id {
            p { a href=(visit.to(&format!("webhooks/{webhook}"))) { "← " (visit.texts.delivery.to_webhook) } }
        }
        h1 { (title) }
        (parts::watched(visit, &place, delivery.status.is_final(), part))
    };
    Shown::page(title, main)
}

/// All of it but its title, which stays while this is loaded again until nothing more happens by itself.
fn whole(visit: &Visit<'_>, delivery: &Delivery, refusal: Option<&str>) -> Markup {
    let texts = &visit.texts.delivery;
    let is_final = delivery.status.is_final();
    html! {
        div data-final[is_final] {
            @if let Some(message) = refusal {
                p.notice.bad role="alert" { (visit.texts.troubles.refused.0) ": " span lang="en" { (message) } }
            }
            (where_it_stands(visit, delivery))
            (actions(visit, delivery))
            (facts(visit, delivery))
            section {
                h2 #attempts { (texts.attempts) }
                @if delivery.attempts.is_empty() { p { (texts.no_attempts) } }
                @for (place, attempt) in delivery.attempts.iter().rev().enumerate() { (attempt::shown(visit, attempt, place == 0)) }
                (more(visit, delivery))
            }
            @if let Some(rebuilt) = &delivery.request { (request::shown(visit, rebuilt)) }
        }
    }
}

/// Where it stands, in words.
fn where_it_stands(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let (texts, words) = (&visit.texts.delivery, &visit.texts.ledger);
    html! {
        div.standing role="status" {
            p {
                (standing::badge(visit, delivery.status)) " "
                @if delivery.test { (parts::badge("idle", texts.test)) " " }
                @match delivery.delivered_at {
                    Some(at) if delivery.status == Status::Succeeded => { (texts.accepted_at) " " (time::shown(at)) "." },
                    _ => (prose::line((words.status)(delivery.status))),
                }
            }
            @if let Some(reason) = delivery.reason { p { (prose::line((words.reason)(reason))) } }
            @if let Some(cause) = delivery.waiting_for { p { (prose::line((words.cause)(cause))) } }
        }
        @if delivery.test { p.soft { (texts.test_means) } }
        @if !delivery.status.is_final() {
            p.soft data-scripted hidden { (texts.updates) }
            (parts::look_again(visit, &place(visit)))
        }
    }
}

fn actions(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let texts = &visit.texts.delivery;
    let can_wait = matches!(delivery.status, Status::Pending | Status::Retrying);
    html! {
        @if visit.may(Capability::Send) {
            div.actions {
                @if delivery.status != Status::Pending {
                    (parts::button_form(visit, &format!("{}/resend", path(visit)), texts.resend, "primary"))
                }
                @if can_wait { (parts::button_form(visit, &format!("{}/cancel", path(visit)), texts.cancel, "danger")) }
            }
            @if delivery.status != Status::Pending { p.soft { (texts.resend_means) } }
        }
    }
}

fn facts(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let texts = &visit.texts.delivery;
    let next = if delivery.waiting_for.is_some() { texts.next_probe } else { texts.next_attempt };
    html! {
        dl.facts {
            @if let Some(at) = delivery.next_attempt_at { div { dt { (next) } dd { (time::shown(at)) } } }
            @if let Some(at) = delivery.delivered_at { div { dt { (texts.delivered_at) } dd { (time::shown(at)) } } }
            div { dt { (texts.address) } dd { @match &delivery.url { Some(url) => code { (url) }, None => (texts.address_unknown) } } }
            div { dt { (texts.event) } dd { code { (delivery.event) } } }
            div { dt { (texts.event_at) } dd { (time::shown(delivery.created_at)) } }
            div { dt { (texts.event_id) } dd { a href=(visit.to(&format!("events/{}", delivery.event_id))) { code { (delivery.event_id) } } } }
            div { dt { (texts.id) } dd { code { (delivery.id) } } }
            @if let Some(job) = &delivery.job_id {
                div { dt { (texts.job) } dd { a href=(visit.to(&format!("jobs/{job}"))) { code { (job) } } } }
            }
        }
    }
}

/// The way to attempts before and after those that are shown.
fn more(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let (texts, path) = (&visit.texts.delivery, path(visit));
    let next = delivery.pagination.next_cursor.as_deref();
    let is_first = visit.query("cursor").is_none();
    html! {
        @if next.is_some() || !is_first {
            nav.pager aria-label=(visit.texts.common.pages) {
                @if !is_first { a href=(visit.to(&path)) { (texts.first_attempts) } }
                @if let Some(cursor) = next {
                    a rel="next" href=(visit.to(&parts::with_query(&path, &[("cursor", cursor)]))) { (texts.more_attempts) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
