//! The catalogue of event types.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct EventTypes {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) begins_with: &'static str,
    /// With how a type begins.
    pub(crate) begins_with_means: With,
    pub(crate) deprecated_too: &'static str,
    pub(crate) show: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) none_such: &'static str,
    pub(crate) none_such_means: &'static str,
    pub(crate) none_here: &'static str,
    pub(crate) deprecated: &'static str,
    pub(crate) deprecated_means: &'static str,
    /// Of a type that tells of webhooks themselves.
    pub(crate) own: &'static str,
    pub(crate) own_means: &'static str,
    pub(crate) no_description: &'static str,
    /// How many of the webhooks ask for it.
    pub(crate) asking: fn(usize) -> String,
    pub(crate) who_asks: &'static str,
    pub(crate) nobody_asks: &'static str,
    pub(crate) new_webhook: &'static str,
    pub(crate) its_events: &'static str,
    pub(crate) example: &'static str,
    pub(crate) example_means: &'static str,
    pub(crate) no_example: &'static str,
    pub(crate) schema: &'static str,
    pub(crate) schema_means: &'static str,
    pub(crate) no_schema: &'static str,
}
