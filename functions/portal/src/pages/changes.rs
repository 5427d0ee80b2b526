//! Who changed what: the events by which Postrider tells of it, the newest first.

#[cfg(test)]
mod tests;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use maud::{Markup, html};
use postrider_domain::event::OwnType;
use postrider_domain::own_event::POSTRIDER;
use postrider_domain::time::as_wire;
use serde::Deserialize;

use crate::answers::Pagination;
use crate::directory::Directory;
use crate::parts;
use crate::shown::Shown;
use crate::texts::changes::Changes;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Visit};

/// Changes on a page: each is a call.
const ON_A_PAGE: usize = 15;

#[derive(Debug, Deserialize)]
struct Page {
    events: Vec<Listed>,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    event: String,
    #[serde(with = "as_wire")]
    timestamp: Timestamp,
}

/// What a change says of itself.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    webhook_id: String,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    changed: Vec<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    webhook: Option<Webhook>,
}

/// A webhook as it was then.
#[derive(Debug, Default, Deserialize)]
struct Webhook {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    data: Option<Told>,
}

/// A page of them.
pub(crate) async fn list(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let texts = &visit.texts.changes;
    if !visit.session.sees_all() {
        let main = html! { h1 { (texts.title) } (parts::empty(texts.unseen, texts.unseen_means, html! {})) };
        return Ok(Shown::page(texts.title, main));
    }
    let limit = ON_A_PAGE.to_string();
    let mut query = vec![("changes", "true"), ("limit", limit.as_str())];
    query.extend(visit.query("cursor").map(|cursor| ("cursor", cursor)));
    let (page, directory) = futures::join!(visit.get::<Page>(&["v1", "events"], &query), Directory::of(visit));
    let (page, directory) = (page?, directory?);
    let told: Vec<Result<Option<Told>, Trouble>> =
        stream::iter(&page.events).map(|listed| told(visit, &listed.id)).buffered(AT_ONCE).collect().await;
    let told: Vec<Option<Told>> = told.into_iter().collect::<Result<_, _>>()?;
    let next = page.pagination.next_cursor.as_deref();
    let webhooks = parts::button_link(&visit.to("webhooks"), visit.texts.common.webhooks, "plain");
    let main = html! {
        h1 { (texts.title) }
        p { (texts.means) }
        @if !page.events.is_empty() { (table(visit, &directory, page.events.iter().zip(&told))) }
        @else if next.is_some() { p.notice.idle { (texts.none_here) } }
        @else { (parts::empty(texts.none, texts.none_means, webhooks)) }
        (parts::pager(visit, "changes", &[], next))
        p.soft { (texts.hear) }
    };
    Ok(Shown::page(texts.title, main))
}

/// What a change says; nothing where that is not there any more. Where it cannot be read just now, its row says so, and the others stand.
async fn told(visit: &Visit<'_>, id: &str) -> Result<Option<Told>, Trouble> {
    // Nobody is shown here who was told of it: so one webhook is looked at, and not all.
    match visit.get::<Event>(&["v1", "events", id], &[("limit", "1")]).await {
        Ok(event) => Ok(Some(event.data.unwrap_or_default())),
        Err(Trouble::NotFound) => Ok(Some(Told::default())),
        Err(trouble) if trouble.passes() => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

fn table<'a>(
    visit: &Visit<'_>,
    directory: &Directory,
    changes: impl Iterator<Item = (&'a Listed, &'a Option<Told>)>,
) -> Markup {
    let texts = &visit.texts.changes;
    html! {
        div.wide {
            table.stacked {
                thead { tr { th scope="col" { (texts.time) } th scope="col" { (texts.who) } th scope="col" { (texts.what) } } }
                tbody {
                    @for (listed, told) in changes {
                        tr {
                            td { (time::shown(listed.timestamp)) br; small { a href=(visit.to(&format!("events/{}", listed.id))) { (texts.as_event) } } }
                            @match told {
                                Some(told) => {
                                    td { (who(texts, &visit.session.session_id, told.actor.as_deref())) }
                                    td { (what(visit, directory, &listed.event, told)) }
                                }
                                None => td colspan="2" { (done(texts, &listed.event, &[])) ". " span.soft { (texts.unread) } },
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Who it was, in words.
fn who(texts: &Changes, session_id: &str, actor: Option<&str>) -> String {
    match actor {
        None | Some("") => texts.nobody_known.to_owned(),
        Some(actor) if actor == session_id => texts.this_session.to_owned(),
        Some(POSTRIDER) => texts.postrider.to_owned(),
        Some(actor) if actor.starts_with("ses_") => (texts.session)(actor),
        Some(actor) => (texts.key)(actor),
    }
}

fn what(visit: &Visit<'_>, directory: &Directory, event: &str, told: &Told) -> Markup {
    let then = told.webhook.as_ref().and_then(|webhook| webhook.name.as_deref().or(webhook.url.as_deref()));
    let listed = directory.get(&told.webhook_id);
    let name = then.or(listed.map(|listed| listed.url.as_str())).unwrap_or(&told.webhook_id);
    html! {
        @match listed {
            Some(listed) => a href=(visit.to(&format!("webhooks/{}", listed.id))) { (name) },
            None => { (name) },
        }
        br; (done(&visit.texts.changes, event, &told.changed))
        @if event == OwnType::WebhookDisabled.as_str() {
            @if let Some(reason) = &told.reason { ": " span lang="en" { (reason) } }
        }
    }
}

/// What was done, in words. What has none is the engine's own book-keeping.
fn done(texts: &Changes, event: &str, changed: &[String]) -> String {
    let is = |own: OwnType| own.as_str() == event;
    if is(OwnType::WebhookUpdated) {
        let fields: Vec<&str> = changed.iter().filter_map(|name| (texts.field)(name)).collect();
        return if fields.is_empty() { texts.updated_somehow.to_owned() } else { (texts.updated)(&fields.join(", ")) };
    }
    let words = [
        (OwnType::WebhookCreated, texts.created),
        (OwnType::WebhookDeleted, texts.deleted),
        (OwnType::WebhookEnabled, texts.enabled),
        (OwnType::WebhookDisabled, texts.disabled),
    ];
    words.into_iter().find(|(own, _)| is(*own)).map_or(event, |(_, word)| word).to_owned()
}
