//! A new signing secret. It is in the one answer that makes it, and nowhere else. Whoever loads that page again sends its form again, which
//! would make another secret: so the browser remembers which form it had an answer of. One whose answer was lost may be sent again.

use jiff::Timestamp;
use maud::{Markup, html};
use postrider_domain::signature::Content;
use postrider_host::entropy;
use serde::Deserialize;
use serde_json::json;

use super::code::dialect_of;
use super::{above, asked_for, for_form};
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

/// The cookie with the key of the form that was answered last: of one webhook, since it lies in its folder.
const ANSWERED: &str = "__Secure-rotated";
/// Keys are as long, in hex.
const KEY_CHARS: usize = 32;

#[derive(Deserialize)]
struct Rotated {
    secret: String,
    #[serde(default, with = "postrider_domain::time::as_wire_option")]
    previous_secret_until: Option<Timestamp>,
}

/// The form.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = asked_for(visit).await?;
    Ok(asked(visit, Some(&webhook), &Errors::default()))
}

/// Makes it, and shows it.
pub(crate) async fn rotate(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (webhook, key) = (for_form(visit).await?, visit.form.raw("key"));
    if is_key(key) && visit.request.cookie(ANSWERED) == Some(key) {
        let mut errors = Errors::default();
        errors.add(field::WHOLE, visit.texts.deeds.rotate.sent_already);
        return Ok(asked(visit, webhook.as_ref(), &errors).with_errors(&errors, 409));
    }
    let grace = chosen(visit).parse::<u32>().unwrap_or_default();
    let mut body = json!({"grace_seconds": grace});
    // As it was typed: a blank at an end would be another key, and the API says so.
    let own = visit.form.raw("secret");
    if !own.is_empty() {
        body["secret"] = own.into();
    }
    match visit.post::<Rotated>(&["v1", "webhooks", visit.variables[0], "secret", "rotate"], &body).await {
        Ok(rotated) => Ok(made(visit, webhook.as_ref(), &rotated).with_cookies(answered(visit, key))),
        Err(trouble) => {
            let errors = field::kept(visit, trouble, &FIELDS)?;
            Ok(asked(visit, webhook.as_ref(), &errors).with_errors(&errors, 400))
        }
    }
}

fn is_key(text: &str) -> bool {
    text.len() == KEY_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What remembers in the browser that a form of this key was answered.
fn answered(visit: &Visit<'_>, key: &str) -> Option<String> {
    let site = if visit.brand.is_framed() { "SameSite=None; Partitioned" } else { "SameSite=Lax" };
    is_key(key).then(|| format!("{ANSWERED}={key}; HttpOnly; Secure; {site}"))
}

/// The grace that was chosen: anything else would be a slip, and the longest of it is safest.
fn chosen<'a>(visit: &'a Visit<'_>) -> &'a str {
    let typed = visit.form.raw("grace_seconds");
    if GRACES.contains(&typed) { typed } else { USUAL_GRACE }
}

fn asked(visit: &Visit<'_>, webhook: Option<&Webhook>, errors: &Errors) -> Shown {
    let texts = &visit.texts.deeds.rotate;
    let means = webhook.map(|webhook| match dialect_of(visit, webhook).signing.content {
        Content::IdTimestampBody { .. } => texts.means_both,
        _ => texts.means_old,
    });
    let graces: Vec<_> = GRACES.into_iter().zip([texts.at_once, texts.hour, texts.day, texts.week]).collect();
    let grace = Field { name: "grace_seconds", label: texts.grace, hint: texts.grace_hint, value: chosen(visit) };
    // A secret that was refused is no secret, but it may be nearly one: it is not sent back.
    let own = Field { name: "secret", label: texts.own, hint: texts.own_hint, value: "" };
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.rotate))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        @if let Some(means) = means { p { (means) } }
        (parts::error_summary(visit, errors))
        form method="post" action=(visit.to(&format!("webhooks/{}/rotate", visit.variables[0]))) {
            (parts::token(visit))
            input type="hidden" name="key" value=(hex::encode(&entropy::bits256()[..KEY_CHARS / 2]));
            (grace.select(errors, &graces))
            (own.input(errors, "text", None))
            div.actions { button.primary type="submit" { (texts.make) } }
        }
    };
    Shown::page(texts.title, main)
}

fn made(visit: &Visit<'_>, webhook: Option<&Webhook>, rotated: &Rotated) -> Shown {
    let texts = &visit.texts.deeds.rotate;
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.rotate))
        h2 { (texts.made) }
        (parts::notice("good", texts.made_means))
        p #secret-label { (texts.secret) }
        (parts::copyable(visit, "secret", &rotated.secret))
        (until(visit, rotated.previous_secret_until))
        p { a href=(visit.to(&format!("webhooks/{}/code", visit.variables[0]))) { (visit.texts.webhook.actions.code) } }
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
