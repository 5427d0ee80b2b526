//! The spans of a turn's works, where an operator has events traced: each follows from the one in which its event was published, and
//! the messages of its deliveries name it.

use postrider_domain::traceparent::Traceparent;
use postrider_host::traces::{Span, Told, Traces};

use crate::stretch::{Outcome, Work};

/// A span for each work, in their order; none where nothing is traced.
pub(crate) struct Spans(Vec<Option<Span>>);

impl Spans {
    /// Begins them. What is only announced has none.
    pub(crate) fn of(traces: &Traces, works: &[Work<'_>]) -> Self {
        let span = |work: &Work<'_>| {
            let is_sent = work.event.announce.is_none();
            is_sent.then(|| traces.published(work.event)).flatten()
        };
        Self(works.iter().map(span).collect())
    }

    /// What the messages of a work's deliveries follow from.
    pub(crate) fn of_work(&self, number: usize) -> Option<Traceparent> {
        self.0.get(number)?.map(|span| span.at)
    }

    /// Ends them.
    pub(crate) fn end(&self, traces: &Traces, works: &[Work<'_>], outcomes: &[Outcome]) {
        for ((span, work), outcome) in self.0.iter().zip(works).zip(outcomes) {
            let Some(span) = span else { continue };
            let about = [("tenant_id", work.event.tenant_id.as_str()), ("event_id", work.event.id.as_str())];
            traces.end(span, Told { about: &about, failed: outcome.has_failed(), post: None });
        }
    }
}
