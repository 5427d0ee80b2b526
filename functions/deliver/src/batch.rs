//! A batch of attempts: what it was told, until when it must be done, and what it has noted about endpoints.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use postrider_aws::briefing::Briefing;
use postrider_aws::deadline;
use postrider_domain::id::EndpointId;

use crate::health::Fact;

/// Time that must be left after an attempt's time-out, so that its outcome can be recorded.
const MARGIN: Duration = Duration::from_secs(15);

/// What the attempts of a batch share.
pub(crate) struct Batch {
    pub(crate) briefing: Briefing,
    pub(crate) slow: Noted<EndpointId>,
    pub(crate) health: Noted<(Fact, EndpointId)>,
}

/// What was noted already: ten attempts at one endpoint have one thing to say about it, and each write that says it again
/// is paid for.
pub(crate) struct Noted<T>(Mutex<HashSet<T>>);

impl Batch {
    pub(crate) fn new(briefing: Briefing) -> Self {
        Self { briefing, slow: Noted(Mutex::default()), health: Noted(Mutex::default()) }
    }

    /// Whether an attempt that starts now can time out and still be recorded.
    pub(crate) fn has_time_for(timeout: Duration) -> bool {
        deadline::left() >= timeout + MARGIN
    }
}

impl<T: Eq + Hash> Noted<T> {
    /// Whether nobody in this batch has noted it. Should the write then fail, the endpoint's next batch says it again.
    pub(crate) fn is_new(&self, what: T) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }
}
