//! The form of a webhook: making one, changing it, trying its filter, and deleting it.

use super::With;

/// See above.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) new_title: &'static str,
    /// With the webhook's name.
    pub(crate) edit_title: With,
    pub(crate) make: &'static str,
    pub(crate) url: &'static str,
    pub(crate) url_hint: &'static str,
    pub(crate) name: &'static str,
    pub(crate) name_hint: &'static str,
    pub(crate) description: &'static str,
    pub(crate) description_hint: &'static str,
    pub(crate) events: EventsPicked,
    pub(crate) filter: Filter,
    pub(crate) more: More,
    pub(crate) created: Created,
    pub(crate) removal: Removal,
    pub(crate) not_a_number: &'static str,
    pub(crate) not_a_schedule: &'static str,
    pub(crate) no_name: &'static str,
    /// With the name.
    pub(crate) name_twice: With,
    /// With the line and the column.
    pub(crate) not_json: fn(usize, usize) -> String,
    pub(crate) not_an_object: &'static str,
    /// With what somebody else has written there meanwhile.
    pub(crate) overtaken: With,
}

/// Which events it asks for.
#[derive(Debug)]
pub(crate) struct EventsPicked {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) search: &'static str,
    pub(crate) all: &'static str,
    pub(crate) all_means: &'static str,
    pub(crate) own: &'static str,
    pub(crate) built_in: &'static str,
    pub(crate) built_in_means: &'static str,
    pub(crate) example: &'static str,
    pub(crate) schema: &'static str,
    /// What a type's details are called; its name is heard behind it.
    pub(crate) details: &'static str,
    pub(crate) more: &'static str,
    /// With a pattern, and how all begin that it takes.
    pub(crate) more_hint: fn(&str, &str) -> String,
    /// What a pattern takes; with how all of it begins.
    pub(crate) pattern_means: With,
    /// Before the pattern that takes a type.
    pub(crate) through: &'static str,
    pub(crate) not_all_listed: &'static str,
    pub(crate) not_listed: &'static str,
    pub(crate) none: &'static str,
}

/// Which of them are sent.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) title: &'static str,
    pub(crate) hint: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) pattern_hint: &'static str,
    pub(crate) try_title: &'static str,
    pub(crate) try_hint: &'static str,
    pub(crate) event: &'static str,
    pub(crate) data: &'static str,
    pub(crate) data_hint: &'static str,
    pub(crate) button: &'static str,
    pub(crate) passes: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) no_filter: &'static str,
}

/// What few need.
#[derive(Debug)]
pub(crate) struct More {
    pub(crate) title: &'static str,
    /// Where something of it is set.
    pub(crate) set: &'static str,
    pub(crate) headers: &'static str,
    pub(crate) headers_hint: &'static str,
    pub(crate) header_name: &'static str,
    pub(crate) header_value: &'static str,
    pub(crate) metadata: &'static str,
    pub(crate) metadata_hint: &'static str,
    pub(crate) metadata_name: &'static str,
    pub(crate) metadata_value: &'static str,
    pub(crate) more_rows: &'static str,
    pub(crate) rate_limit: &'static str,
    pub(crate) rate_limit_hint: &'static str,
    pub(crate) timeout: &'static str,
    pub(crate) timeout_hint: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) content_type_hint: &'static str,
    pub(crate) retries: &'static str,
    pub(crate) retries_usual: &'static str,
    pub(crate) retries_own: &'static str,
    pub(crate) retries_none: &'static str,
    pub(crate) schedule: &'static str,
    pub(crate) schedule_hint: &'static str,
}

/// When one is made.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) title: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) secret_means: &'static str,
    pub(crate) no_secret: &'static str,
    pub(crate) next: &'static str,
    pub(crate) verify: &'static str,
    pub(crate) go_on: &'static str,
}

/// Before one is deleted.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) link: &'static str,
    /// With the webhook's name.
    pub(crate) title: With,
    pub(crate) means: &'static str,
    pub(crate) pause_instead: &'static str,
    pub(crate) button: &'static str,
    pub(crate) keep: &'static str,
}
