//! The signature doctor.

use postrider_domain::doctor::Cause;

use super::With;
use super::troubles::Told;

/// See above.
#[derive(Debug)]
pub(crate) struct Doctor {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    /// What becomes of what is pasted.
    pub(crate) nothing_kept: &'static str,
    pub(crate) whose: &'static str,
    pub(crate) webhook: &'static str,
    pub(crate) webhook_means: &'static str,
    pub(crate) no_webhook: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) secret_means: &'static str,
    pub(crate) neither: &'static str,
    pub(crate) request: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) headers_means: &'static str,
    pub(crate) no_headers: &'static str,
    /// With the number of the line that is no header.
    pub(crate) bad_line: With,
    /// With the name of the value that is no text.
    pub(crate) bad_value: With,
    pub(crate) body: &'static str,
    pub(crate) body_means: &'static str,
    /// What few need.
    pub(crate) more: &'static str,
    pub(crate) line_ends: &'static str,
    pub(crate) base64: &'static str,
    pub(crate) base64_means: &'static str,
    pub(crate) no_base64: &'static str,
    pub(crate) received: &'static str,
    pub(crate) received_means: &'static str,
    pub(crate) no_time: &'static str,
    pub(crate) ask: &'static str,
    pub(crate) good: Told,
    /// Where it fits a secret that was pasted: whose that is, nobody knows.
    pub(crate) good_by_secret: Told,
    /// Where it is only old, and nobody said when it came.
    pub(crate) good_then: Told,
    /// What was wrong, and what to do.
    pub(crate) cause: fn(Cause) -> Told,
    /// Where this version does not know the cause.
    pub(crate) unknown_cause: &'static str,
    /// Over the API's own explanation, folded up.
    pub(crate) exactly: &'static str,
    pub(crate) with_returns: &'static str,
    pub(crate) without_last_line_end: &'static str,
    /// Where texts with other line ends were tried as well.
    pub(crate) line_ends_tried: &'static str,
}
