//! What a webhook asks for, and how it is sent to.

use maud::{Markup, html};

use crate::answers::Webhook;
use crate::json;
use crate::time;
use crate::visit::Visit;

pub(super) fn shown(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhook.settings;
    html! {
        section {
            h2 #settings { (texts.title) }
            dl.facts {
                (fact(texts.url, html! { code { (webhook.url) } }))
                @if let Some(text) = &webhook.description { (fact(texts.description, html! { (text) })) }
                (fact(texts.events, html! { @for event in &webhook.events { code { (event) } " " } }))
                @if let Some(filter) = &webhook.filter { (fact(texts.filter, html! { pre { code { (json::pretty(filter.get())) } } })) }
                @if !webhook.headers.is_empty() {
                    (fact(texts.headers, html! {
                        @for name in webhook.headers.keys() { code { (name) } " " }
                        small { (texts.headers_mean) }
                    }))
                }
                @if let Some(limit) = webhook.rate_limit { (fact(texts.rate_limit, html! { ((texts.a_second)(limit)) })) }
                @if let Some(seconds) = webhook.timeout_seconds { (fact(texts.timeout, html! { ((texts.seconds)(seconds)) })) }
                @if let Some(schedule) = &webhook.retry_schedule { (fact(texts.retries, retries(visit, schedule))) }
                @if let Some(text) = &webhook.content_type { (fact(texts.content_type, html! { code { (text) } })) }
                @if !webhook.metadata.is_empty() {
                    (fact(texts.metadata, html! { @for (name, text) in &webhook.metadata { code { (name) } " " (text) br; } }))
                }
                @if let Some(until) = webhook.previous_secret_until { (fact(texts.old_secret, time::shown(until))) }
                (fact(texts.created, time::shown(webhook.created_at)))
                (fact(texts.id, html! { code { (webhook.id) } }))
            }
        }
    }
}

/// The waits before each retry.
pub(super) fn retries(visit: &Visit<'_>, schedule: &[u64]) -> Markup {
    let texts = &visit.texts.webhook.settings;
    let waits: Vec<_> = schedule.iter().map(|seconds| wait(*seconds)).collect();
    html! { @if waits.is_empty() { (texts.no_retries) } @else { (waits.join(", ")) } }
}

/// Seconds in the widest unit that is whole.
fn wait(seconds: u64) -> String {
    match seconds {
        0 => "0 s".to_owned(),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

fn fact(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_as_people_count_them() {
        let told = [5, 60, 300, 7200, 90, 86_400, 0].map(wait);
        assert_eq!(told, ["5 s", "1 min", "5 min", "2 h", "90 s", "24 h", "0 s"]);
    }
}
