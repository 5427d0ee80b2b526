//! What became of an event at one webhook, what that means, and what to do.

use maud::{Markup, html};
use postrider_domain::delivery::Status;
use postrider_domain::withheld::NotDelivered;

use super::filtered::Explained;
use super::{Delivery, Event};
use crate::directory::{Directory, Listed};
use crate::parts;
use crate::prose;
use crate::session::Capability;
use crate::standing;
use crate::time;
use crate::visit::Visit;

/// A webhook, or a job's own address, and what became of the event there.
pub(super) enum Row<'a> {
    /// It has a delivery.
    Delivery { delivery: &'a Delivery, listed: Option<&'a Listed> },
    /// It was not sent it.
    Missed { webhook_id: &'a str, reason: NotDelivered, listed: Option<&'a Listed> },
    /// It has neither yet.
    UnderWay { listed: &'a Listed },
}

impl Row<'_> {
    pub(super) fn status(&self) -> Option<Status> {
        match self {
            Self::Delivery { delivery, .. } => Some(delivery.status),
            Self::UnderWay { .. } => Some(Status::Pending),
            Self::Missed { .. } => None,
        }
    }

    pub(super) fn is_of_deleted(&self) -> bool {
        matches!(self, Self::Missed { reason: NotDelivered::Deleted, .. })
    }

    pub(super) fn webhook_id(&self) -> &str {
        match self {
            Self::Delivery { delivery, .. } => delivery.webhook_id.as_deref().unwrap_or_default(),
            Self::Missed { webhook_id, .. } => webhook_id,
            Self::UnderWay { listed } => &listed.id,
        }
    }

    /// What most wants looking at comes first.
    fn place(&self) -> u8 {
        match self.status() {
            Some(Status::Failed) => 0,
            None => 1,
            Some(Status::Cancelled) => 2,
            Some(Status::Retrying) => 3,
            Some(Status::Pending) => 4,
            Some(Status::Succeeded) => 5,
        }
    }
}

/// A row for each webhook of a page. On the first one those that the API names nowhere are there as well: their delivery is about to be
/// made.
pub(super) fn rows<'a>(event: &'a Event, directory: &'a Directory, is_first: bool) -> Vec<Row<'a>> {
    let listed = |id: &str| directory.get(id);
    let of_delivery =
        |delivery: &'a Delivery| Row::Delivery { delivery, listed: delivery.webhook_id.as_deref().and_then(listed) };
    let mut rows: Vec<Row<'a>> = event.deliveries.iter().map(of_delivery).collect();
    rows.extend(event.not_delivered.iter().map(|missed| Row::Missed {
        webhook_id: &missed.webhook_id,
        reason: missed.reason,
        listed: listed(&missed.webhook_id),
    }));
    let is_whole = is_first && event.pagination.next_cursor.is_none() && directory.is_complete;
    if is_whole && event.is_for_all() && event.expunged_at.is_none() {
        let is_named = |one: &Listed| rows.iter().any(|row| row.webhook_id() == one.id);
        let others: Vec<_> = directory.all().filter(|one| !is_named(one)).collect();
        rows.extend(others.into_iter().map(|listed| Row::UnderWay { listed }));
    }
    rows.sort_by_key(Row::place);
    rows
}

/// A row as a card.
pub(super) fn card(visit: &Visit<'_>, event: &Event, row: &Row<'_>, explained: &Explained) -> Markup {
    let texts = &visit.texts.event;
    html! {
        li.card {
            @match row {
                Row::Delivery { delivery, listed } => {
                    h3 { (named(visit, delivery.webhook_id.as_deref(), *listed)) }
                    p { (standing::badge(visit, delivery.status)) " " (said(visit, delivery)) }
                    p { a href=(visit.to(&format!("deliveries/{}", delivery.id))) { (texts.attempts) } }
                }
                Row::Missed { webhook_id, reason, listed } => {
                    @let (holds, means) = (texts.why)(*reason);
                    h3 { (named(visit, Some(webhook_id), *listed)) }
                    p { (parts::badge("idle", texts.not_sent_to_it)) " " strong { (holds) } }
                    p { (means) }
                    @if let Some(why) = explained.of(webhook_id) { p { (texts.at_what) " " span lang="en" { (why) } } }
                    (actions(visit, event, webhook_id, *reason, *listed))
                }
                Row::UnderWay { listed } => {
                    h3 { (named(visit, Some(&listed.id), Some(listed))) }
                    p { (parts::badge("warn", texts.under_way)) " " (texts.under_way_means) }
                }
            }
        }
    }
}

fn named(visit: &Visit<'_>, webhook_id: Option<&str>, listed: Option<&Listed>) -> Markup {
    let texts = &visit.texts.event;
    html! {
        @match (webhook_id, listed) {
            (Some(id), Some(listed)) => {
                a href=(visit.to(&format!("webhooks/{id}"))) { (listed.name.as_ref().unwrap_or(&listed.url)) }
                @if listed.name.is_some() { " " small { (listed.url) } }
            }
            (Some(id), None) => { (id) },
            (None, _) => { (texts.to_job) },
        }
    }
}

/// A delivery in a sentence or two.
fn said(visit: &Visit<'_>, delivery: &Delivery) -> Markup {
    let (texts, words) = (&visit.texts.event, &visit.texts.ledger);
    html! {
        @match delivery.status {
            Status::Succeeded => { ((texts.taken)(delivery.attempts)) }
            Status::Pending if delivery.attempts == 0 => { (texts.not_tried) }
            Status::Pending | Status::Retrying => { ((texts.tried)(delivery.attempts)) }
            Status::Failed | Status::Cancelled => {
                @if let Some(reason) = delivery.reason { (prose::line((words.reason)(reason))) }
            }
        }
        @if let Some(cause) = delivery.waiting_for { " " (prose::line((words.cause)(cause))) }
        @if let Some(at) = delivery.next_attempt_at { " " (texts.next_attempt) " " (time::shown(at)) "." }
    }
}

/// What whoever reads this can do about it.
fn actions(
    visit: &Visit<'_>,
    event: &Event,
    webhook_id: &str,
    reason: NotDelivered,
    listed: Option<&Listed>,
) -> Markup {
    let texts = &visit.texts.event;
    let (sends, edits) = (visit.may(Capability::Send), visit.may(Capability::Edit));
    let can_be_sent = event.data.is_some() && !matches!(reason, NotDelivered::Deleted | NotDelivered::Dialect);
    let is_disabled = listed.is_some_and(|listed| !listed.is_active());
    let missed_more = matches!(reason, NotDelivered::CreatedLater | NotDelivered::ChangedSince);
    let of_webhook = |rest: &str| visit.to(&format!("webhooks/{webhook_id}/{rest}"));
    html! {
        @if can_be_sent && is_disabled { p { (texts.is_disabled) } }
        div.actions {
            @if can_be_sent && sends && !is_disabled {
                form.inline method="post" action=(visit.to(&format!("events/{}/send", event.id))) {
                    (parts::token(visit))
                    input type="hidden" name="webhook_id" value=(webhook_id);
                    button.plain type="submit" { (texts.send) }
                }
            }
            @if missed_more && sends && !is_disabled { a href=(of_webhook("recover")) { (texts.send_missed) } }
            @if reason == NotDelivered::NotSubscribed && edits { a href=(of_webhook("edit")) { (texts.mend_types) } }
            @if reason == NotDelivered::Filtered && edits { a href=(of_webhook("edit")) { (texts.mend_filter) } }
        }
    }
}
