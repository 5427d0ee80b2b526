//! One webhook: how it is doing, what it asks for, and what was sent to it. What can be done with it is on pages of its own below this one,
//! each in a file of its own.

pub(crate) mod cancellation;
pub(crate) mod code;
mod deliveries;
mod health;
pub(crate) mod preview;
pub(crate) mod recovery;
pub(crate) mod rotation;
mod settings;
pub(crate) mod trial;

pub(crate) use self::health::state;

use maud::{Markup, html};

use self::deliveries::{Chosen, Found};
use self::health::Span;
use crate::answers::Webhook;
use crate::parts;
use crate::session::Capability;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The webhook that the path names.
pub(crate) async fn asked_for(visit: &Visit<'_>) -> Result<Webhook, Trouble> {
    visit.get(&["v1", "webhooks", visit.variables[0]], &[]).await
}

/// The same for a form that was posted: where it cannot be read just now the form does without, so that what was typed is not lost.
pub(crate) async fn for_form(visit: &Visit<'_>) -> Result<Option<Webhook>, Trouble> {
    match asked_for(visit).await {
        Ok(webhook) => Ok(Some(webhook)),
        Err(trouble) if trouble.passes() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Its own page.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let chosen = Chosen::of(visit);
    let id = visit.variables[0];
    if visit.is_for_script() {
        let found = deliveries::find(visit, id, &chosen).await?;
        return Ok(Shown::Part(deliveries::listed(visit, id, &chosen, &found)));
    }
    let span = Span::named(visit.query("span"));
    let (webhook, stats, found) =
        futures::join!(asked_for(visit), health::counted(visit, id, span), deliveries::find(visit, id, &chosen));
    let webhook = match webhook {
        Err(Trouble::NotFound) => return deleted(visit, &chosen, &found?),
        webhook => webhook?,
    };
    let found = found?;
    let (texts, path) = (&visit.texts.webhook, format!("webhooks/{id}"));
    let main = html! {
        (above(visit, &webhook, texts.deliveries))
        (actions(visit, &webhook))
        (health::shown(visit, &webhook, stats.as_ref(), span, &found))
        section {
            h2 #deliveries { (texts.deliveries) }
            (deliveries::form(visit, &path, &chosen, &found))
            (parts::refreshed(visit, &chosen.place(&path), chosen.is_first(), deliveries::listed(visit, id, &chosen, &found)))
        }
        (settings::shown(visit, &webhook))
    };
    Ok(Shown::page(webhook.title(), main).with_status(found.status()))
}

/// What is left of a webhook that was deleted: what was sent to it, while that is kept.
fn deleted(visit: &Visit<'_>, chosen: &Chosen, found: &Found) -> Result<Shown, Trouble> {
    if found.is_nothing(chosen) {
        return Err(Trouble::NotFound);
    }
    let (texts, id) = (&visit.texts.webhook, visit.variables[0]);
    let main = html! {
        p { a href=(visit.to("webhooks")) { "← " (texts.to_all) } }
        h1 { code { (id) } }
        p.notice.idle { (texts.is_deleted) }
        h2 #deliveries { (texts.deliveries) }
        (deliveries::form(visit, &format!("webhooks/{id}"), chosen, found))
        (deliveries::listed(visit, id, chosen, found))
    };
    Ok(Shown::page(id, main).with_status(found.status()))
}

/// Sends nothing more to it.
pub(crate) async fn pause(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    turned(visit, "disable").await
}

/// Sends to it again.
pub(crate) async fn enable(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    turned(visit, "enable").await
}

async fn turned(visit: &Visit<'_>, how: &str) -> Result<Shown, Trouble> {
    let id = visit.variables[0];
    let _: Webhook = visit.post(&["v1", "webhooks", id, how], &serde_json::json!({})).await?;
    Ok(Shown::see(format!("webhooks/{id}?done={how}")))
}

/// What stands above all pages of a webhook: its name and its address, where they are known, and the way to the others. `here` is what the
/// page is called.
pub(crate) fn above<'w>(visit: &Visit<'_>, webhook: impl Into<Option<&'w Webhook>>, here: &str) -> Markup {
    let (texts, webhook) = (&visit.texts.webhook, webhook.into());
    html! {
        p { a href=(visit.to("webhooks")) { "← " (texts.to_all) } }
        @match webhook {
            Some(webhook) => {
                div.heading { h1 { (webhook.title()) } (health::state(visit, webhook)) }
                @if webhook.name.is_some() { p.soft { code { (webhook.url) } } }
            }
            None => h1 { (here) },
        }
        nav.sections aria-label=(texts.sections) {
            ul {
                @for (path, name) in sections(visit, visit.variables[0]) {
                    li { a href=(visit.to(&path)) aria-current=[(name == here).then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// The pages of a webhook that this session may use.
fn sections(visit: &Visit<'_>, id: &str) -> Vec<(String, &'static str)> {
    let texts = &visit.texts.webhook;
    let below = |path: &str| format!("webhooks/{id}/{path}");
    let mut all = vec![(format!("webhooks/{id}"), texts.deliveries)];
    let mut add = |capability, path: &str, name| {
        if visit.may(capability) {
            all.push((below(path), name));
        }
    };
    add(Capability::Send, "recover", texts.actions.recover);
    add(Capability::Send, "cancel", texts.actions.cancel);
    add(Capability::Secrets, "rotate", texts.actions.rotate);
    add(Capability::View, "code", texts.actions.code);
    add(Capability::Send, "preview", texts.actions.preview);
    add(Capability::Edit, "edit", texts.edit);
    all
}

fn actions(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhook.actions;
    let below = |path: &str| format!("webhooks/{}/{path}", webhook.id);
    let done = match visit.query("done") {
        Some("disable") if !webhook.is_active() => Some(("warn", texts.is_paused)),
        Some("saved") => Some(("good", texts.is_saved)),
        Some("enable") if webhook.is_active() => Some(("good", texts.is_active)),
        _ => None,
    };
    html! {
        @if let Some((kind, text)) = done { (parts::notice(kind, text)) }
        div.actions {
            @if visit.may(Capability::Send) && webhook.is_active() {
                (parts::button_form(visit, &below("test"), texts.test, "primary"))
                a href=(visit.to(&below("test"))) { (texts.other_test) }
            }
            a href="#settings" { (visit.texts.webhook.settings.title) }
            @if visit.may(Capability::Edit) {
                @if webhook.is_active() {
                    details.confirm {
                        summary { (texts.pause) }
                        p { (texts.pause_means) }
                        (parts::button_form(visit, &below("pause"), texts.pause_now, "danger"))
                    }
                } @else {
                    (parts::button_form(visit, &below("enable"), texts.enable, "primary"))
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
