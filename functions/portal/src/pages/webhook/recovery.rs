//! Sending again what a webhook missed: what is chosen is counted first, and only then can it be sent. How far it has come is on a page of
//! its own.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use postrider_domain::recovery::Progress;
use postrider_host::clock;
use serde_json::{Value, json};

use super::{above, asked_for, for_form};
use crate::answers::{Recovery, RecoveryBegun, RecoveryCount, Webhook};
use crate::form::{Errors, Form};
use crate::pages::field::{self, Field, check};
use crate::parts;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

const FIELDS: [&str; 4] = ["since", "until", "events", "statuses"];
/// How far back it begins where nothing says more.
const USUAL: SignedDuration = SignedDuration::from_hours(24);

/// What is to be sent again, as it was typed.
#[derive(Debug)]
struct Asked {
    since: String,
    until: String,
    events: String,
    statuses: Vec<String>,
    never_matched: bool,
}

/// The form.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = asked_for(visit).await?;
    let asked = Asked::usual(&webhook, clock::now());
    Ok(shown(visit, Some(&webhook), &asked, None, &Errors::default()))
}

/// Counts what was chosen or, where its count was seen, sends it.
pub(crate) async fn posted(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let asked = Asked::of(&visit.form);
    let path = ["v1", "webhooks", visit.variables[0], "recover"];
    let is_sent = visit.form.has("send");
    let errors = match asked.body(visit, !is_sent) {
        Err(errors) => errors,
        Ok(body) if is_sent => match visit.post::<RecoveryBegun>(&path, &body).await {
            Ok(begun) => {
                return Ok(Shown::see(format!("webhooks/{}/recover/{}", visit.variables[0], begun.recovery_id)));
            }
            Err(trouble) => field::kept(visit, trouble, &FIELDS)?,
        },
        Ok(body) => match futures::join!(visit.post::<RecoveryCount>(&path, &body), for_form(visit)) {
            (Ok(count), webhook) => {
                return Ok(shown(visit, webhook?.as_ref(), &asked, Some(&count), &Errors::default()));
            }
            (Err(trouble), _) => field::kept(visit, trouble, &FIELDS)?,
        },
    };
    Ok(shown(visit, for_form(visit).await?.as_ref(), &asked, None, &errors).with_errors(&errors, 400))
}

impl Asked {
    fn of(form: &Form) -> Self {
        Self {
            since: form.text("since"),
            until: form.text("until"),
            events: form.text("events"),
            statuses: form.all("statuses").map(str::to_owned).collect(),
            never_matched: form.text("kind") == "never_matched",
        }
    }

    /// Since it was paused, went down or began to fail, or else since yesterday.
    fn usual(webhook: &Webhook, now: Timestamp) -> Self {
        let yesterday = now.saturating_sub(USUAL).unwrap_or(now);
        let down = webhook.parking.as_ref().map(|parking| parking.since);
        let since = [webhook.disabled_at, down, webhook.failing_since, Some(yesterday)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(yesterday);
        let since = field::time_in_field(since);
        Self { since, until: String::new(), events: String::new(), statuses: Vec::new(), never_matched: false }
    }

    /// The same for the API.
    fn body(&self, visit: &Visit<'_>, count_only: bool) -> Result<Value, Errors> {
        let mut errors = Errors::default();
        let mut time = |name: &'static str, text: &str| {
            let at = field::time_of(text).map(field::wire);
            if at.is_none() {
                errors.add(name, visit.texts.webhook.list.not_a_time);
            }
            at
        };
        let since = time("since", &self.since);
        let until = if self.until.is_empty() { None } else { time("until", &self.until) };
        if !errors.is_empty() {
            return Err(errors);
        }
        let events: Vec<_> = self.events.split([' ', ',', '\n']).filter(|event| !event.is_empty()).collect();
        // Where there was no delivery, none stands anyhow.
        let statuses = if self.never_matched { &[][..] } else { &self.statuses };
        let mut body = json!({"since": since, "count_only": count_only, "never_matched": self.never_matched});
        let some = [("until", json!(until), until.is_some()), ("events", json!(events), !events.is_empty())];
        for (name, value, is_said) in some.into_iter().chain([("statuses", json!(statuses), !statuses.is_empty())]) {
            if is_said {
                body[name] = value;
            }
        }
        Ok(body)
    }
}

fn shown(
    visit: &Visit<'_>,
    webhook: Option<&Webhook>,
    asked: &Asked,
    count: Option<&RecoveryCount>,
    errors: &Errors,
) -> Shown {
    let texts = &visit.texts.deeds.recover;
    let action = visit.to(&format!("webhooks/{}/recover", visit.variables[0]));
    let example = example(visit, webhook);
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.recover))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        (parts::error_summary(visit, errors))
        @if let Some(count) = count { (counted(visit, &action, asked, count)) }
        form method="post" action=(action) {
            (parts::token(visit))
            (Field { name: "since", label: texts.since, hint: texts.since_hint, value: &asked.since }.input(errors, "datetime-local", None))
            (Field { name: "until", label: texts.until, hint: texts.until_hint, value: &asked.until }.input(errors, "datetime-local", None))
            (kinds(visit, asked))
            (statuses(visit, asked, errors))
            (Field { name: "events", label: texts.events, hint: &example, value: &asked.events }.input(errors, "text", None))
            div.actions { button.(if count.is_some() { "plain" } else { "primary" }) type="submit" name="count" value="1" { (texts.count) } }
        }
    };
    Shown::page(texts.title, main)
}

/// A type of this webhook's, and a pattern, to show how they are written.
fn example(visit: &Visit<'_>, webhook: Option<&Webhook>) -> String {
    let own = webhook.and_then(|webhook| webhook.events.iter().find(|event| !event.ends_with('*')));
    let one = own.map_or("invoice.paid", String::as_str);
    let pattern = one.rsplit_once('.').map_or_else(|| "*".to_owned(), |(group, _)| format!("{group}.*"));
    (visit.texts.deeds.recover.events_hint)(one, &pattern)
}

fn kinds(visit: &Visit<'_>, asked: &Asked) -> Markup {
    let texts = &visit.texts.deeds.recover;
    html! {
        fieldset.field {
            legend { (texts.what) }
            (check("radio", ("kind", "missed"), texts.missed, !asked.never_matched))
            p.hint { (texts.missed_hint) " " (texts.held_back) " " a href=(visit.to("events")) { (texts.see_events) } "." }
            (check("radio", ("kind", "never_matched"), texts.never_matched, asked.never_matched))
            p.hint { (texts.never_matched_hint) }
        }
    }
}

fn statuses(visit: &Visit<'_>, asked: &Asked, errors: &Errors) -> Markup {
    let is_open = !asked.statuses.is_empty() || errors.of("statuses").is_some();
    let texts = &visit.texts.deeds.recover;
    let all = [
        ("failed", texts.failed),
        ("cancelled", texts.cancelled),
        ("pending", texts.pending),
        ("retrying", texts.retrying),
    ];
    html! {
        details.choose #statuses open[is_open] {
            summary { (texts.statuses) }
            fieldset.field {
                legend { (texts.statuses_hint) }
                @for (status, text) in all {
                    (check("checkbox", ("statuses", status), text, asked.statuses.iter().any(|one| one == status)))
                }
            }
        }
    }
}

/// How much it is, and the button that sends it: with what was chosen when it was counted.
fn counted(visit: &Visit<'_>, action: &str, asked: &Asked, count: &RecoveryCount) -> Markup {
    let texts = &visit.texts.deeds.recover;
    if count.found == 0 && count.complete {
        return parts::empty(texts.none_found, texts.none_found_means, html! {});
    }
    let kind = if asked.never_matched { "never_matched" } else { "missed" };
    let hidden = [("since", &asked.since), ("until", &asked.until), ("events", &asked.events)];
    html! {
        div.confirm role="status" {
            p { strong { @if count.complete { ((texts.found)(count.found)) } @else { ((texts.found_at_least)(count.found)) } } }
            p { (texts.send_means) }
            form method="post" action=(action) {
                (parts::token(visit))
                @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
                input type="hidden" name="kind" value=(kind);
                @for status in &asked.statuses { input type="hidden" name="statuses" value=(status); }
                button.primary type="submit" name="send" value="1" { ((texts.send)(count.found)) }
            }
        }
    }
}

/// How far a recovery has come.
pub(crate) async fn progress(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let [id, recovery] = visit.variables;
    let path = ["v1", "webhooks", id, "recover", recovery];
    let (webhook, told) = futures::join!(asked_for(visit), visit.get::<Recovery>(&path, &[]));
    let (webhook, told) = (webhook?, told?);
    let texts = &visit.texts.deeds.recover;
    let part = how_far(visit, id, &told);
    if visit.is_for_script() {
        return Ok(Shown::Part(part));
    }
    let main = html! {
        (above(visit, &webhook, visit.texts.webhook.actions.recover))
        h2 { (texts.progress) }
        p.soft {
            (texts.span) " " (time::shown(told.since))
            // Nobody chose an end that is still to come: it is there for clocks that are ahead.
            @if told.until <= clock::now() { " – " (time::shown(told.until)) }
        }
        (parts::watched(visit, &format!("webhooks/{id}/recover/{recovery}"), told.status == Progress::Done, part))
    };
    Ok(Shown::page(texts.progress, main))
}

fn how_far(visit: &Visit<'_>, id: &str, told: &Recovery) -> Markup {
    let texts = &visit.texts.deeds.recover;
    let is_done = told.status == Progress::Done;
    html! {
        div role="status" data-final[is_done] {
            p { strong { ((texts.so_far)(told.found, told.requeued)) } }
            p { (if is_done { texts.done } else { texts.running }) }
            @if !is_done { (parts::look_again(visit, &format!("webhooks/{id}/recover/{}", visit.variables[1]))) }
            @if is_done && told.requeued < told.found { p.soft { (texts.others) } }
        }
        p { a href=(visit.to(&format!("webhooks/{id}#deliveries"))) { (texts.see_deliveries) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_where_the_outage_did() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let webhook = |more: Value| {
            let mut told = json!({"id": "wh_1", "url": "https://a.example/", "created_at": "2026-01-01T00:00:00Z", "status": "active"});
            told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Webhook>(told).unwrap()
        };
        for (more, since) in [
            (json!({}), "2026-01-14T12:00"),
            (json!({"disabled_at": "2026-01-10T08:30:59.000Z"}), "2026-01-10T08:30"),
            (json!({"disabled_at": "2026-01-15T11:00:00.000Z"}), "2026-01-14T12:00"),
            (json!({"failing_since": "2026-01-12T09:15:00.000Z"}), "2026-01-12T09:15"),
            (
                json!({"parking": {"state": "down", "cause": "endpoint_outage", "since": "2026-01-13T10:00:00.000Z"}}),
                "2026-01-13T10:00",
            ),
        ] {
            assert_eq!(Asked::usual(&webhook(more.clone()), now).since, since, "{more}");
        }
    }
}
