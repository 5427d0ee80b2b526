//! How a webhook is doing: its state in words, how much of what has ended was delivered, and what the last attempts came to.

use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use postrider_domain::delivery::Status;
use postrider_domain::endpoint::parking::State;
use postrider_host::clock;

use super::deliveries::Found;
use crate::answers::{Delivery, Stats, Webhook};
use crate::chart;
use crate::pages::field;
use crate::parts;
use crate::prose;
use crate::time;
use crate::visit::Visit;

/// The time that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As a query has it; a day where it has none.
    pub(super) fn named(name: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|span| Some(span.name()) == name).unwrap_or(Self::Day)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn called(self, visit: &Visit<'_>) -> &'static str {
        let texts = &visit.texts.webhook.health;
        match self {
            Self::Day => texts.day,
            Self::Week => texts.week,
            Self::Month => texts.month,
        }
    }

    /// When it begins.
    pub(super) fn since(self, now: Timestamp) -> Timestamp {
        let hours = match self {
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Month => 30 * 24,
        };
        now.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(now)
    }
}

/// What became of the deliveries of this time; nothing where they cannot be counted just now, which is no reason to show nothing else.
pub(super) async fn counted(visit: &Visit<'_>, id: &str, span: Span) -> Option<Stats> {
    let since = field::wire(span.since(clock::now()));
    visit.get(&["v1", "webhooks", id, "stats"], &[("since", &since)]).await.ok()
}

/// A webhook's state, as a badge.
pub(crate) fn state(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhook.health;
    match &webhook.parking {
        _ if !webhook.is_active() => parts::badge("idle", texts.paused),
        None if webhook.failing_since.is_some() => parts::badge("bad", texts.failing),
        None => parts::badge("good", texts.active),
        Some(parking) if parking.state == State::Down => parts::badge("bad", texts.down),
        Some(_) => parts::badge("warn", texts.draining),
    }
}

pub(super) fn shown(visit: &Visit<'_>, webhook: &Webhook, stats: Option<&Stats>, span: Span, found: &Found) -> Markup {
    let texts = &visit.texts.webhook.health;
    let path = format!("webhooks/{}", webhook.id);
    let of_span = |span: Span| visit.to(&parts::with_query(&path, &[("span", span.name())]));
    let of_outcome =
        |outcome: &str| visit.to(&format!("{}#deliveries", parts::with_query(&path, &[("outcome", outcome)])));
    html! {
        section {
            h2 { (texts.title) }
            (why(visit, webhook))
            @if webhook.retry_schedule.as_ref().is_some_and(Vec::is_empty) {
                p.notice.warn { (texts.never_retried) " " a href="#settings" { (visit.texts.webhook.settings.title) } "." }
            }
            p.spans {
                (texts.span) ": "
                @for one in Span::ALL { a href=(of_span(one)) aria-current=[(one == span).then_some("true")] { (one.called(visit)) } " " }
            }
            @match stats {
                Some(stats) => {
                    (facts(visit, stats, found))
                    (chart::outcomes_in_time(visit.texts, stats))
                    @if !stats.outcomes.is_empty() {
                        (chart::outcomes(visit.texts, stats, of_outcome))
                        (chart::durations(visit.texts, stats))
                    }
                }
                None => (parts::notice("warn", texts.not_counted)),
            }
        }
    }
}

/// Why nothing arrives, where nothing does.
fn why(visit: &Visit<'_>, webhook: &Webhook) -> Markup {
    let texts = &visit.texts.webhook.health;
    html! {
        @if !webhook.is_active() {
            p.notice.idle {
                (texts.paused)
                @if let Some(at) = webhook.disabled_at { " " (texts.since) " " (time::shown(at)) }
                @if let Some(reason) = &webhook.disabled_reason { ": " span lang="en" { (reason) } }
            }
        } @else if let Some(parking) = &webhook.parking {
            p.notice.warn {
                (texts.since) " " (time::shown(parking.since)) ": "
                (prose::line((visit.texts.ledger.cause)(parking.cause)))
                @if let Some(at) = parking.next_probe_at { " " (texts.next_probe) " " (time::shown(at)) "." }
            }
        } @else if let Some(at) = webhook.failing_since {
            p.notice.bad { (texts.failing_since) " " (time::shown(at)) "." }
        }
    }
}

fn facts(visit: &Visit<'_>, stats: &Stats, found: &Found) -> Markup {
    let texts = &visit.texts.webhook.health;
    html! {
        dl.facts {
            div {
                dt { (texts.success_rate) }
                dd { @match stats.success_rate { Some(rate) => (parts::percent(rate)), None => (texts.nothing_ended) } }
            }
            div { dt { (texts.failed) } dd { (stats.of_status(Status::Failed)) } }
            div { dt { (texts.waiting) } dd { (stats.waiting()) } }
            div { dt { (texts.last_failure) } dd { (last_failure(visit, &found.deliveries)) } }
        }
    }
}

/// Of the deliveries that are listed, the newest one whose last attempt failed.
fn last_failure(visit: &Visit<'_>, listed: &[Delivery]) -> Markup {
    let failed = |delivery: &&Delivery| delivery.attempts.last().is_some_and(|attempt| attempt.outcome != "succeeded");
    let found = listed.iter().find(failed).and_then(|delivery| Some((delivery, delivery.attempts.last()?)));
    html! {
        @match found {
            Some((delivery, attempt)) => {
                a href=(visit.to(&format!("deliveries/{}", delivery.id))) { (chart::outcome_in_words(visit.texts, &attempt.outcome)) }
                " " (time::shown(attempt.at))
            }
            None => (visit.texts.webhook.health.no_failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_day_unless_it_is_named() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (name, since) in [
            (None, "2026-01-30T12:00:00Z"),
            (Some("day"), "2026-01-30T12:00:00Z"),
            (Some("week"), "2026-01-24T12:00:00Z"),
            (Some("month"), "2026-01-01T12:00:00Z"),
            (Some("<script>"), "2026-01-30T12:00:00Z"),
        ] {
            assert_eq!(Span::named(name).since(now).to_string(), since, "{name:?}");
        }
    }
}
