//! One delivery.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct OneDelivery {
    /// With its event's type.
    pub(crate) title: With,
    pub(crate) to_webhook: &'static str,
    pub(crate) test: &'static str,
    pub(crate) test_means: &'static str,
    pub(crate) event: &'static str,
    pub(crate) event_id: &'static str,
    pub(crate) event_at: &'static str,
    pub(crate) address: &'static str,
    pub(crate) address_unknown: &'static str,
    pub(crate) next_attempt: &'static str,
    pub(crate) next_probe: &'static str,
    pub(crate) delivered_at: &'static str,
    pub(crate) id: &'static str,
    pub(crate) job: &'static str,
    pub(crate) resend: &'static str,
    pub(crate) resend_means: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) attempts: &'static str,
    pub(crate) no_attempts: &'static str,
    /// With its number.
    pub(crate) attempt: fn(u64) -> String,
    pub(crate) advice: &'static str,
    pub(crate) took: &'static str,
    pub(crate) sent_to: &'static str,
    pub(crate) error: &'static str,
    pub(crate) redirect: &'static str,
    pub(crate) response: &'static str,
    pub(crate) response_headers: &'static str,
    pub(crate) answer_status: &'static str,
    pub(crate) no_excerpt: &'static str,
    pub(crate) more_attempts: &'static str,
    pub(crate) first_attempts: &'static str,
    pub(crate) request: &'static str,
    pub(crate) request_means: &'static str,
    pub(crate) request_lacking: &'static str,
    pub(crate) left_out: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) body: &'static str,
    pub(crate) on_its_way: &'static str,
    pub(crate) on_its_way_means: &'static str,
    /// Before the time at which it was.
    pub(crate) accepted_at: &'static str,
    pub(crate) updates: &'static str,
}
