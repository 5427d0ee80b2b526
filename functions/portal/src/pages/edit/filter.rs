//! A filter, tried on an event: by a button, or as it is typed where there is a script.

use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::events::Catalogue;
use super::typed::{self, Typed};
use crate::form::Errors;
use crate::json;
use crate::pages::field::{self, Field};
use crate::parts;
use crate::prose;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// What the API says of a filter and an event.
#[derive(Deserialize)]
struct Judged {
    matches: bool,
    /// Why not, in English.
    #[serde(default)]
    why: Option<String>,
}

/// As it is asked: what was typed, number for number.
#[derive(Serialize)]
struct Asked<'a> {
    filter: Box<RawValue>,
    event: &'a str,
    data: Box<RawValue>,
}

/// What is asked of a type: its example.
#[derive(Deserialize)]
struct Type {
    #[serde(default)]
    example: Option<Box<RawValue>>,
}

/// The filter, and the event to try it on.
pub(super) fn fieldset(
    visit: &Visit<'_>,
    typed: &Typed,
    catalogue: &Catalogue,
    errors: &Errors,
    verdict: Option<&Markup>,
) -> Markup {
    let texts = &visit.texts.edit.filter;
    let names: Vec<_> = catalogue.types.iter().map(|one| one.name.clone()).collect();
    let is_open = verdict.is_some() || ["test_event", "test_data"].iter().any(|field| errors.of(field).is_some());
    let (pattern, event) = (
        Field { name: "filter", label: texts.pattern, hint: texts.pattern_hint, value: &typed.filter },
        Field { name: "test_event", label: texts.event, hint: "", value: &typed.test_event },
    );
    let data = Field { name: "test_data", label: texts.data, hint: texts.data_hint, value: &typed.test_data };
    html! {
        fieldset.section data-live="verdict" data-live-url=(visit.to("webhooks/filter")) {
            legend { h2 { (texts.title) } }
            p.hint { (texts.hint) }
            (pattern.area(errors))
            details.try open[is_open] {
                summary { h3 { (texts.try_title) } }
                p.hint { (texts.try_hint) }
                (event.input(errors, "text", Some("known-types")))
                (field::suggestions("known-types", &names))
                (data.area(errors))
                button type="submit" name="try" value="1" { (texts.button) }
                div #verdict aria-live="polite" { @if let Some(verdict) = verdict { (verdict) } }
            }
        }
    }
}

/// What the filter that was typed says of the event that was typed; or what is wrong with which field.
pub(super) async fn verdict(visit: &Visit<'_>, typed: &Typed, errors: &mut Errors) -> Result<Markup, Trouble> {
    let texts = &visit.texts.edit.filter;
    if typed.filter.is_empty() {
        return Ok(parts::notice("idle", texts.no_filter));
    }
    let filter = typed::object(visit.texts, "filter", &typed.filter, errors);
    let data = match typed.test_data.as_str() {
        "" => match example(visit, &typed.test_event).await {
            Ok(example) => json::object(example.as_deref().map_or("{}", RawValue::get)).ok(),
            Err(trouble) => {
                *errors = field::kept(visit, trouble, &[])?;
                None
            }
        },
        text => typed::object(visit.texts, "test_data", text, errors),
    };
    let (Some(filter), Some(data)) = (filter, data) else { return Ok(html! {}) };
    let body = Asked { filter, event: &typed.test_event, data };
    match visit.post::<Judged>(&["v1", "webhooks", "filter", "test"], &body).await {
        Ok(judged) => Ok(said(visit, &judged)),
        Err(trouble) => {
            let told = field::kept(visit, trouble, &["filter", "event", "data"])?;
            if told.trouble().is_some() {
                *errors = told;
                return Ok(html! {});
            }
            // The API calls them by other names.
            for (place, message) in told.iter() {
                let own = match place {
                    "event" => "test_event",
                    "data" => "test_data",
                    other => other,
                };
                errors.add(own, message);
            }
            Ok(html! {})
        }
    }
}

/// The example of a type, if it has one.
async fn example(visit: &Visit<'_>, event: &str) -> Result<Option<Box<RawValue>>, Trouble> {
    let known = match event {
        "" => None,
        event => visit.get_if_there::<Type>(&["v1", "event-types", event]).await?,
    };
    Ok(known.and_then(|known| known.example))
}

fn said(visit: &Visit<'_>, judged: &Judged) -> Markup {
    let texts = &visit.texts.edit.filter;
    html! {
        @if judged.matches {
            (parts::notice("good", texts.passes))
        } @else {
            (parts::notice("warn", texts.stopped))
            @if let Some(why) = &judged.why { p lang="en" { (prose::line(why)) } }
        }
    }
}

/// The verdict alone, for the script, while somebody types.
pub(crate) async fn tried(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let mut errors = Errors::default();
    let verdict = verdict(visit, &Typed::read(&visit.form), &mut errors).await?;
    // The script leaves what is there.
    if let Some(trouble) = errors.trouble() {
        return Err(trouble.clone());
    }
    let wrong = html! { ul.wrong { @for (_, message) in errors.iter() { li { (prose::line(message)) } } } };
    Ok(Shown::Part(if errors.is_empty() { verdict } else { wrong }))
}
