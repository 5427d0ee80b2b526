//! The list of webhooks, each with how it is doing.

use futures::stream::{self, StreamExt as _};
use maud::{Markup, html};
use postrider_domain::endpoint::parking::Cause;
use serde::Deserialize;

use crate::answers::{Pagination, Parking, Webhook};
use crate::pages::glance;
use crate::pages::webhook;
use crate::parts;
use crate::session::Capability;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Visit};

/// Webhooks on a page.
const ON_A_PAGE: usize = 10;
/// Types that are shown of what a webhook asks for.
const TYPES_SHOWN: usize = 5;

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
    #[serde(default)]
    pagination: Pagination,
}

/// All webhooks that the session sees.
pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let texts = &visit.texts.webhooks;
    let cursor = visit.query("cursor");
    let limit = ON_A_PAGE.to_string();
    let query: Vec<_> =
        [("limit", limit.as_str())].into_iter().chain(cursor.map(|cursor| ("cursor", cursor))).collect();
    let found: Webhooks = visit.get(&["v1", "webhooks"], &query).await?;
    let next = found.pagination.next_cursor;
    // Whoever has no script asks for all of it at once.
    let with_health = visit.query("health").is_some();
    let cards = stream::iter(found.webhooks).map(|webhook| card(visit, webhook, with_health)).buffered(AT_ONCE);
    let cards: Vec<Markup> = cards.collect().await;
    let makes = visit.may(Capability::Edit) && visit.session.sees_all();
    let new = || html! { @if makes { (parts::button_link(&visit.to("webhooks/new"), texts.new, "primary")) } };
    let is_all = cursor.is_none() && next.is_none();
    let list = html! {
        div.heading { h1 { (texts.title) } @if !cards.is_empty() { (new()) } }
        @if cards.is_empty() && is_all {
            (parts::empty(texts.none, if makes { texts.none_means } else { texts.none_to_see }, new()))
        } @else if cards.is_empty() {
            p { (texts.none_on_page) }
        } @else {
            ul.cards { @for card in &cards { li.card { (card) } } }
            @if !with_health {
                @let query: Vec<_> = [("health", "1")].into_iter().chain(cursor.map(|cursor| ("cursor", cursor))).collect();
                noscript { p { a href=(visit.to(&parts::with_query("webhooks", &query))) { (texts.show_all) } } }
            }
        }
        (parts::pager(visit, "webhooks", &[], next.as_deref()))
    };
    if visit.is_for_script() {
        return Ok(Shown::Part(list));
    }
    let main = html! {
        @if visit.query("done") == Some("deleted") { (parts::notice("good", texts.deleted)) }
        (parts::refreshed(visit, "webhooks", cursor.is_none() && !with_health, list))
    };
    Ok(Shown::page(texts.title, main))
}

/// A webhook as the list has it. What it shows of itself is more; where that cannot be read, the list's own will do.
async fn card(visit: &Visit<'_>, listed: Webhook, with_health: bool) -> Markup {
    let whole = visit.get::<Webhook>(&["v1", "webhooks", &listed.id], &[]).await;
    let webhook = whole.unwrap_or(listed);
    let health = if with_health { Some(glance::said(visit, &webhook.id).await) } else { None };
    let texts = &visit.texts.webhooks;
    let own = format!("webhooks/{}", webhook.id);
    html! {
        div.heading { h2 { a href=(visit.to(&own)) { (webhook.title()) } } (webhook::state(visit, &webhook)) }
        @if webhook.name.is_some() { p.soft { (webhook.url) } }
        (why(visit, &webhook))
        div.health {
            img.bar loading="lazy" width="240" height="60" src=(visit.to(&format!("{own}/bar.svg"))) alt=((texts.picture)(webhook.title()));
            @match health {
                Some(health) => div { (health) },
                None => div data-load=(visit.to(&format!("{own}/glance"))) data-reload="60" {},
            }
        }
        (asks_for(visit, &webhook))
    }
}

/// In words, why nothing arrives there, where nothing does.
fn why(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhooks;
    let parking = webhook.parking.as_ref().filter(|_| webhook.is_active());
    html! {
        @if !webhook.is_active() {
            @if let Some(at) = webhook.disabled_at {
                p { (texts.disabled_since) " " (time::shown(at)) @if let Some(reason) = &webhook.disabled_reason { ": " span lang="en" { (reason) } } }
            }
        } @else if let Some(parking) = parking {
            p { (parked(visit, parking)) " " (time::shown(parking.since)) }
        } @else if let Some(at) = webhook.failing_since {
            p.bad-news { (texts.failing_since) " " (time::shown(at)) }
        }
    }
}

fn parked(visit: &Visit<'_>, parking: &Parking) -> &'static str {
    let texts = &visit.texts.webhooks;
    match (parking.cause, parking.is_down()) {
        (Cause::RateLimit, _) => texts.limited_since,
        (Cause::EndpointOutage, true) => texts.down_since,
        (Cause::EndpointOutage, false) => texts.draining_since,
    }
}

fn asks_for(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhooks;
    let more = webhook.events.len().saturating_sub(TYPES_SHOWN);
    html! {
        p.soft {
            (texts.asks_for) ": "
            @for event in webhook.events.iter().take(TYPES_SHOWN) { code { (event) } " " }
            @if more > 0 { ((texts.and_more)(&more.to_string())) " " }
            @if webhook.filter.is_some() { (texts.filtered) }
        }
    }
}

#[cfg(test)]
mod tests;
