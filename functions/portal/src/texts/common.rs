//! What stands on every page, and small words that many pages need.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Common {
    /// What the portal is, where it has no other name.
    pub(crate) portal: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) navigation: &'static str,
    pub(crate) webhooks: &'static str,
    pub(crate) events: &'static str,
    pub(crate) event_types: &'static str,
    pub(crate) jobs: &'static str,
    pub(crate) doctor: &'static str,
    pub(crate) changes: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) signed_out: &'static str,
    pub(crate) signed_out_means: &'static str,
    /// Where the session could not be ended.
    pub(crate) signed_out_here: &'static str,
    /// Where visitors came from.
    pub(crate) back: &'static str,
    /// With the session's end behind it.
    pub(crate) ends: &'static str,
    /// With the tenant's name.
    pub(crate) for_tenant: With,
    pub(crate) older: &'static str,
    pub(crate) newest: &'static str,
    pub(crate) pages: &'static str,
    pub(crate) look_again: &'static str,
    pub(crate) copy: &'static str,
    pub(crate) copied: &'static str,
    pub(crate) save: &'static str,
    pub(crate) cancel: &'static str,
    /// Before a list of what is wrong with a form.
    pub(crate) errors: &'static str,
    /// The title's beginning where a form has errors.
    pub(crate) error: &'static str,
    pub(crate) enter: Enter,
}

/// The page of a link.
#[derive(Debug)]
pub(crate) struct Enter {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) button: &'static str,
    pub(crate) used: &'static str,
    pub(crate) used_means: &'static str,
    /// That a session goes on in this browser; with its tenant's name where that is known.
    pub(crate) already: &'static str,
    pub(crate) already_for: With,
    pub(crate) go_on: &'static str,
    pub(crate) go_on_for: With,
}
