//! One event: who got it, and why others did not.

use postrider_domain::withheld::NotDelivered;

use super::troubles::Told;

/// See above.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: &'static str,
    pub(crate) time: &'static str,
    pub(crate) tags: &'static str,
    /// About a test.
    pub(crate) test: &'static str,
    /// About what goes to a job's own address.
    pub(crate) of_job: &'static str,
    pub(crate) webhooks: &'static str,
    /// Where there is no webhook at all.
    pub(crate) no_webhook: &'static str,
    pub(crate) no_webhook_means: &'static str,
    pub(crate) new_webhook: &'static str,
    /// So many webhooks that were not sent it.
    pub(crate) not_sent: fn(usize) -> String,
    /// The same of one of them, as a badge says it.
    pub(crate) not_sent_to_it: &'static str,
    /// Of one that has no delivery yet: a badge, and a sentence.
    pub(crate) under_way: &'static str,
    pub(crate) under_way_means: &'static str,
    /// Why it was not sent: what holds, and what it means.
    pub(crate) why: fn(NotDelivered) -> Told,
    /// Before what a filter says, which the API says.
    pub(crate) at_what: &'static str,
    pub(crate) is_disabled: &'static str,
    /// Of a delivery: a sentence.
    pub(crate) taken: fn(usize) -> String,
    pub(crate) not_tried: &'static str,
    /// With the next attempt's time behind it.
    pub(crate) tried: fn(usize) -> String,
    pub(crate) next_attempt: &'static str,
    pub(crate) attempts: &'static str,
    pub(crate) to_job: &'static str,
    /// So many webhooks that are deleted.
    pub(crate) deleted_webhooks: fn(usize) -> String,
    pub(crate) send: &'static str,
    pub(crate) mend_types: &'static str,
    pub(crate) mend_filter: &'static str,
    pub(crate) send_missed: &'static str,
    /// Before what the API says of a refusal.
    pub(crate) not_taken: &'static str,
    pub(crate) more_webhooks: &'static str,
    pub(crate) data: &'static str,
    pub(crate) data_means: &'static str,
    /// With the time behind it.
    pub(crate) expunged: &'static str,
    pub(crate) of_this_type: &'static str,
}
