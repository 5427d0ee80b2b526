//! What became of a page of events. The list of events does not say, and asking for each of them would be a call for each: so the
//! deliveries of the page's time are read, webhook by webhook where there are few, or else those that are undelivered.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use postrider_domain::delivery::Status;
use serde::Deserialize;

use super::Event;
use crate::answers::Pagination;
use crate::directory::Directory;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Visit};

/// Webhooks whose deliveries are read: each is a call.
const MOST_WEBHOOKS: usize = 6;
/// More than one for each event of a page, as the API takes it.
const OF_EACH: usize = 50;
/// As many as the API lists at once.
const UNDELIVERED: usize = 200;

/// What was read.
#[derive(Debug)]
pub(crate) struct Outcomes {
    read: Read,
    /// How many deliveries of an event stand so.
    by_event: BTreeMap<String, BTreeMap<&'static str, usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// All deliveries to webhooks.
    All,
    /// Some of them.
    Some,
    /// All that are undelivered.
    Undelivered,
}

/// What became of one event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Became {
    /// It was not read.
    Unread,
    /// None of the webhooks that there are now has a delivery of it.
    SentToNobody,
    /// It has none that is undelivered.
    NothingUndelivered,
    /// So many deliveries of each status.
    Sent(BTreeMap<&'static str, usize>),
}

#[derive(Debug, Default, Deserialize)]
struct Page {
    deliveries: Vec<Delivery>,
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Debug, Deserialize)]
struct Delivery {
    event_id: String,
    status: Status,
}

impl Outcomes {
    /// What became of these events, of which all are of one type where one was asked for.
    ///
    /// # Errors
    /// Where the session has ended. Whatever else goes wrong leaves the list as it is.
    pub(crate) async fn of(
        visit: &Visit<'_>,
        directory: &Directory,
        event: &str,
        events: &[Event],
    ) -> Result<Self, Trouble> {
        let Some((since, until)) = span(events) else { return Ok(Self::unread()) };
        let (since, until) = (since.to_string(), until.to_string());
        let (of_each, undelivered) = (OF_EACH.to_string(), UNDELIVERED.to_string());
        let mut query = vec![("since", since.as_str()), ("until", until.as_str())];
        query.extend(Some(("event", event)).filter(|_| !event.is_empty()));
        if directory.is_complete && directory.len() <= MOST_WEBHOOKS {
            query.push(("limit", &of_each));
            let of_each = async |id: &str| visit.get::<Page>(&["v1", "webhooks", id, "deliveries"], &query).await;
            let pages =
                stream::iter(directory.all()).map(|listed| of_each(&listed.id)).buffered(AT_ONCE).collect().await;
            return Self::read(Read::All, pages);
        }
        // Whoever sees some webhooks alone has no list of all.
        if !visit.session.sees_all() {
            return Ok(Self::unread());
        }
        query.extend([("status", "undelivered"), ("limit", &undelivered)]);
        Self::read(Read::Undelivered, vec![visit.get::<Page>(&["v1", "deliveries"], &query).await])
    }

    fn read(what: Read, pages: Vec<Result<Page, Trouble>>) -> Result<Self, Trouble> {
        let mut read = Self { read: what, by_event: BTreeMap::new() };
        for page in pages {
            match page {
                Ok(page) => {
                    if page.pagination.next_cursor.is_some() {
                        read.read = Read::Some;
                    }
                    page.deliveries.iter().for_each(|delivery| read.add(delivery));
                }
                Err(Trouble::Ended) => return Err(Trouble::Ended),
                Err(_) => read.read = Read::Some,
            }
        }
        Ok(read)
    }

    fn add(&mut self, delivery: &Delivery) {
        let counts = self.by_event.entry(delivery.event_id.clone()).or_default();
        *counts.entry(delivery.status.as_str()).or_default() += 1;
    }

    fn unread() -> Self {
        Self { read: Read::Some, by_event: BTreeMap::new() }
    }

    pub(crate) fn is_of_undelivered(&self) -> bool {
        self.read == Read::Undelivered
    }

    pub(crate) fn of_event(&self, event: &Event) -> Became {
        let is_known = || self.by_event.get(&event.id);
        // What tells of a job's end goes to the job's own address, and stands under no webhook.
        let is_of_job = event.event.starts_with("job.");
        match (self.read, is_known()) {
            (Read::All | Read::Undelivered, Some(counts)) => Became::Sent(counts.clone()),
            (Read::All, None) if !is_of_job => Became::SentToNobody,
            (Read::Undelivered, None) => Became::NothingUndelivered,
            (Read::All | Read::Some, _) => Became::Unread,
        }
    }
}

/// From the oldest to behind the newest of them.
fn span(events: &[Event]) -> Option<(Timestamp, Timestamp)> {
    let times = || events.iter().map(|event| event.timestamp);
    let until = times().max()?.checked_add(SignedDuration::from_millis(1)).ok()?;
    Some((times().min()?, until))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(id: &str, event: &str) -> Event {
        serde_json::from_value(json!({"id": id, "event": event, "timestamp": "2026-01-15T14:30:00.123Z"})).unwrap()
    }

    fn page(deliveries: &[(&str, &str)], next: Option<&str>) -> Result<Page, Trouble> {
        let deliveries: Vec<_> =
            deliveries.iter().map(|(id, status)| json!({"event_id": id, "status": status})).collect();
        Ok(serde_json::from_value(json!({"deliveries": deliveries, "pagination": {"next_cursor": next}})).unwrap())
    }

    fn sent(counts: &[(&'static str, usize)]) -> Became {
        Became::Sent(counts.iter().copied().collect())
    }

    #[test]
    fn an_events_deliveries_are_counted_over_all_webhooks() {
        let pages = vec![
            page(&[("a", "succeeded"), ("b", "failed")], None),
            page(&[("a", "succeeded"), ("a", "pending")], None),
        ];
        let read = Outcomes::read(Read::All, pages).unwrap();
        assert_eq!(read.of_event(&event("a", "x")), sent(&[("pending", 1), ("succeeded", 2)]));
        assert_eq!(read.of_event(&event("b", "x")), sent(&[("failed", 1)]));
        assert_eq!(read.of_event(&event("c", "x")), Became::SentToNobody);
        assert_eq!(read.of_event(&event("c", "job.completed")), Became::Unread);
    }

    #[test]
    fn nothing_is_said_of_what_was_not_read() {
        for pages in [
            vec![page(&[("a", "succeeded")], Some("more"))],
            vec![page(&[("a", "succeeded")], None), Err(Trouble::Busy)],
        ] {
            let read = Outcomes::read(Read::All, pages).unwrap();
            assert_eq!(
                (read.of_event(&event("a", "x")), read.of_event(&event("c", "x"))),
                (Became::Unread, Became::Unread)
            );
        }
        let read = Outcomes::read(Read::Undelivered, vec![page(&[("a", "failed")], None)]).unwrap();
        assert!(read.is_of_undelivered());
        assert_eq!(
            (read.of_event(&event("a", "x")), read.of_event(&event("c", "x"))),
            (sent(&[("failed", 1)]), Became::NothingUndelivered)
        );
        assert_eq!(Outcomes::read(Read::All, vec![Err(Trouble::Ended)]).unwrap_err(), Trouble::Ended);
    }

    #[test]
    fn a_page_spans_the_times_of_its_events() {
        assert_eq!(span(&[]), None);
        let (since, until) = span(&[event("a", "x")]).unwrap();
        assert_eq!(
            (since.to_string(), until.to_string()),
            ("2026-01-15T14:30:00.123Z".to_owned(), "2026-01-15T14:30:00.124Z".to_owned())
        );
    }
}
