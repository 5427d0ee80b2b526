//! A new signing secret. It is in the one answer that makes it, and nowhere else: loading the page again asks the browser whether to make
//! another one.

use jiff::Timestamp;
use maud::{Markup, html};
use postrider_domain::signature::Content;
use serde::Deserialize;
use serde_json::json;

use super::code::dialect_of;
use super::{above, asked_for};
use crate::answers::Webhook;
use crate::form::Errors;
use crate::pages::field::{self, Field};
use crate::parts;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

const FIELDS: [&str; 2] = ["secret", "grace_seconds"];
/// For how long the old secret goes on counting, in seconds; a day where nothing is chosen.
const GRACES: [&str; 4] = ["0", "3600", "86400", "604800"];
const USUAL_GRACE: &str = "86400";

#[derive(Deserialize)]
struct Rotated {
    secret: String,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    previous_secret_until: Option<Timestamp>,
}

/// The form.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = asked_for(visit).await?;
    Ok(asked(visit, &webhook, &Errors::default()))
}

/// Makes it, and shows it.
pub(crate) async fn rotate(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = asked_for(visit).await?;
    let grace = chosen(visit).parse::<u32>().unwrap_or_default();
    let mut body = json!({"grace_seconds": grace});
    // As it was typed: a blank at an end would be another key, and the API says so.
    let own = visit.form.raw("secret");
    if !own.is_empty() {
        body["secret"] = own.into();
    }
    match visit.post::<Rotated>(&["v1", "webhooks", visit.variables[0], "secret", "rotate"], &body).await {
        Ok(rotated) => Ok(made(visit, &webhook, &rotated)),
        Err(trouble) => Ok(asked(visit, &webhook, &field::refused(trouble, &FIELDS)?).with_status(400)),
    }
}

/// The grace that was chosen: anything else would be a slip, and the longest of it is safest.
fn chosen<'a>(visit: &'a Visit<'_>) -> &'a str {
    let typed = visit.form.raw("grace_seconds");
    if GRACES.contains(&typed) { typed } else { USUAL_GRACE }
}

fn asked(visit: &Visit<'_>, webhook: &Webhook, errors: &Errors) -> Shown {
    let texts = &visit.texts.deeds.rotate;
    let is_dated = matches!(dialect_of(visit, webhook).signing.content, Content::IdTimestampBody { .. });
    let graces: Vec<_> = GRACES.into_iter().zip([texts.at_once, texts.hour, texts.day, texts.week]).collect();
    let grace = Field { name: "grace_seconds", label: texts.grace, hint: texts.grace_hint, value: chosen(visit) };
    // A secret that was refused is no secret, but it may be nearly one: it is not sent back.
    let own = Field { name: "secret", label: texts.own, hint: texts.own_hint, value: "" };
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.rotate))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        p { (if is_dated { texts.means_both } else { texts.means_old }) }
        (parts::error_summary(visit, errors))
        form method="post" action=(visit.to(&format!("webhooks/{}/rotate", webhook.id))) {
            (parts::token(visit))
            (grace.select(errors, &graces))
            (own.input(errors, "text", None))
            div.actions { button.primary type="submit" { (texts.make) } }
        }
    };
    Shown::page(texts.title, main)
}

fn made(visit: &Visit<'_>, webhook: &Webhook, rotated: &Rotated) -> Shown {
    let texts = &visit.texts.deeds.rotate;
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.rotate))
        h2 { (texts.made) }
        (parts::notice("good", texts.made_means))
        p #secret-label { (texts.secret) }
        (parts::copyable(visit, "secret", &rotated.secret))
        (until(visit, rotated.previous_secret_until))
        p { a href=(visit.to(&format!("webhooks/{}/code", webhook.id))) { (visit.texts.webhook.actions.code) } }
    };
    Shown::page(texts.made, main)
}

fn until(visit: &Visit<'_>, until: Option<Timestamp>) -> Markup {
    let texts = &visit.texts.deeds.rotate;
    html! {
        @match until {
            Some(until) => { p { (texts.old_until) " " (time::shown(until)) ". " (texts.next) } }
            None => { p { (texts.old_ended) } }
        }
    }
}
