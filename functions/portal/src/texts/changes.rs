//! Who changed what.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Changes {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) none_here: &'static str,
    /// Why a session for some webhooks sees none.
    pub(crate) unseen: &'static str,
    pub(crate) unseen_means: &'static str,
    pub(crate) time: &'static str,
    pub(crate) who: &'static str,
    pub(crate) what: &'static str,
    pub(crate) this_session: &'static str,
    /// With its id.
    pub(crate) session: With,
    pub(crate) key: With,
    pub(crate) postrider: &'static str,
    pub(crate) nobody_known: &'static str,
    pub(crate) created: &'static str,
    pub(crate) deleted: &'static str,
    pub(crate) enabled: &'static str,
    pub(crate) disabled: &'static str,
    /// With what was changed.
    pub(crate) updated: With,
    pub(crate) updated_somehow: &'static str,
    /// What a field of a webhook is called.
    pub(crate) field: fn(&str) -> Option<&'static str>,
    pub(crate) as_event: &'static str,
    pub(crate) hear: &'static str,
    /// Where one of many cannot be read.
    pub(crate) unread: &'static str,
}
