//! The request that an event would make: nothing of it is sent.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::settings::retries;
use super::trial::{known_types, with_its_own};
use super::{above, asked_for, for_form};
use crate::answers;
use crate::form::Errors;
use crate::json;
use crate::pages::field::{self, Field};
use crate::pages::message;
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

const FIELDS: [&str; 2] = ["event", "data"];

/// As the API is asked.
#[derive(Serialize)]
struct Asked<'a> {
    event: &'a str,
    data: Box<RawValue>,
}

#[derive(Deserialize)]
struct Type {
    #[serde(default)]
    example: Option<Box<RawValue>>,
}

/// The form: with a type that the webhook asks for, and its example.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (webhook, types) = futures::join!(asked_for(visit), known_types(visit));
    let (webhook, types) = (webhook?, types);
    let types = with_its_own(types, Some(&webhook));
    let event = visit.query("event").map(str::to_owned).or_else(|| types.first().cloned()).unwrap_or_default();
    let data = example_of(visit, &event).await;
    Ok(shown(visit, Some(&webhook), &types, (&event, &data), None, &Errors::default()))
}

/// The request.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (event, data) = (visit.form.text("event"), visit.form.text("data"));
    let mut errors = Errors::default();
    let mut preview = None;
    match json::object(&data) {
        Ok(data) => {
            let body = Asked { event: &event, data };
            match visit.post::<answers::Preview>(&["v1", "webhooks", visit.variables[0], "preview"], &body).await {
                Ok(found) => preview = Some(found),
                Err(trouble) => errors = field::kept(visit, trouble, &FIELDS)?,
            }
        }
        Err(_) => errors.add("data", visit.texts.deeds.test.not_json),
    }
    let (webhook, types) = futures::join!(for_form(visit), known_types(visit));
    let webhook = webhook?;
    let types = with_its_own(types, webhook.as_ref());
    let shown = shown(visit, webhook.as_ref(), &types, (&event, &data), preview.as_ref(), &errors);
    Ok(shown.with_errors(&errors, 400))
}

/// The example of a type, if it has one.
async fn example_of(visit: &Visit<'_>, event: &str) -> String {
    let found = visit.get::<Type>(&["v1", "event-types", event], &[]).await.ok();
    let example = found.and_then(|found| found.example).filter(|example| example.get().starts_with('{'));
    example.map_or_else(|| "{\n}".to_owned(), |example| json::pretty(example.get()))
}

fn shown(
    visit: &Visit<'_>,
    webhook: Option<&answers::Webhook>,
    types: &[String],
    (event, data): (&str, &str),
    preview: Option<&answers::Preview>,
    errors: &Errors,
) -> Shown {
    let texts = &visit.texts.deeds.preview;
    let main = html! {
        (above(visit, webhook, visit.texts.webhook.actions.preview))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        (parts::error_summary(visit, errors))
        @if let Some(preview) = preview { (previewed(visit, preview)) }
        form method="post" action=(visit.to(&format!("webhooks/{}/preview", visit.variables[0]))) {
            (parts::token(visit))
            (Field { name: "event", label: texts.event, hint: "", value: event }.input(errors, "text", Some("types")))
            (field::suggestions("types", types))
            (Field { name: "data", label: texts.data, hint: "", value: data }.area(errors))
            div.actions { button.primary type="submit" { (texts.show) } }
        }
    };
    Shown::page(texts.title, main)
}

fn previewed(visit: &Visit<'_>, preview: &answers::Preview) -> Markup {
    let texts = &visit.texts.deeds.preview;
    html! {
        section {
            h3 { (texts.request) }
            @if preview.would_send {
                (parts::notice("good", texts.would_send))
            } @else {
                p.notice.warn role="status" { (texts.would_not) " " span lang="en" { (preview.explanation.as_deref().unwrap_or_default()) } }
            }
            p { code { "POST " (preview.request.url) } }
            (message::headers(texts.headers, &preview.request.headers))
            (message::body(texts.body, &preview.request.body))
            p {
                @if preview.schedule.is_empty() { (texts.no_schedule) } @else { (texts.schedule) " " (retries(visit, &preview.schedule)) "." }
            }
        }
    }
}
