//! An attempt's place in its event's trace, where an operator has events traced.

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::message::Message;
use postrider_domain::segment::PostSpan;
use postrider_domain::snapshot::Consignment;
use postrider_domain::traceparent::{FOLLOWED, NAME, Traceparent};
use postrider_host::traces::{Span, Told, Traces};
use reqwest::Url;

use crate::sender::{Post, Sent};

/// The span of an attempt, and the POST's within it.
pub(crate) struct Followed {
    span: Span,
    post: Traceparent,
    /// What the next attempt follows from as well: all of a delivery's lie side by side.
    before: Traceparent,
    /// Whom it goes to.
    host: String,
    came: Option<Came>,
}

/// What came of its POST, and from when to when it took.
struct Came {
    outcome: &'static str,
    status: Option<u16>,
    begun: Timestamp,
    ended: Timestamp,
}

impl Followed {
    /// Begins it for the message of an attempt: it follows from what the message names, or else from the publication, which the event's
    /// row names. None once the event is a day old: nothing carries a trace for as long as somebody may retry.
    pub(crate) fn of(
        traces: &Traces,
        message: &Message,
        consignment: &Consignment<'_>,
        now: Timestamp,
    ) -> Option<Self> {
        let event = consignment.event();
        if now.duration_since(event.timestamp) > FOLLOWED {
            return None;
        }
        let named = message.traceparent;
        let span = named.map_or_else(|| traces.published(event), |named| traces.after(Some(named)))?;
        // What follows from the same place is recorded if this is.
        let before = named.or(event.traceparent).map(|before| span.at.with_span(before.span));
        let url = Url::parse(&consignment.endpoint().url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        Some(Self { span, post: span.within(), before: before.unwrap_or(span.at), host, came: None })
    }

    /// Names the POST's span in its headers, if its webhook asks for that and its owner has no such header of his own.
    pub(crate) fn name_in(&self, post: &mut Post, consignment: &Consignment<'_>) {
        if consignment.endpoint().trace && !post.headers.iter().any(|(name, _)| name == NAME) {
            post.headers.push((NAME.to_owned(), self.post.to_string()));
        }
    }

    /// What the next attempt follows from.
    pub(crate) fn before(&self) -> Traceparent {
        self.before
    }

    /// Notes what came of its POST from `begun` to `ended`.
    pub(crate) fn note(&mut self, sent: &Sent, (begun, ended): (Timestamp, Timestamp)) {
        let (outcome, status) = (sent.outcome.class(), sent.outcome.status());
        self.came = Some(Came { outcome, status, begun, ended });
    }

    /// Ends it, also where we failed before there was a POST.
    pub(crate) fn end(&self, traces: &Traces, row: &Delivery, failed: bool) {
        let attempt = row.next_attempt().to_string();
        let mut about = vec![
            ("tenant_id", row.tenant_id.as_str()),
            ("event_id", row.event_id.as_str()),
            ("webhook_id", row.endpoint_id.as_str()),
            ("delivery_id", row.id.as_str()),
            ("attempt", &attempt),
        ];
        about.extend(self.came.as_ref().map(|came| ("outcome", came.outcome)));
        let post = self.came.as_ref().map(|came| {
            let Came { outcome: _, status, begun, ended } = *came;
            PostSpan { span: self.post.span, host: &self.host, status, begun, ended }
        });
        traces.end(&self.span, Told { about: &about, failed, post });
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};
    use std::time::Duration;

    use jiff::SignedDuration;
    use postrider_domain::dialect::STANDARD;
    use postrider_domain::endpoint::Endpoint;
    use postrider_domain::event::Event;
    use postrider_domain::hidden::Hidden;
    use postrider_domain::snapshot::{Snapshot, Verdict};
    use postrider_domain::tenant::{Plan, Tenant};
    use replay::{Caller, sample};

    use super::*;

    const PUBLISHED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const FANNED_OUT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01";

    /// Does something with what a message's rows come to.
    fn seen<T>(
        message: &Message,
        row: &Delivery,
        webhook: Endpoint,
        event: Event,
        work: impl FnOnce(&Consignment<'_>) -> T,
    ) -> T {
        let mut seen = Snapshot::default();
        let tenant = Tenant::bare(row.tenant_id.clone(), "a".to_owned(), Plan::Pro, event.timestamp);
        seen.tenants.file(row.tenant_id.clone(), Some(tenant));
        seen.endpoints.file((row.tenant_id.clone(), row.endpoint_id.clone()), Some(webhook));
        seen.events.file(message.event_key(), Some(event));
        let Verdict::Send(consignment) = seen.verdict(message, row) else { panic!("nothing is in its way") };
        work(&consignment)
    }

    /// What follows from a message that names one of these spans at a webhook, so long after the event, and the headers of its POST.
    fn followed(named: Option<&str>, webhook: Endpoint, after: SignedDuration) -> Option<(Followed, Vec<String>)> {
        let published = sample::event(webhook.tenant_id.clone());
        let event = Event { traceparent: PUBLISHED.parse().ok(), ..published };
        let at = event.timestamp;
        let row = Delivery::pending(&event, webhook.id.clone(), at, 0);
        let message = Message::first(&row).following(named.and_then(|named| named.parse().ok()));
        let headers = webhook.headers.clone().into_iter().collect();
        let (body, hidden, timeout) = (Vec::new(), Hidden::new(Vec::new(), Vec::new()), Duration::from_secs(1));
        let mut post = Post { url: webhook.url.clone(), headers, body, hidden, timeout, is_last: false };
        let followed = seen(&message, &row, webhook, event, |consignment| {
            let followed = Followed::of(&Traces::to("pr-deliver", None), &message, consignment, at + after)?;
            followed.name_in(&mut post, consignment);
            Some(followed)
        })?;
        let named = post.headers.into_iter().filter(|(name, _)| name == NAME).map(|(_, value)| value);
        Some((followed, named.collect()))
    }

    fn webhook(trace: bool) -> Endpoint {
        Endpoint { trace, ..sample::endpoint(Caller::of_tenant(1, &STANDARD, &[]).tenant_id()) }
    }

    #[test]
    fn an_attempt_follows_from_its_fan_out_and_without_one_from_its_publication() {
        let (soon, none) = (SignedDuration::from_secs(1), Vec::<String>::new());
        for (named, before) in [(Some(FANNED_OUT), FANNED_OUT), (None, PUBLISHED)] {
            let (followed, headers) = followed(named, webhook(false), soon).unwrap();
            assert_eq!((followed.before().to_string().as_str(), headers), (before, none.clone()));
            assert_eq!((followed.span.at.trace(), followed.host.as_str()), (followed.before.trace(), "hooks.example"));
        }
    }

    /// An attempt without a place of its own at an event that its producer asks to have recorded, taken in by us or put by himself.
    fn from_its_row(traces: &Traces, counted: bool) -> Followed {
        let webhook = webhook(false);
        let published = sample::event(webhook.tenant_id.clone());
        let event = Event { traceparent: PUBLISHED.parse().ok(), counted, ..published };
        let row = Delivery::pending(&event, webhook.id.clone(), event.timestamp, 0);
        let (message, now) = (Message::first(&row), event.timestamp);
        seen(&message, &row, webhook, event, |consignment| Followed::of(traces, &message, consignment, now)).unwrap()
    }

    #[test]
    fn a_producers_own_row_has_no_more_attempts_recorded_than_a_second_allows_and_what_follows_from_one_keeps_to_that()
    {
        let traces = Traces::to("pr-deliver", None);
        let followed: Vec<Followed> = (0..10_000).map(|_| from_its_row(&traces, false)).collect();
        assert!(followed.iter().any(|one| one.span.at.sampled) && followed.iter().any(|one| !one.span.at.sampled));
        assert!(followed.iter().all(|one| one.before.sampled == one.span.at.sampled));
        assert!((0..10_000).all(|_| from_its_row(&traces, true).span.at.sampled), "it was decided where it came in");
    }

    #[test]
    fn an_attempt_at_which_we_fail_ends_as_one_that_failed_without_a_post() {
        let daemon = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let traces = Traces::to("pr-deliver", daemon.local_addr().ok());
        let webhook = webhook(false);
        let event = sample::event(webhook.tenant_id.clone());
        let row = Delivery::pending(&event, webhook.id, event.timestamp, 0);
        from_its_row(&traces, true).end(&traces, &row, true);
        let mut datagram = [0; 65_536];
        let length = daemon.recv(&mut datagram).unwrap();
        let told = String::from_utf8(datagram[..length].to_vec()).unwrap();
        let told: serde_json::Value = serde_json::from_str(told.lines().nth(1).unwrap()).unwrap();
        assert_eq!((&told["fault"], &told["annotations"]["attempt"]), (&true.into(), &"1".into()), "{told}");
        assert!(told.get("subsegments").is_none() && told["annotations"].get("outcome").is_none(), "{told}");
    }

    #[test]
    fn a_receiver_that_asks_is_named_the_span_of_its_post() {
        let (followed, headers) = followed(Some(FANNED_OUT), webhook(true), SignedDuration::ZERO).unwrap();
        assert_eq!(headers, [followed.post.to_string()]);
        assert!(![followed.span.at, followed.before].contains(&followed.post));
    }

    #[test]
    fn a_header_of_its_owners_own_stays_alone() {
        let own = Endpoint { headers: [(NAME.to_owned(), "mine".to_owned())].into(), ..webhook(true) };
        assert_eq!(followed(None, own, SignedDuration::ZERO).unwrap().1, ["mine"]);
    }

    #[test]
    fn a_trace_is_followed_for_a_day_and_not_for_as_long_as_somebody_retries() {
        assert!(followed(Some(FANNED_OUT), webhook(true), FOLLOWED).is_some());
        assert!(followed(Some(FANNED_OUT), webhook(true), FOLLOWED + SignedDuration::from_millis(1)).is_none());
    }
}
