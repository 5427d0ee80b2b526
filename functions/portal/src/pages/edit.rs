//! Making a webhook, and changing one: one form for both, which keeps what was typed whatever comes of it.

mod draw;
mod events;
mod filter;
mod pairs;
mod settings;
mod typed;

use maud::{Markup, html};
use postrider_host::entropy;
use serde::Deserialize;
use serde::de::IgnoredAny;

use self::events::Catalogue;
pub(crate) use self::filter::tried;
use self::settings::Settings;
use self::typed::Typed;
use crate::answers::Webhook;
use crate::form::Errors;
use crate::pages::field;
use crate::pages::webhook;
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The form's fields, by the names that the API has for them.
const FIELDS: &[&str] = &[
    "url",
    "name",
    "description",
    "events",
    "filter",
    "headers",
    "metadata",
    "rate_limit",
    "timeout_seconds",
    "content_type",
    "retry_schedule",
];

/// The field in which a form has the settings that it was drawn from.
const DRAWN: &str = "drawn";

/// A webhook that was made just now.
#[derive(Deserialize)]
struct Made {
    id: String,
    #[serde(default)]
    secret: Option<String>,
}

/// What a form is for.
enum Purpose<'a> {
    /// With the key under which it makes one webhook, however often it is sent.
    Make { key: String },
    /// With the webhook, if it can be read just now, and the settings that it is drawn from.
    Change { webhook: Option<&'a Webhook>, drawn: &'a Settings },
}

/// The empty form, but for an event type that a link names.
pub(crate) async fn new(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    makes(visit)?;
    let catalogue = Catalogue::read(visit).await?;
    let key = hex::encode(&entropy::bits256()[..16]);
    let typed = Typed { events: visit.query("event").map(str::to_owned).into_iter().collect(), ..Typed::blank() };
    Ok(form(visit, &Purpose::Make { key }, &typed, &catalogue, &Errors::default(), None))
}

/// Makes a webhook.
pub(crate) async fn create(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    makes(visit)?;
    let typed = Typed::read(&visit.form);
    let key = visit.form.text("key");
    let purpose = Purpose::Make { key: key.clone() };
    if let Some(again) = shown_again(visit, &purpose, &typed).await? {
        return Ok(again);
    }
    let mut errors = Errors::default();
    let body = typed.settings(visit.texts, &mut errors).without_nothings();
    if errors.is_empty() {
        match visit.create::<Made>(&["v1", "webhooks", "create"], &key, &body).await {
            Ok(made) => return Ok(created(visit, &made)),
            Err(trouble) => errors = field::kept(visit, trouble, FIELDS)?,
        }
    }
    let catalogue = Catalogue::read(visit).await?;
    Ok(form(visit, &purpose, &typed, &catalogue, &errors, None).with_errors(&errors, 400))
}

/// The form with what a webhook has.
pub(crate) async fn edit(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (webhook, catalogue) = futures::join!(webhook::asked_for(visit), Catalogue::read(visit));
    let (webhook, catalogue) = (webhook?, catalogue?);
    let drawn = Settings::of(&webhook);
    let purpose = Purpose::Change { webhook: Some(&webhook), drawn: &drawn };
    Ok(form(visit, &purpose, &Typed::of(&drawn), &catalogue, &Errors::default(), None))
}

/// Changes a webhook: what was typed differently from how the form was drawn. Where somebody else has changed the same meanwhile, nothing is
/// changed, and the form says so.
pub(crate) async fn save(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (webhook, carried) = (webhook::asked_for(visit).await, Settings::carried(visit.form.raw(DRAWN)));
    let (webhook, unread) = match webhook {
        Ok(webhook) => (Some(webhook), None),
        Err(trouble) if trouble.passes() && carried.is_some() => (None, Some(trouble)),
        Err(trouble) => return Err(trouble),
    };
    let present = webhook.as_ref().map(Settings::of);
    let drawn = carried.or_else(|| present.clone()).unwrap_or_default();
    let typed = Typed::read(&visit.form);
    let purpose = Purpose::Change { webhook: webhook.as_ref(), drawn: &drawn };
    if let Some(again) = shown_again(visit, &purpose, &typed).await? {
        return Ok(again);
    }
    let mut errors = Errors::default();
    let changes = typed::changes(visit.texts, &drawn, typed.settings(visit.texts, &mut errors));
    if let Some(trouble) = unread {
        errors = field::kept(visit, trouble, FIELDS)?;
    }
    if let Some(present) = present {
        let overtaken = typed::overtaken(visit.texts, &changes, &drawn, &present);
        for name in &overtaken {
            errors.add(name, (visit.texts.edit.overtaken)(&present.in_words(name)));
        }
        if !overtaken.is_empty() {
            // What others have changed beside it is shown as it is now, and what was typed stands over it.
            let own = changes.names().chain(errors.iter().map(|(field, _)| field));
            let (typed, catalogue) = (typed.over(&present, own), Catalogue::read(visit).await?);
            let purpose = Purpose::Change { webhook: webhook.as_ref(), drawn: &present };
            return Ok(form(visit, &purpose, &typed, &catalogue, &errors, None).with_errors(&errors, 409));
        }
    }
    if errors.is_empty() {
        let id = visit.variables[0];
        let saved = if changes.is_empty() {
            Ok(())
        } else {
            visit.patch::<IgnoredAny>(&["v1", "webhooks", id], &changes).await.map(drop)
        };
        match saved {
            Ok(()) => return Ok(Shown::see(format!("webhooks/{id}?done=saved"))),
            Err(trouble) => errors = field::kept(visit, trouble, FIELDS)?,
        }
    }
    let catalogue = Catalogue::read(visit).await?;
    Ok(form(visit, &purpose, &typed, &catalogue, &errors, None).with_errors(&errors, 400))
}

/// A session that sees some webhooks alone makes none, since it would not see that one.
fn makes(visit: &Visit<'_>) -> Result<(), Trouble> {
    if visit.session.sees_all() { Ok(()) } else { Err(Trouble::Forbidden) }
}

/// The form again, where another button than that which saves was pressed: it tries the filter, or has more rows.
async fn shown_again(visit: &Visit<'_>, purpose: &Purpose<'_>, typed: &Typed) -> Result<Option<Shown>, Trouble> {
    let (tries, rows) = (visit.form.has("try"), visit.form.has("rows"));
    if !tries && !rows {
        return Ok(None);
    }
    let mut errors = Errors::default();
    let catalogue = Catalogue::read(visit).await?;
    let verdict = if tries { Some(filter::verdict(visit, typed, &mut errors).await?) } else { None };
    let verdict = verdict.filter(|_| errors.is_empty());
    let typed = Typed { more_rows: rows, ..typed.clone() };
    Ok(Some(form(visit, purpose, &typed, &catalogue, &errors, verdict.as_ref()).with_errors(&errors, 200)))
}

fn form(
    visit: &Visit<'_>,
    purpose: &Purpose<'_>,
    typed: &Typed,
    catalogue: &Catalogue,
    errors: &Errors,
    verdict: Option<&Markup>,
) -> Shown {
    let texts = &visit.texts.edit;
    let (title, action, back) = match purpose {
        Purpose::Make { .. } => (texts.new_title.to_owned(), "webhooks/new".to_owned(), "webhooks".to_owned()),
        Purpose::Change { drawn, .. } => {
            let own = format!("webhooks/{}", visit.variables[0]);
            let called = drawn.get::<Option<String>>("name").unwrap_or_else(|| drawn.get("url"));
            ((texts.edit_title)(&called), format!("{own}/edit"), own)
        }
    };
    let main = html! {
        @match purpose {
            Purpose::Make { .. } => h1 { (title) },
            Purpose::Change { webhook, .. } => (webhook::above(visit, *webhook, visit.texts.webhook.edit)),
        }
        (parts::error_summary(visit, errors))
        // A browser that fills it in again would tick what a pattern had ticked.
        form.long #(field::WHOLE) method="post" action=(visit.to(&action)) novalidate autocomplete="off" {
            (parts::token(visit))
            @match purpose {
                Purpose::Make { key } => input type="hidden" name="key" value=(key);,
                Purpose::Change { drawn, .. } => input type="hidden" name=(DRAWN) value=(drawn.to_carry());,
            }
            // Whoever presses Enter saves: the first button is the one that counts then.
            button.unseen type="submit" tabindex="-1" aria-hidden="true" { (visit.texts.common.save) }
            (draw::where_to(visit, typed, errors))
            (events::picker(visit, typed, catalogue, errors))
            (filter::fieldset(visit, typed, catalogue, errors, verdict))
            (draw::more(visit, typed, errors))
            div.actions.sticky {
                button.primary type="submit" {
                    @match purpose { Purpose::Make { .. } => (texts.make), Purpose::Change { .. } => (visit.texts.common.save) }
                }
                a href=(visit.to(&back)) { (visit.texts.common.cancel) }
            }
        }
        @if let Purpose::Change { .. } = purpose {
            p { a.danger href=(visit.to(&format!("webhooks/{}/delete", visit.variables[0]))) { (texts.removal.link) } }
        }
    };
    let title = if errors.is_empty() { title } else { format!("{}: {title}", visit.texts.common.error) };
    Shown::page(title, main)
}

/// The one page that shows a secret. Who loads it again sends the same form again, and is answered the same.
fn created(visit: &Visit<'_>, made: &Made) -> Shown {
    let texts = &visit.texts.edit.created;
    let below = |path: &str| visit.to(&format!("webhooks/{}{path}", made.id));
    let main = html! {
        h1 { (texts.title) }
        section {
            h2 { (texts.secret) }
            @match &made.secret {
                Some(secret) => { p { (texts.secret_means) } (parts::copyable(visit, "secret", secret)) },
                None => p { (texts.no_secret) },
            }
        }
        section {
            h2 { (texts.next) }
            div.actions {
                (parts::button_link(&below(""), texts.go_on, "primary"))
                a href=(below("/code")) { (texts.verify) }
            }
        }
    };
    Shown::page(texts.title, main)
}

#[cfg(test)]
mod tests;
