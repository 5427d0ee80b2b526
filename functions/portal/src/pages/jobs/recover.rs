//! Telling again how jobs ended: counted first, then sent, then watched.

use maud::{Markup, html};
use postrider_domain::recovery::Progress;
use serde_json::{Value, json};

use super::kind::Kind;
use crate::answers::{Recovery, RecoveryBegun, RecoveryCount};
use crate::form::{Errors, Form};
use crate::pages::field::{self, Field};
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The span, as it was typed.
#[derive(Debug, Default)]
struct Span {
    since: String,
    until: String,
}

impl Span {
    fn of(form: &Form) -> Self {
        Self { since: form.text("since"), until: form.text("until") }
    }

    /// As the API takes it; what is amiss is told by its field.
    fn read(&self, visit: &Visit<'_>, errors: &mut Errors) -> Value {
        let mut asked = serde_json::Map::new();
        for (name, text) in [("since", &self.since), ("until", &self.until)] {
            match field::time_of(text) {
                Some(at) => asked.extend([(name.to_owned(), json!(at.to_string()))]),
                None if !text.is_empty() => errors.add(name, visit.texts.events.no_time),
                None if name == "since" => errors.add(name, visit.texts.jobs.needs_since),
                None => {}
            }
        }
        Value::Object(asked)
    }
}

fn kind(visit: &Visit<'_>) -> Result<Kind, Trouble> {
    Kind::named(visit.variables[0]).ok_or(Trouble::NotFound)
}

/// The form.
pub(crate) async fn form(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    Ok(page(visit, kind(visit)?, &Span::default(), &Errors::default(), None))
}

/// Counts, or begins where that was asked for.
pub(crate) async fn ask(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (kind, span, mut errors) = (kind(visit)?, Span::of(&visit.form), Errors::default());
    let mut asked = span.read(visit, &mut errors);
    if !errors.is_empty() {
        return Ok(page(visit, kind, &span, &errors, None).with_status(422));
    }
    let is_begun = visit.form.has("begin");
    let answered = if is_begun {
        kind.recover::<RecoveryBegun>(visit, &asked)
            .await
            .map(|begun| Shown::see(format!("jobs/{}/recover/{}", kind.name(), begun.recovery_id)))
    } else {
        asked["count_only"] = json!(true);
        kind.recover::<RecoveryCount>(visit, &asked)
            .await
            .map(|counted| page(visit, kind, &span, &errors, Some(&counted)))
    };
    match answered {
        Ok(shown) => Ok(shown),
        Err(trouble) => {
            let status = trouble.status();
            let errors = field::kept(visit, trouble, &["since", "until"])?;
            Ok(page(visit, kind, &span, &errors, None).with_errors(&errors, status))
        }
    }
}

fn page(visit: &Visit<'_>, kind: Kind, span: &Span, errors: &Errors, counted: Option<&RecoveryCount>) -> Shown {
    let (texts, action) = (&visit.texts.jobs, visit.to(&format!("jobs/{}/recover", kind.name())));
    let in_utc = visit.texts.events.in_utc;
    let main = html! {
        (parts::error_summary(visit, errors))
        p { a href=(visit.to("jobs")) { (texts.to_jobs) } }
        h1 #(field::WHOLE) { (texts.recover) }
        p { (texts.recover_means) }
        @if let Some(counted) = counted { (told(visit, &action, span, counted)) }
        form method="post" action=(&action) {
            (parts::token(visit))
            (Field { name: "since", label: texts.since, hint: in_utc, value: &span.since }.input(errors, "datetime-local", None))
            (Field { name: "until", label: texts.until, hint: in_utc, value: &span.until }.input(errors, "datetime-local", None))
            div.actions { button.(if counted.is_some() { "plain" } else { "primary" }) type="submit" { (texts.count) } }
        }
    };
    Shown::page(texts.recover, main)
}

/// How much it is, and the button that sends it: of the span that was counted, whatever stands in the fields meanwhile.
fn told(visit: &Visit<'_>, action: &str, span: &Span, counted: &RecoveryCount) -> Markup {
    let texts = &visit.texts.jobs;
    let text = match counted {
        RecoveryCount { found: 0, complete: true } => texts.nothing_to_recover.to_owned(),
        RecoveryCount { found, complete: true } => (texts.counted)(*found),
        RecoveryCount { found, .. } => (texts.counted_at_least)(*found),
    };
    html! {
        div.confirm role="status" {
            p { strong { (text) } }
            @if counted.found > 0 {
                form method="post" action=(action) {
                    (parts::token(visit))
                    @for (name, value) in [("since", &span.since), ("until", &span.until)] { input type="hidden" name=(name) value=(value); }
                    button.primary type="submit" name="begin" value="true" { ((texts.recover_now)(counted.found)) }
                }
            }
        }
    }
}

/// How far one has come.
pub(crate) async fn watch(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (kind, texts) = (kind(visit)?, &visit.texts.jobs);
    let recovery: Recovery = kind.recovery(visit, visit.variables[1]).await?;
    let here = format!("jobs/{}/recover/{}", kind.name(), visit.variables[1]);
    let is_running = recovery.status == Progress::Running;
    let part = html! {
        div data-final[!is_running] {
            (parts::notice(if is_running { "idle" } else { "good" }, if is_running { texts.recovery_running } else { texts.recovery_done }))
            dl.facts {
                div { dt { (texts.found) } dd { (recovery.found) } }
                div { dt { (texts.requeued) } dd { (recovery.requeued) } }
            }
        }
    };
    if visit.is_for_script() {
        return Ok(Shown::Part(part));
    }
    let main = html! {
        p { a href=(visit.to("jobs")) { (texts.to_jobs) } }
        h1 { (texts.recovery) }
        @if is_running { (parts::look_again(visit, &here)) }
        (parts::watched(visit, &here, !is_running, part))
    };
    Ok(Shown::page(texts.recovery, main))
}
