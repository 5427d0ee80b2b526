//! The signature doctor: a request that somebody pastes, and why its signature does not verify.

mod body;
mod pasted;
mod question;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use postrider_domain::doctor::Cause;
use serde::Deserialize;

use self::body::Told;
use self::question::Question;
use super::field::{self, Field};
use crate::directory::Directory;
use crate::form::Errors;
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// What the API finds.
#[derive(Debug, Deserialize)]
struct Verdict {
    valid: bool,
    #[serde(default)]
    cause: Option<Cause>,
    explanation: String,
}

/// What was found, and of which of the texts that the body may have been.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    told: Told,
    /// How many texts were tried.
    tried: usize,
}

/// The form, empty but for a webhook that a link names.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let directory = Directory::with_names(visit).await?;
    // Of one alone there is nothing to choose.
    let only = directory.all().next().filter(|_| directory.is_complete && directory.len() == 1);
    let webhook_id = visit.query("webhook_id").or(only.map(|only| only.id.as_str())).unwrap_or_default().to_owned();
    let asked = Question { webhook_id, ..Question::default() };
    Ok(page(visit, &directory, &asked, &Errors::default(), None))
}

/// What is found of what was posted. Whatever comes of it, all that was typed is there again.
pub(crate) async fn examine(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (asked, mut errors) = (Question::of(&visit.form), Errors::default());
    let found = match asked.read(&visit.texts.doctor, &mut errors) {
        Some(read) => found(visit, &read, &mut errors).await?,
        None => None,
    };
    let directory = match Directory::with_names(visit).await {
        Err(trouble) if trouble.passes() => Directory::default(),
        directory => directory?,
    };
    Ok(page(visit, &directory, &asked, &errors, found.as_ref()).with_errors(&errors, 422))
}

/// Tries each text that the body may have been, until one of them fits or tells something else than that it does not.
async fn found(visit: &Visit<'_>, read: &question::Read, errors: &mut Errors) -> Result<Option<Finding>, Trouble> {
    let (mut first, tried) = (None, read.guesses.len());
    for guess in &read.guesses {
        let verdict = match visit.post::<Verdict>(&["v1", "verify"], &read.asked(&guess.text)).await {
            Ok(verdict) => verdict,
            Err(Trouble::NotFound) => {
                errors.add("webhook_id", visit.texts.troubles.not_found.1);
                return Ok(None);
            }
            Err(Trouble::Refused(refused)) => {
                errors.add(question::field_of(refused.field.as_deref()), refused.message);
                return Ok(None);
            }
            Err(trouble) => {
                *errors = field::kept(visit, trouble, &[])?;
                return Ok(None);
            }
        };
        let settles = !matches!(
            verdict.cause,
            Some(Cause::BodyReserialised | Cause::BodyChanged | Cause::NoMatch | Cause::WrongSecret)
        );
        if settles {
            return Ok(Some(Finding { verdict, told: guess.told, tried }));
        }
        first.get_or_insert(verdict);
    }
    Ok(first.map(|verdict| Finding { verdict, told: Told::Nothing, tried }))
}

fn page(visit: &Visit<'_>, directory: &Directory, asked: &Question, errors: &Errors, found: Option<&Finding>) -> Shown {
    let texts = &visit.texts.doctor;
    let main = html! {
        (parts::error_summary(visit, errors))
        h1 #(field::WHOLE) { (texts.title) }
        p { (texts.means) " " (texts.nothing_kept) }
        @if let Some(found) = found { (finding(visit, asked, found)) }
        form method="post" action=(visit.to("doctor")) {
            (parts::token(visit))
            h2 { (texts.whose) }
            (whose(visit, directory, asked, errors))
            h2 { (texts.request) }
            (Field { name: "headers", label: texts.headers, hint: texts.headers_means, value: &asked.headers }.area(errors))
            (Field { name: "body", label: texts.body, hint: texts.body_means, value: &asked.body }.area(errors))
            details.choose open[asked.is_base64 || !asked.received.is_empty() || errors.of("received").is_some()] {
                summary { (texts.more) }
                p.hint { (texts.line_ends) }
                div.field {
                    div.check {
                        input #base64 type="checkbox" name="base64" value="true" aria-describedby="base64-hint" checked[asked.is_base64];
                        label for="base64" { (texts.base64) }
                    }
                    p.hint #base64-hint { (texts.base64_means) }
                }
                (Field { name: "received", label: texts.received, hint: texts.received_means, value: &asked.received }.input(errors, "datetime-local", None))
            }
            button.primary type="submit" { (texts.ask) }
        }
    };
    Shown::page(texts.title, main)
}

fn whose(visit: &Visit<'_>, directory: &Directory, asked: &Question, errors: &Errors) -> Markup {
    let texts = &visit.texts.doctor;
    let webhook =
        Field { name: "webhook_id", label: texts.webhook, hint: texts.webhook_means, value: &asked.webhook_id };
    let titles: Vec<_> = directory.all().map(|listed| (listed.id.as_str(), listed.title())).collect();
    let listed = titles.iter().map(|(id, title)| (*id, title.as_str()));
    let choices: Vec<_> = [("", texts.no_webhook)].into_iter().chain(listed).collect();
    html! {
        @if directory.is_complete { (webhook.select(errors, &choices)) } @else { (webhook.input(errors, "text", None)) }
        (Field { name: "secret", label: texts.secret, hint: texts.secret_means, value: &asked.secret }.input(errors, "text", None))
    }
}

fn finding(visit: &Visit<'_>, asked: &Question, found: &Finding) -> Markup {
    let texts = &visit.texts.doctor;
    let Finding { verdict, told, tried } = found;
    // Whoever pastes a request has kept it, so that it is old says nothing where he did not say when it came.
    let is_kept = verdict.cause == Some(Cause::TimestampOld) && asked.received.is_empty();
    let (kind, (title, means)) = match verdict.cause {
        _ if asked.webhook_id.is_empty() && (verdict.valid || is_kept) => ("good", texts.good_by_secret),
        _ if verdict.valid => ("good", texts.good),
        Some(_) if is_kept => ("good", texts.good_then),
        Some(cause) => ("bad", (texts.cause)(cause)),
        None => ("bad", (texts.unknown_cause, "")),
    };
    let fits = verdict.valid
        || verdict.cause.is_some_and(|cause| matches!(cause, Cause::TimestampOld | Cause::TimestampInFuture));
    html! {
        div.notice.(kind) role="status" {
            h2 { (title) }
            p { (means) }
            @match told {
                Told::CarriageReturns if fits => p { (texts.with_returns) },
                Told::NoLastLineEnd if fits => p { (texts.without_last_line_end) },
                _ if !fits && *tried > 1 => p { (texts.line_ends_tried) },
                _ => {},
            }
            @if kind == "bad" && !verdict.explanation.is_empty() {
                details { summary { (texts.exactly) } p lang="en" { (verdict.explanation) } }
            }
        }
    }
}
