//! A test: an event for one webhook alone. Its page leads on to its delivery, where it is seen to arrive.

use maud::html;
use postrider_domain::event::{EventPattern, EventType};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{above, for_form};
use crate::answers::Webhook;
use crate::form::Errors;
use crate::json;
use crate::pages::field::{self, Field};
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

const FIELDS: [&str; 2] = ["event", "data"];

/// Types that are suggested.
const SUGGESTED: usize = 100;

/// What the form says, for the API: what is left out, the API chooses.
#[derive(Serialize)]
struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    event: String,
    /// As it was typed: whatever is read and written anew may be other JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
}

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
        Err(trouble) => asked(visit, &field::kept(visit, trouble, &FIELDS)?).await,
    }
}

fn body(visit: &Visit<'_>) -> Result<Asked, Errors> {
    let (event, data) = (visit.form.text("event"), visit.form.text("data"));
    let data = match data.as_str() {
        "" => None,
        text => Some(json::object(text).map_err(|_| {
            let mut errors = Errors::default();
            errors.add("data", visit.texts.deeds.test.not_json);
            errors
        })?),
    };
    Ok(Asked { event, data })
}

async fn asked(visit: &Visit<'_>, errors: &Errors) -> Result<Shown, Trouble> {
    let (webhook, types) = futures::join!(for_form(visit), known_types(visit));
    let webhook = webhook?;
    let texts = &visit.texts.deeds.test;
    let (event, data) = (visit.form.text("event"), visit.form.text("data"));
    let main = html! {
        (above(visit, webhook.as_ref(), texts.title))
        h2 #(field::WHOLE) { (texts.title) }
        p { (texts.means) }
        @if webhook.as_ref().is_some_and(|webhook| !webhook.is_active()) { (parts::notice("warn", texts.is_paused)) }
        (parts::error_summary(visit, errors))
        form method="post" action=(visit.to(&format!("webhooks/{}/test", visit.variables[0]))) {
            (parts::token(visit))
            (Field { name: "event", label: texts.event, hint: texts.event_hint, value: &event }.input(errors, "text", Some("types")))
            (field::suggestions("types", &with_its_own(types, webhook.as_ref())))
            (Field { name: "data", label: texts.data, hint: texts.data_hint, value: &data }.area(errors))
            div.actions { button.primary type="submit" { (texts.send) } }
        }
    };
    Ok(Shown::page(texts.title, main).with_errors(errors, 400))
}

/// The types that the webhook asks for by name, those that a pattern of its takes, and then all others that are known.
pub(super) fn with_its_own(types: Vec<String>, webhook: Option<&Webhook>) -> Vec<String> {
    let asked_for = webhook.map(|webhook| webhook.events.as_slice()).unwrap_or_default();
    let own = asked_for.iter().filter(|pattern| !pattern.ends_with('*')).cloned();
    let mut all: Vec<String> = own.collect();
    let patterns: Vec<_> = asked_for.iter().filter_map(|pattern| EventPattern::kept(pattern).ok()).collect();
    let takes =
        |name: &str| EventType::kept(name).is_ok_and(|name| patterns.iter().any(|pattern| pattern.takes(&name)));
    let (taken, others): (Vec<_>, Vec<_>) =
        types.into_iter().filter(|name| !asked_for.contains(name)).partition(|name| takes(name));
    all.extend(taken.into_iter().chain(others));
    all
}

/// The names of types that the deployment knows, the first of them; none where they cannot be read, since any may be typed.
pub(super) async fn known_types(visit: &Visit<'_>) -> Vec<String> {
    let found = visit.get::<Types>(&["v1", "event-types"], &[("limit", &SUGGESTED.to_string())]).await;
    found.map(|types| types.event_types.into_iter().map(|one| one.name).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_type_that_is_sent_comes_before_those_that_are_not() {
        let told = json!({"id": "wh_1", "url": "https://a.example/", "created_at": "2026-01-01T00:00:00Z", "status": "active", "events": ["order.*", "user.made"]});
        let webhook: Webhook = serde_json::from_value(told).unwrap();
        let types = ["invoice.paid", "order.paid", "user.made"].map(str::to_owned).to_vec();
        assert_eq!(with_its_own(types, Some(&webhook)), ["user.made", "order.paid", "invoice.paid"]);
    }
}
