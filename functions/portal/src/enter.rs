//! The way in and out: a link's page, what its button does, and signing out.

use jiff::Timestamp;
use maud::html;
use postrider_domain::time;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::api::Call;
use crate::forgery;
use crate::form::Form;
use crate::session::{self, COOKIE, Capability};
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::{Guest, Visit};

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

/// A link's page. It uses nothing up: what looks through mails and chats follows links. The script presses the button.
pub(crate) fn asked(guest: &Guest<'_>) -> Shown {
    let [token, _] = guest.variables;
    let texts = &guest.texts.common.enter;
    let main = html! {
        div.told {
            h1 { (texts.title) }
            p { (texts.means) }
            form method="post" action=(guest.to("enter")) data-press {
                input type="hidden" name="token" value=(token);
                button.primary type="submit" { (texts.button) }
            }
        }
    };
    Shown::page(texts.title, main)
}

/// Uses a link up, and leaves its session in the browser.
pub(crate) async fn enter(guest: &Guest<'_>) -> Result<Shown, Trouble> {
    if forgery::is_from_elsewhere(guest.request) {
        return Err(Trouble::Forged);
    }
    let token = Form::read(guest.request)?.text("token");
    let body = json!({"token": token});
    let call = Call::with(Method::POST, &["v1", "portal", "sessions"], Some(&body));
    let made: Made = match guest.api.call(None, call).await {
        Ok(made) => made,
        Err(Trouble::Ended | Trouble::NotFound | Trouble::Forbidden | Trouble::Refused(_)) => return used(guest).await,
        Err(trouble) => return Err(trouble),
    };
    let seconds = made.expires_at.as_second() - Timestamp::now().as_second();
    let cookie = session::cookie(&made.session, seconds, guest.brand.is_framed());
    let cookie = cookie.ok_or_else(|| Trouble::failed("a session that no cookie can hold".to_owned()))?;
    Ok(Shown::see("webhooks").with_cookie(cookie))
}

/// Whoever comes back to a link that he has used himself is led to where it led.
async fn used(guest: &Guest<'_>) -> Result<Shown, Trouble> {
    if let Some(secret) = guest.request.cookie(COOKIE) {
        let call = Call::get(&["v1", "portal", "session"], &[]);
        if guest.api.call::<session::Session>(Some(secret), call).await.is_ok() {
            return Ok(Shown::see("webhooks"));
        }
    }
    let texts = &guest.texts.common.enter;
    let main = html! { div.told { h1 { (texts.used) } p { (texts.used_means) } } };
    Ok(Shown::page(texts.used, main).with_status(401))
}

/// Ends the session.
pub(crate) async fn leave(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    match visit.delete(&["v1", "portal", "session"]).await {
        Ok(()) | Err(Trouble::Ended | Trouble::NotFound) => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(Shown::see("left").with_cookie(session::no_cookie(visit.brand.is_framed())))
}

/// Where whoever has signed out comes to.
pub(crate) fn left(guest: &Guest<'_>) -> Shown {
    let texts = &guest.texts.common;
    let main = html! { div.told { h1 { (texts.signed_out) } p { (texts.signed_out_means) } } };
    Shown::page(texts.signed_out, main)
}

/// What signing out asks for: every session may.
pub(crate) const LEAVING: Capability = Capability::View;
