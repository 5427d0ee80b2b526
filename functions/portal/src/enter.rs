//! The way in and out: a link's page, what its button does, and signing out.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};
use postrider_domain::portal::is_token;
use postrider_domain::time;
use postrider_host::deadline;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::api::Call;
use crate::cookie;
use crate::forgery;
use crate::form::Form;
use crate::session::Session;
use crate::shown::Shown;
use crate::texts::common::Enter;
use crate::trouble::Trouble;
use crate::visit::{Guest, Visit};

/// How long the end of a session may take that a new one follows, and what is kept back of the time for signing out.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the API answers to whoever uses up a link.
#[derive(Deserialize)]
struct Made {
    session: String,
    #[serde(with = "time::as_wire")]
    expires_at: Timestamp,
}

/// The portal's own address.
pub(crate) async fn start(_: &Visit<'_>) -> Result<Shown, Trouble> {
    Ok(Shown::see("webhooks"))
}

/// A link's page. It uses nothing up: what looks through mails and chats follows links. The script presses the button, but for whoever is
/// here already: somebody else's link would have him work in somebody else's webhooks before he knows it.
pub(crate) async fn asked(guest: &Guest<'_>) -> Shown {
    let [token, _] = guest.variables;
    let texts = &guest.texts.common.enter;
    let here = here(guest).await;
    let is_pressed = here.is_none() || is_framed_by_operator(guest);
    let main = html! {
        div.told {
            h1 { (texts.title) }
            p { (texts.means) }
            @if let Some(here) = &here { p { (already(texts, here)) } }
            form method="post" action=(guest.to("enter")) data-press[is_pressed] {
                input type="hidden" name="token" value=(token);
                button.primary type="submit" { (texts.button) }
            }
            (go_on(guest, here.as_ref()))
        }
    };
    Shown::page(texts.title, main)
}

/// A session that the browser has: its tenant's name, where it is known just now.
struct Here {
    tenant_name: Option<String>,
}

/// The session that goes on in the browser, as far as can be told.
async fn here(guest: &Guest<'_>) -> Option<Here> {
    let secret = cookie::sent(guest.request)?;
    let call = Call::get(&["v1", "portal", "session"], &[]);
    match guest.api.call::<Session>(Some(secret), call).await {
        Ok(session) => Some(Here { tenant_name: session.tenant_name }),
        // The API will say of each page why it is not shown.
        Err(Trouble::Busy | Trouble::Failed(_) | Trouble::Forbidden) => Some(Here { tenant_name: None }),
        Err(_) => None,
    }
}

/// Whether it stands in a frame of an operator's own page, which chose the link: no other page may have it in a frame, and a browser lets
/// no page say so of itself.
fn is_framed_by_operator(guest: &Guest<'_>) -> bool {
    guest.brand.is_framed() && guest.request.header("sec-fetch-dest") == Some("iframe")
}

fn already(texts: &Enter, here: &Here) -> String {
    here.tenant_name.as_deref().map_or_else(|| texts.already.to_owned(), texts.already_for)
}

/// The way on in the session that is there.
fn go_on(guest: &Guest<'_>, here: Option<&Here>) -> Markup {
    let texts = &guest.texts.common.enter;
    let named = |here: &Here| here.tenant_name.as_deref().map_or_else(|| texts.go_on.to_owned(), texts.go_on_for);
    html! { @if let Some(here) = here { p { a href=(guest.to("webhooks")) { (named(here)) } } } }
}

/// Uses a link up, and leaves its session in the browser. The session that was there before ends: nothing leads back into it.
pub(crate) async fn enter(guest: &Guest<'_>) -> Result<Shown, Trouble> {
    if forgery::is_from_elsewhere(guest.request) {
        return Err(Trouble::Forged);
    }
    let token = Form::read(guest.request)?.text("token");
    if !is_token(&token) {
        return Ok(used(guest).await);
    }
    let body = json!({"token": token}).to_string();
    let call = Call::with(Method::POST, &["v1", "portal", "sessions"], Some(body));
    let made: Made = match guest.api.call(None, call).await {
        Ok(made) => made,
        Err(Trouble::Ended | Trouble::NotFound | Trouble::Forbidden | Trouble::Refused(_)) => {
            return Ok(used(guest).await);
        }
        Err(trouble) => return Err(trouble),
    };
    let seconds = made.expires_at.as_second() - Timestamp::now().as_second();
    let cookie = cookie::set(&made.session, seconds, guest.brand.is_framed());
    let cookie = cookie.ok_or_else(|| Trouble::failed("a session that no cookie can hold".to_owned()))?;
    if let Some(before) = cookie::sent(guest.request) {
        // Where that fails it ends by itself: the new session is worth more than waiting for it.
        let _ = tokio::time::timeout(FAREWELL, ended(guest, before)).await;
    }
    Ok(Shown::see("webhooks").with_cookies([cookie]))
}

async fn ended(guest: &Guest<'_>, secret: &str) -> Result<(), Trouble> {
    match guest.api.call(Some(secret), Call::with(Method::DELETE, &["v1", "portal", "session"], None)).await {
        Ok(()) | Err(Trouble::Ended | Trouble::NotFound) => Ok(()),
        Err(trouble) => Err(trouble),
    }
}

/// Whoever opens a link that does not open is told so; and whose session goes on here, which may be another's than he thinks.
async fn used(guest: &Guest<'_>) -> Shown {
    let texts = &guest.texts.common.enter;
    let here = here(guest).await;
    let main = html! {
        div.told {
            h1 { (texts.used) }
            p { (texts.used_means) }
            @if let Some(here) = &here { p { (already(texts, here)) } }
            (go_on(guest, here.as_ref()))
        }
    };
    Shown::page(texts.used, main).with_status(401)
}

/// Ends the session. Whatever the API says, the browser forgets it.
pub(crate) async fn leave(guest: &Guest<'_>) -> Result<Shown, Trouble> {
    let secret = cookie::sent(guest.request).ok_or(Trouble::Ended)?;
    if forgery::is_from_elsewhere(guest.request) || !forgery::is_own(secret, Form::read(guest.request)?.token()) {
        return Err(Trouble::Forged);
    }
    let no_cookie = cookie::clear(guest);
    // What stands around all answers would take the time that is left, and the cookie with it.
    let limit = deadline::left().saturating_sub(FAREWELL);
    let ended = tokio::time::timeout(limit, ended(guest, secret)).await;
    match ended.unwrap_or_else(|_| Err(Trouble::failed("the time was over".to_owned()))) {
        Ok(()) => Ok(Shown::see("left").with_cookies(no_cookie)),
        Err(trouble) => Ok(Shown::see("left?goes_on=1").with_cookies(no_cookie).with_trouble(trouble)),
    }
}

/// Where whoever has signed out comes to.
pub(crate) fn left(guest: &Guest<'_>) -> Shown {
    let texts = &guest.texts.common;
    let means = if guest.query("goes_on").is_some() { texts.signed_out_here } else { texts.signed_out_means };
    let main = html! { div.told { h1 { (texts.signed_out) } p { (means) } } };
    Shown::page(texts.signed_out, main)
}
