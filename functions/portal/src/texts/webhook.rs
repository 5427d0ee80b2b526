//! One webhook: its state, its settings, its deliveries, and what can be done with it.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct OneWebhook {
    pub(crate) is_deleted: &'static str,
    pub(crate) to_all: &'static str,
    pub(crate) sections: &'static str,
    pub(crate) deliveries: &'static str,
    pub(crate) edit: &'static str,
    pub(crate) health: Health,
    pub(crate) actions: Actions,
    pub(crate) settings: Settings,
    pub(crate) list: List,
}

/// How it is doing.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) title: &'static str,
    pub(crate) active: &'static str,
    pub(crate) paused: &'static str,
    /// While nobody answers.
    pub(crate) down: &'static str,
    /// Where nothing was delivered since the last failures.
    pub(crate) failing: &'static str,
    /// With since when, behind it.
    pub(crate) failing_since: &'static str,
    /// Where what fails is not tried again.
    pub(crate) never_retried: &'static str,
    /// While what waited is being sent.
    pub(crate) draining: &'static str,
    /// With since when it is paused, behind it.
    pub(crate) since: &'static str,
    /// With when it is asked next whether it is back, behind it.
    pub(crate) next_probe: &'static str,
    pub(crate) success_rate: &'static str,
    /// Where nothing was delivered and nothing failed.
    pub(crate) nothing_ended: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) last_failure: &'static str,
    pub(crate) no_failure: &'static str,
    /// The spans that can be chosen.
    pub(crate) span: &'static str,
    pub(crate) day: &'static str,
    pub(crate) week: &'static str,
    pub(crate) month: &'static str,
    pub(crate) not_counted: &'static str,
}

/// What can be done.
#[derive(Debug)]
pub(crate) struct Actions {
    pub(crate) test: &'static str,
    pub(crate) other_test: &'static str,
    pub(crate) pause: &'static str,
    pub(crate) pause_means: &'static str,
    pub(crate) pause_now: &'static str,
    pub(crate) enable: &'static str,
    pub(crate) recover: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) rotate: &'static str,
    pub(crate) code: &'static str,
    pub(crate) preview: &'static str,
    pub(crate) is_paused: &'static str,
    pub(crate) is_active: &'static str,
    pub(crate) is_saved: &'static str,
}

/// What it asks for, and how it is sent to.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) title: &'static str,
    pub(crate) url: &'static str,
    pub(crate) description: &'static str,
    pub(crate) events: &'static str,
    pub(crate) filter: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) headers_mean: &'static str,
    pub(crate) timeout: &'static str,
    pub(crate) retries: &'static str,
    pub(crate) no_retries: &'static str,
    pub(crate) rate_limit: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) metadata: &'static str,
    pub(crate) created: &'static str,
    pub(crate) old_secret: &'static str,
    /// With a number of seconds.
    pub(crate) seconds: fn(u64) -> String,
    /// With how many a second.
    pub(crate) a_second: fn(u64) -> String,
    pub(crate) id: &'static str,
}

/// Its deliveries.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) filter: &'static str,
    pub(crate) status: &'static str,
    pub(crate) any: &'static str,
    pub(crate) undelivered: &'static str,
    pub(crate) outcome: &'static str,
    pub(crate) event: &'static str,
    /// With a type.
    pub(crate) event_hint: With,
    pub(crate) outcome_hint: &'static str,
    pub(crate) since: &'static str,
    pub(crate) until: &'static str,
    pub(crate) apply: &'static str,
    pub(crate) reset: &'static str,
    pub(crate) time: &'static str,
    pub(crate) last_attempt: &'static str,
    pub(crate) attempts: &'static str,
    /// With an event's type: what a link to its delivery is called.
    pub(crate) open: With,
    pub(crate) test: &'static str,
    pub(crate) no_attempt: &'static str,
    pub(crate) none: &'static str,
    pub(crate) none_means: &'static str,
    pub(crate) none_found: &'static str,
    pub(crate) none_found_means: &'static str,
    /// On a page that is empty though more follow.
    pub(crate) none_here: &'static str,
    pub(crate) none_here_means: &'static str,
    pub(crate) not_a_time: &'static str,
}
