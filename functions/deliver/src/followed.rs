//! An attempt's place in its event's trace, where an operator has events traced.

use jiff::Timestamp;
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
        let before = message.traceparent.or(event.traceparent);
        let span = traces.after(before)?;
        let url = Url::parse(&consignment.endpoint().url).ok();
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        Some(Self { span, post: span.within(), before: before.unwrap_or(span.at), host })
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

    /// Ends it, with what came of the POST from `begun` to `ended`.
    pub(crate) fn end(
        &self,
        traces: &Traces,
        consignment: &Consignment<'_>,
        sent: &Sent,
        (begun, ended): (Timestamp, Timestamp),
        failed: bool,
    ) {
        let row = consignment.delivery();
        let attempt = row.next_attempt().to_string();
        let about = [
            ("tenant_id", row.tenant_id.as_str()),
            ("event_id", row.event_id.as_str()),
            ("webhook_id", row.endpoint_id.as_str()),
            ("delivery_id", row.id.as_str()),
            ("attempt", &attempt),
            ("outcome", sent.outcome.class()),
        ];
        let (span, host, status) = (self.post.span, self.host.as_str(), sent.outcome.status());
        let post = Some(PostSpan { span, host, status, begun, ended });
        traces.end(&self.span, Told { about: &about, failed, post });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;
    use postrider_domain::delivery::Delivery;
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

    /// What follows from a message that names one of these spans at a webhook, so long after the event, and the headers of its POST.
    fn followed(named: Option<&str>, webhook: Endpoint, after: SignedDuration) -> Option<(Followed, Vec<String>)> {
        let published = sample::event(webhook.tenant_id.clone());
        let event = Event { traceparent: PUBLISHED.parse().ok(), ..published };
        let at = event.timestamp;
        let row = Delivery::pending(&event, webhook.id.clone(), at, 0);
        let message = Message::first(&row).following(named.and_then(|named| named.parse().ok()));
        let mut seen = Snapshot::default();
        let tenant = Tenant::bare(row.tenant_id.clone(), "a".to_owned(), Plan::Pro, at);
        seen.tenants.file(row.tenant_id.clone(), Some(tenant));
        seen.endpoints.file((row.tenant_id.clone(), row.endpoint_id.clone()), Some(webhook.clone()));
        seen.events.file(message.event_key(), Some(event));
        let Verdict::Send(consignment) = seen.verdict(&message, &row) else { panic!("nothing is in its way") };
        let followed = Followed::of(&Traces::to("pr-deliver", None), &message, &consignment, at + after)?;
        let headers = webhook.headers.into_iter().collect();
        let (body, hidden, timeout) = (Vec::new(), Hidden::new(Vec::new(), Vec::new()), Duration::from_secs(1));
        let mut post = Post { url: webhook.url, headers, body, hidden, timeout, is_last: false };
        followed.name_in(&mut post, &consignment);
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
