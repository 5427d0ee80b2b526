//! The plain fields of a webhook's form.

use maud::{Markup, html};

use super::pairs::Words;
use super::typed::{Retries, Typed};
use crate::form::Errors;
use crate::pages::field::Field;
use crate::visit::Visit;

/// Dialects whose webhooks say `application/json`, as their provider promised.
const ONE_CONTENT_TYPE: [&str; 3] = ["nur", "nouvel", "netraflow"];

fn field<'a>(name: &'a str, label: &'a str, hint: &'a str, value: &'a str) -> Field<'a> {
    Field { name, label, hint, value }
}

/// Where it is, and what it is called.
pub(super) fn where_to(visit: &Visit<'_>, typed: &Typed, errors: &Errors) -> Markup {
    let texts = &visit.texts.edit;
    html! {
        section {
            (field("url", texts.url, texts.url_hint, &typed.url).input(errors, "url", None))
            (field("name", texts.name, texts.name_hint, &typed.name).input(errors, "text", None))
            (field("description", texts.description, texts.description_hint, &typed.description).notes(errors))
        }
    }
}

/// What few need, folded up unless something is wrong there or more rows were asked for.
/// Beside its name it says what of it is set.
pub(super) fn more(visit: &Visit<'_>, typed: &Typed, errors: &Errors) -> Markup {
    let texts = &visit.texts.edit.more;
    let folded = ["headers", "metadata", "rate_limit", "timeout_seconds", "content_type", "retry_schedule"];
    let is_open = typed.more_rows || folded.iter().any(|field| errors.of(field).is_some());
    let headers = Words {
        title: texts.headers,
        hint: texts.headers_hint,
        name: texts.header_name,
        value: texts.header_value,
        more: texts.more_rows,
    };
    let metadata = Words {
        title: texts.metadata,
        hint: texts.metadata_hint,
        name: texts.metadata_name,
        value: texts.metadata_value,
        more: texts.more_rows,
    };
    let takes_types = !visit.session.dialect.as_deref().is_some_and(|dialect| ONE_CONTENT_TYPE.contains(&dialect));
    html! {
        details.section open[is_open] {
            summary { h2 { (texts.title) } @if typed.has_more() { " " small { (texts.set) } } }
            (typed.headers.drawn("headers", &headers, errors, typed.more_rows))
            (field("rate_limit", texts.rate_limit, texts.rate_limit_hint, &typed.rate_limit).input(errors, "text", None))
            (field("timeout_seconds", texts.timeout, texts.timeout_hint, &typed.timeout_seconds).input(errors, "text", None))
            @if takes_types {
                (field("content_type", texts.content_type, texts.content_type_hint, &typed.content_type).input(errors, "text", None))
            } @else if !typed.content_type.is_empty() {
                // Or it would come back as emptied.
                input type="hidden" name="content_type" value=(typed.content_type);
            }
            (retries(visit, typed, errors))
            (typed.metadata.drawn("metadata", &metadata, errors, typed.more_rows))
        }
    }
}

fn retries(visit: &Visit<'_>, typed: &Typed, errors: &Errors) -> Markup {
    let texts = &visit.texts.edit.more;
    let called = |retries| match retries {
        Retries::Usual => texts.retries_usual,
        Retries::Own => texts.retries_own,
        Retries::None => texts.retries_none,
    };
    html! {
        fieldset.field {
            legend { (texts.retries) }
            @for retries in Retries::ALL {
                div.check {
                    input #{ "retries-" (retries.name()) } type="radio" name="retries" value=(retries.name()) checked[typed.retries == retries];
                    label for={ "retries-" (retries.name()) } { (called(retries)) }
                }
            }
            (field("retry_schedule", texts.schedule, texts.schedule_hint, &typed.retry_schedule).input(errors, "text", None))
        }
    }
}
