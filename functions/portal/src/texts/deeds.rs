//! What can be done with one webhook, a page each.

/// See above.
#[derive(Debug)]
pub(crate) struct Deeds {
    pub(crate) test: Test,
    pub(crate) recover: Recover,
    pub(crate) cancel: Cancel,
    pub(crate) rotate: Rotate,
    pub(crate) code: Code,
    pub(crate) preview: Preview,
}

/// A test.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) event: &'static str,
    pub(crate) event_hint: &'static str,
    pub(crate) data: &'static str,
    pub(crate) data_hint: &'static str,
    pub(crate) send: &'static str,
    pub(crate) not_json: &'static str,
    pub(crate) is_paused: &'static str,
}

/// Sending again what was missed.
#[derive(Debug)]
pub(crate) struct Recover {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) since: &'static str,
    pub(crate) since_hint: &'static str,
    pub(crate) until: &'static str,
    pub(crate) until_hint: &'static str,
    pub(crate) what: &'static str,
    pub(crate) missed: &'static str,
    pub(crate) missed_hint: &'static str,
    /// What is not among what was missed, and where it is.
    pub(crate) held_back: &'static str,
    pub(crate) see_events: &'static str,
    pub(crate) never_matched: &'static str,
    pub(crate) never_matched_hint: &'static str,
    pub(crate) statuses: &'static str,
    pub(crate) statuses_hint: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) pending: &'static str,
    pub(crate) retrying: &'static str,
    pub(crate) events: &'static str,
    /// With a type, and a pattern that takes it.
    pub(crate) events_hint: fn(&str, &str) -> String,
    pub(crate) count: &'static str,
    /// With how many there are.
    pub(crate) found: fn(u64) -> String,
    /// With how many there are at the least.
    pub(crate) found_at_least: fn(u64) -> String,
    pub(crate) none_found: &'static str,
    pub(crate) none_found_means: &'static str,
    /// With how many there are.
    pub(crate) send: fn(u64) -> String,
    pub(crate) send_means: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) running: &'static str,
    pub(crate) done: &'static str,
    /// With how many were found, and how many of them were sent again.
    pub(crate) so_far: fn(u64, u64) -> String,
    pub(crate) others: &'static str,
    pub(crate) span: &'static str,
    pub(crate) see_deliveries: &'static str,
}

/// Cancelling what waits.
#[derive(Debug)]
pub(crate) struct Cancel {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    /// With how many wait.
    pub(crate) waiting: fn(u64) -> String,
    /// With how many wait at the least.
    pub(crate) waiting_at_least: fn(u64) -> String,
    /// Where none does.
    pub(crate) nothing_waits: &'static str,
    /// Behind it is the button all the same.
    pub(crate) waits_longer: &'static str,
    pub(crate) confirm: &'static str,
    pub(crate) keep: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) running: &'static str,
    pub(crate) done: &'static str,
    /// With how many were found, and how many of them were cancelled.
    pub(crate) so_far: fn(u64, u64) -> String,
    pub(crate) asked_at: &'static str,
    pub(crate) see_deliveries: &'static str,
}

/// A new secret.
#[derive(Debug)]
pub(crate) struct Rotate {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    /// Where requests bear a signature of each.
    pub(crate) means_both: &'static str,
    /// Where requests bear the old one's until its time is over.
    pub(crate) means_old: &'static str,
    pub(crate) grace: &'static str,
    pub(crate) grace_hint: &'static str,
    pub(crate) at_once: &'static str,
    pub(crate) hour: &'static str,
    pub(crate) day: &'static str,
    pub(crate) week: &'static str,
    pub(crate) own: &'static str,
    pub(crate) own_hint: &'static str,
    pub(crate) make: &'static str,
    pub(crate) made: &'static str,
    pub(crate) made_means: &'static str,
    /// Where the page with the new one is loaded again.
    pub(crate) sent_already: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) old_until: &'static str,
    pub(crate) old_ended: &'static str,
    pub(crate) next: &'static str,
}

/// Programs that verify.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) header: &'static str,
    pub(crate) signed: &'static str,
    pub(crate) signed_body: &'static str,
    pub(crate) signed_dated: &'static str,
    pub(crate) key: &'static str,
    pub(crate) key_whole: &'static str,
    /// With what stands before it.
    pub(crate) key_decoded: fn(&str) -> String,
    pub(crate) unsigned: &'static str,
    pub(crate) bytes: &'static str,
    pub(crate) replays: &'static str,
    pub(crate) doctor: &'static str,
    pub(crate) file: &'static str,
}

/// A request that is not sent.
#[derive(Debug)]
pub(crate) struct Preview {
    pub(crate) title: &'static str,
    pub(crate) means: &'static str,
    pub(crate) event: &'static str,
    pub(crate) data: &'static str,
    pub(crate) show: &'static str,
    pub(crate) would_send: &'static str,
    pub(crate) would_not: &'static str,
    pub(crate) request: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) body: &'static str,
    pub(crate) schedule: &'static str,
    pub(crate) no_schedule: &'static str,
}
