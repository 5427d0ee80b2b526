//! The list of webhooks, and how each is doing.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) title: &'static str,
    pub(crate) new: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) none_to_see: &'static str,
    pub(crate) none_on_page: &'static str,
    pub(crate) deleted: &'static str,
    pub(crate) asks_for: &'static str,
    /// With how many more types there are.
    pub(crate) and_more: With,
    pub(crate) filtered: &'static str,
    /// With since when, behind it.
    pub(crate) disabled_since: &'static str,
    pub(crate) down_since: &'static str,
    pub(crate) draining_since: &'static str,
    pub(crate) limited_since: &'static str,
    pub(crate) failing_since: &'static str,
    /// What the picture of a webhook shows; with its name.
    pub(crate) picture: With,
    /// With the part in percent.
    pub(crate) rate: With,
    pub(crate) nothing_sent: &'static str,
    pub(crate) nothing_ended: &'static str,
    /// With a number of deliveries.
    pub(crate) waiting: With,
    pub(crate) last_failure: &'static str,
    pub(crate) no_failure: &'static str,
    pub(crate) not_counted: &'static str,
    pub(crate) show_all: &'static str,
}
