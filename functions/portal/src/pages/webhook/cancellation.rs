//! Cancelling all that waits for a webhook, and how far that has come.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use postrider_host::clock;
use serde_json::json;

use super::{above, asked_for};
use crate::answers::{Cancellation, Stats};
use crate::pages::field;
use crate::parts;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// For how long back what waits is counted. Hardly anything waits longer.
const COUNTED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What it means, how much it would be, and the button.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let id = visit.variables[0];
    let since = field::wire(beginning(clock::now()));
    let query = [("since", since.as_str())];
    let path = ["v1", "webhooks", id, "stats"];
    let (webhook, stats) = futures::join!(asked_for(visit), visit.get::<Stats>(&path, &query));
    let webhook = webhook?;
    let texts = &visit.texts.deeds.cancel;
    let path = format!("webhooks/{id}");
    let main = html! {
        (above(visit, &webhook, visit.texts.webhook.actions.cancel))
        h2 { (texts.title) }
        @if stats.as_ref().is_ok_and(|stats| stats.complete && stats.waiting() == 0) {
            p { (texts.nothing_waits) }
            details {
                summary { (texts.waits_longer) }
                (parts::button_form(visit, &format!("{path}/cancel"), texts.confirm, "plain"))
            }
            p { a href=(visit.to(&format!("{path}#deliveries"))) { (texts.see_deliveries) } }
        } @else {
            p { (texts.means) }
            @if let Ok(stats) = &stats {
                p { strong { (if stats.complete { (texts.waiting)(stats.waiting()) } else { (texts.waiting_at_least)(stats.waiting()) }) } }
            }
            div.actions {
                (parts::button_form(visit, &format!("{path}/cancel"), texts.confirm, "danger"))
                (parts::button_link(&visit.to(&path), texts.keep, "plain"))
            }
        }
    };
    Ok(Shown::page(texts.title, main))
}

fn beginning(now: Timestamp) -> Timestamp {
    now.saturating_sub(COUNTED).unwrap_or(now)
}

/// Cancels it.
pub(crate) async fn cancel(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let id = visit.variables[0];
    let begun: Cancellation = visit.post(&["v1", "webhooks", id, "cancel-pending"], &json!({})).await?;
    Ok(Shown::see(format!("webhooks/{id}/cancel/{}", begun.cancellation_id)))
}

/// How far a cancellation has come.
pub(crate) async fn progress(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let [id, cancellation] = visit.variables;
    let path = ["v1", "webhooks", id, "cancel-pending", cancellation];
    let (webhook, told) = futures::join!(asked_for(visit), visit.get::<Cancellation>(&path, &[]));
    let (webhook, told) = (webhook?, told?);
    let texts = &visit.texts.deeds.cancel;
    let part = how_far(visit, id, &told);
    if visit.is_for_script() {
        return Ok(Shown::Part(part));
    }
    let main = html! {
        (above(visit, &webhook, visit.texts.webhook.actions.cancel))
        h2 { (texts.progress) }
        p.soft { (texts.asked_at) " " (time::shown(told.at)) }
        (parts::watched(visit, &format!("webhooks/{id}/cancel/{cancellation}"), told.complete, part))
    };
    Ok(Shown::page(texts.progress, main))
}

fn how_far(visit: &Visit<'_>, id: &str, told: &Cancellation) -> Markup {
    let texts = &visit.texts.deeds.cancel;
    html! {
        div role="status" data-final[told.complete] {
            p { strong { ((texts.so_far)(told.found, told.cancelled)) } }
            p { (if told.complete { texts.done } else { texts.running }) }
            @if !told.complete { (parts::look_again(visit, &format!("webhooks/{id}/cancel/{}", visit.variables[1]))) }
        }
        p { a href=(visit.to(&format!("webhooks/{id}#deliveries"))) { (texts.see_deliveries) } }
    }
}
