//! One attempt: what came of it, in a sentence, what to do about it, and what was answered.

use maud::{Markup, html};

use crate::answers::{Attempt, Map};
use crate::chart;
use crate::pages::message;
use crate::prose;
use crate::time;
use crate::visit::Visit;

/// `is_open` for one whose answer is unfolded: where it failed, the answer mostly says why.
pub(super) fn shown(visit: &Visit<'_>, attempt: &Attempt, is_open: bool) -> Markup {
    let texts = &visit.texts.delivery;
    let (happened, advice) = visit.texts.ledger.advice(&attempt.outcome, attempt.error.as_deref());
    let kind = if attempt.outcome == "succeeded" { "good" } else { "bad" };
    html! {
        article.attempt {
            h3 { ((texts.attempt)(attempt.number)) " " span.badge.(kind) { (chart::outcome_in_words(visit.texts, &attempt.outcome)) } }
            p { (time::shown(attempt.at)) " · " (texts.took) " " (attempt.duration_ms) " ms" }
            p { (prose::line(happened)) }
            @if attempt.outcome != "succeeded" && !advice.is_empty() { p { strong { (texts.advice) } " " (prose::line(advice)) } }
            dl.facts {
                @if let Some(error) = &attempt.error { (fact(texts.error, html! { span lang="en" { (error) } })) }
                @if let Some(url) = &attempt.url { (fact(texts.sent_to, html! { code { (url) } })) }
                @if let Some(status) = attempt.status_code { (fact(texts.answer_status, html! { (status) })) }
                @if let Some(url) = &attempt.redirect_to { (fact(texts.redirect, html! { code { (url) } })) }
            }
            (answer(visit, attempt, is_open))
        }
    }
}

/// What is kept of a failure's answer.
fn answer(visit: &Visit<'_>, attempt: &Attempt, is_open: bool) -> Markup {
    let texts = &visit.texts.delivery;
    let headers: Map =
        attempt.response_headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    html! {
        @if attempt.response_excerpt.is_some() || !headers.is_empty() {
            details open[is_open] {
                summary { (texts.response) }
                (message::headers(texts.response_headers, &headers))
                @match &attempt.response_excerpt {
                    Some(excerpt) => (message::body(texts.body, excerpt)),
                    None => p.soft { (texts.no_excerpt) },
                }
            }
        }
    }
}

fn fact(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}
