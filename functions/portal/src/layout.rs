//! What stands around every page, and the pages that say why there is no other.

use maud::{DOCTYPE, Markup, html};

use crate::assets;
use crate::forgery;
use crate::form::Form;
use crate::pages::message;
use crate::parts;
use crate::shown::{Page, Shown};
use crate::time;
use crate::trouble::Trouble;
use crate::visit::{Guest, Visit};

/// A page, whole: with the way to all others where there is a session.
pub(crate) fn whole(guest: &Guest<'_>, visit: Option<&Visit<'_>>, page: &Page) -> Markup {
    let texts = &guest.texts.common;
    let name = guest.brand.name.as_deref().unwrap_or(texts.portal);
    html! {
        (DOCTYPE)
        html lang=(guest.brand.language.code()) {
            head {
                meta charset="utf-8";
                title { (page.title) " – " (name) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                link rel="icon" type="image/svg+xml" href=(guest.to(&assets::logo()));
                link rel="stylesheet" href=(guest.to(&assets::style()));
                link rel="stylesheet" href=(guest.to(&assets::accent(guest.brand.accent)));
                script src=(guest.to(&assets::script())) defer {}
            }
            body data-copied=(texts.copied) {
                a.skip href="#main" { (texts.skip) }
                header.top {
                    (brand(guest, visit, name))
                    @if let Some(visit) = visit {
                        (session(visit))
                        (navigation(visit))
                    }
                }
                main #main tabindex="-1" { (page.main) }
            }
        }
    }
}

fn brand(guest: &Guest<'_>, visit: Option<&Visit<'_>>, name: &str) -> Markup {
    html! {
        p.brand {
            img src=(guest.to(&assets::logo())) alt="" width="32" height="32";
            span {
                strong { (name) }
                @if let Some(tenant) = visit.and_then(|visit| visit.session.tenant_name.as_deref()) {
                    " " span.soft { ((guest.texts.common.for_tenant)(tenant)) }
                }
            }
        }
    }
}

fn session(visit: &Visit<'_>) -> Markup {
    let texts = &visit.texts.common;
    html! {
        div.session {
            @if let Some(url) = visit.brand.return_url.as_deref().and_then(parts::web_address) {
                a href=(url) target="_top" { (texts.back) }
            }
            span.soft { (texts.ends) " " (time::shown(visit.session.expires_at)) }
            (parts::button_form(visit, "leave", texts.sign_out, "quiet"))
        }
    }
}

/// Each path below the portal's own, and what it is called.
fn navigation(visit: &Visit<'_>) -> Markup {
    let texts = &visit.texts.common;
    let mut places = vec![("webhooks", texts.webhooks), ("events", texts.events), ("event-types", texts.event_types)];
    // Jobs are of no webhook.
    if visit.session.sees_all() {
        places.push(("jobs", texts.jobs));
    }
    places.extend([("doctor", texts.doctor), ("changes", texts.changes)]);
    let here = visit.request.segments.get(1).map(String::as_str);
    html! {
        nav.main aria-label=(texts.navigation) {
            ul {
                @for (path, name) in places {
                    li { a href=(visit.to(path)) aria-current=[(here == Some(path)).then_some("page")] { (name) } }
                }
            }
        }
    }
}

/// The page where there is no page, or not for this method.
pub(crate) fn astray(guest: &Guest<'_>, status: u16) -> Shown {
    let texts = &guest.texts.troubles;
    let (title, means) = if status == 405 { texts.no_method } else { texts.no_page };
    Shown::page(title, told(guest, title, means, html! {})).with_status(status)
}

/// The page that says what went wrong.
pub(crate) fn troubled(guest: &Guest<'_>, trouble: &Trouble) -> Shown {
    let texts = &guest.texts.troubles;
    let (title, means) = match trouble {
        Trouble::Ended => texts.ended,
        Trouble::Forbidden => texts.forbidden,
        Trouble::NotFound => texts.not_found,
        Trouble::Forged => texts.forged,
        Trouble::Refused(refused) if refused.status == 413 => texts.too_long,
        Trouble::Refused(_) => texts.refused,
        Trouble::Busy => texts.busy,
        Trouble::Failed(_) => texts.failed,
    };
    let more = html! {
        @if let Trouble::Refused(refused) = trouble {
            @if !refused.message.is_empty() { p { (texts.reason) " " span lang="en" { (refused.message) } } }
        }
        @if let Trouble::Failed(_) = trouble { p.soft { (texts.reference) " " code { (guest.request.id) } } }
        (typed(guest, trouble))
    };
    let mut shown = Shown::page(title, told(guest, title, means, more)).with_status(trouble.status());
    // What a page loads beside itself may be answered after a new session has begun, and would take its cookie away.
    let is_page = !guest.is_for_script() && guest.request.header("sec-fetch-dest") != Some("image");
    if *trouble == Trouble::Ended && is_page {
        shown = shown.with_cookies(crate::cookie::clear(guest));
    }
    shown
}

/// Fields that nobody typed, or that are not to be seen again.
const UNSEEN: [&str; 15] = [
    forgery::FIELD,
    "token",
    "key",
    "drawn",
    "secret",
    "headers_value",
    "retries",
    "kind",
    "grace_seconds",
    "webhook_id",
    "count",
    "send",
    "begin",
    "try",
    "rows",
];

/// What was posted in vain, so that it can be copied: the form that it stood in is not at hand here.
fn typed(guest: &Guest<'_>, trouble: &Trouble) -> Markup {
    let texts = &guest.texts.troubles;
    let is_lost = guest.request.method == "POST" && (trouble.passes() || *trouble == Trouble::Ended);
    let form =
        if is_lost && !forgery::is_from_elsewhere(guest.request) { Form::read(guest.request).ok() } else { None };
    let form = form.unwrap_or_default();
    let typed: Vec<_> =
        form.iter().filter(|(name, value)| !UNSEEN.contains(name) && !value.trim().is_empty()).collect();
    html! {
        @if !typed.is_empty() {
            h2 { (texts.typed) }
            p { (texts.typed_means) }
            @for (name, value) in typed { (message::body(name, value)) }
        }
    }
}

fn told(guest: &Guest<'_>, title: &str, means: &str, more: Markup) -> Markup {
    html! {
        div.told {
            h1 { (title) }
            p { (means) }
            (more)
            @if crate::cookie::sent(guest.request).is_some() {
                p { a href=(guest.to("webhooks")) { (guest.texts.troubles.to_start) } }
            }
        }
    }
}
