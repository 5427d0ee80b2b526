//! A test: an event for one webhook alone. Its page leads on to its delivery, where it is seen to arrive.

use maud::html;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{above, asked_for};
use crate::answers::Webhook;
use crate::form::Errors;
use crate::pages::field::{self, Field};
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

const FIELDS: [&str; 2] = ["event", "data"];

/// Types that are suggested.
const SUGGESTED: &str = "100";

#[derive(Deserialize)]
struct Begun {
    delivery_id: String,
}

#[derive(Deserialize)]
struct Types {
    #[serde(default)]
    event_types: Vec<Type>,
}

#[derive(Deserialize)]
struct Type {
    name: String,
}

/// The form for a test of a type and with data of the reader's choice.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    asked(visit, &Errors::default()).await
}

/// Sends it.
pub(crate) async fn send(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let body = match body(visit) {
        Ok(body) => body,
        Err(errors) => return asked(visit, &errors).await,
    };
    match visit.post::<Begun>(&["v1", "webhooks", visit.variables[0], "test"], &body).await {
        // Its delivery is there in a moment.
        Ok(begun) => Ok(Shown::see(format!("deliveries/{}?new=1", begun.delivery_id))),
        Err(trouble) => asked(visit, &field::refused(trouble, &FIELDS)?).await,
    }
}

/// What the form says, for the API: what is left out, the API chooses.
fn body(visit: &Visit<'_>) -> Result<Value, Errors> {
    let (event, data) = (visit.form.text("event"), visit.form.text("data"));
    let mut body = Map::new();
    if !event.is_empty() {
        body.insert("event".to_owned(), event.into());
    }
    if !data.is_empty() {
        let data = object(&data).ok_or_else(|| {
            let mut errors = Errors::default();
            errors.add("data", visit.texts.deeds.test.not_json);
            errors
        })?;
        body.insert("data".to_owned(), data);
    }
    Ok(body.into())
}

/// A JSON object.
pub(super) fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

async fn asked(visit: &Visit<'_>, errors: &Errors) -> Result<Shown, Trouble> {
    let (webhook, types) = futures::join!(asked_for(visit), known_types(visit));
    let webhook = webhook?;
    let texts = &visit.texts.deeds.test;
    let (event, data) = (visit.form.text("event"), visit.form.text("data"));
    let main = html! {
        (above(visit, &webhook, texts.title))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        @if !webhook.is_active() { (parts::notice("warn", texts.is_paused)) }
        (parts::error_summary(visit, errors))
        form method="post" action=(visit.to(&format!("webhooks/{}/test", webhook.id))) {
            (parts::token(visit))
            (Field { name: "event", label: texts.event, hint: texts.event_hint, value: &event }.input(errors, "text", Some("types")))
            (field::suggestions("types", &with_its_own(types, &webhook)))
            (Field { name: "data", label: texts.data, hint: texts.data_hint, value: &data }.area(errors))
            div.actions { button.primary type="submit" { (texts.send) } }
        }
    };
    Ok(Shown::page(texts.title, main).with_status(if errors.is_empty() { 200 } else { 400 }))
}

/// The types that the webhook asks for by name, and then those that are known.
pub(super) fn with_its_own(types: Vec<String>, webhook: &Webhook) -> Vec<String> {
    let own = webhook.events.iter().filter(|pattern| !pattern.ends_with('*')).cloned();
    let mut all: Vec<String> = own.collect();
    all.extend(types.into_iter().filter(|name| !webhook.events.contains(name)));
    all
}

/// The names of types that the deployment knows, the first of them; none where they cannot be read, since any may be typed.
pub(super) async fn known_types(visit: &Visit<'_>) -> Vec<String> {
    let found = visit.get::<Types>(&["v1", "event-types"], &[("limit", SUGGESTED)]).await;
    found.map(|types| types.event_types.into_iter().map(|one| one.name).collect()).unwrap_or_default()
}
