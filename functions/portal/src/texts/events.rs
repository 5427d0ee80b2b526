//! The list of events.

use postrider_domain::delivery::Status;

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) find: &'static str,
    pub(crate) find_means: &'static str,
    pub(crate) id: &'static str,
    pub(crate) find_it: &'static str,
    /// With the id that nobody knows.
    pub(crate) not_found: With,
    pub(crate) narrow: &'static str,
    pub(crate) event_type: &'static str,
    /// With a type.
    pub(crate) event_type_means: With,
    pub(crate) since: &'static str,
    pub(crate) until: &'static str,
    /// What times are to be given in.
    pub(crate) in_utc: &'static str,
    pub(crate) no_time: &'static str,
    pub(crate) show: &'static str,
    pub(crate) show_all: &'static str,
    pub(crate) time: &'static str,
    pub(crate) event: &'static str,
    pub(crate) deliveries: &'static str,
    pub(crate) test: &'static str,
    /// So many deliveries of a status.
    pub(crate) count: fn(Status, usize) -> String,
    /// Where none of the webhooks has a delivery.
    pub(crate) nobody: &'static str,
    /// Where what became of it was not read.
    pub(crate) unread: &'static str,
    pub(crate) nothing_amiss: &'static str,
    /// Why a list shows only what is undelivered.
    pub(crate) undelivered_alone: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) none_such: &'static str,
    pub(crate) none_such_means: &'static str,
    /// Where a page is empty, and more follows.
    pub(crate) none_here: &'static str,
}
