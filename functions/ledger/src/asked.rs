//! What a recovery is asked for, read from a request.

use jiff::Timestamp;
use postrider_api::{ApiError, Request};
use postrider_domain::delivery::Status;
use postrider_domain::dialect::{DialectRef, JobKind};
use postrider_domain::endpoint::parse_patterns;
use postrider_domain::invalid::Invalid;
use postrider_domain::recovery::Chosen;
use postrider_domain::time;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// From events of this time on.
    pub(crate) since: Timestamp,
    /// Up to events before this time; of all that there is where nothing is said.
    pub(crate) until: Option<Timestamp>,
    /// What of it.
    pub(crate) chosen: Chosen,
    /// Whether it is counted, and not sent.
    pub(crate) count_only: bool,
}

impl Asked {
    /// Reads it at `now`: of a webhook of this dialect or, where `jobs` names a kind, of such jobs.
    ///
    /// # Errors
    /// 400 for a field that is amiss; 422 for what cannot be.
    pub(crate) fn of(
        request: &Request,
        dialect: DialectRef,
        jobs: Option<JobKind>,
        now: Timestamp,
    ) -> Result<Self, ApiError> {
        let mut fields = request.fields()?;
        let since: String = fields.require("since", "an RFC 3339 time")?;
        let until: Option<String> = fields.take_value("until", "an RFC 3339 time")?;
        let events: Option<Vec<String>> = fields.take_value("events", "a list of event types")?;
        let statuses: Option<Vec<String>> = fields.take_value("statuses", &a_list())?;
        let count_only: Option<bool> = fields.take_value("count_only", "`true` or `false`")?;
        let never_matched: Option<bool> = fields.take_value("never_matched", "`true` or `false`")?;
        fields.finish()?;
        let since = time::parse("since", &since)?;
        let until = until.map(|until| time::parse("until", &until)).transpose()?;
        let events = events.map(|events| parse_patterns(&events, dialect)).transpose()?;
        let statuses = statuses.map(|names| read_statuses(&names)).transpose()?;
        let never_matched = never_matched.unwrap_or_default();
        let impossible = |field, expected| Err(ApiError::unprocessable(Invalid::new(field, expected)));
        if since >= until.unwrap_or(now) {
            return impossible("since", "a time before `until`, and not in the future");
        }
        if never_matched && jobs.is_some() {
            return impossible("never_matched", "`false`: a job's event is for its own URL, which no pattern asks for");
        }
        if never_matched && statuses.is_some() {
            return impossible(
                "statuses",
                "nothing beside `never_matched`: where there is no delivery, none stands anyhow",
            );
        }
        let (events, statuses) = (events.unwrap_or_default(), statuses.unwrap_or_default());
        let chosen = Chosen { events, statuses, jobs, never_matched };
        Ok(Self { since, until, chosen, count_only: count_only.unwrap_or_default() })
    }
}

/// The statuses that can be asked for, in words for an error.
fn names() -> String {
    Chosen::STATUSES.map(|status| format!("`{}`", status.as_str())).join(", ")
}

fn a_list() -> String {
    format!("a list of at least one of {}", names())
}

fn read_statuses(names: &[String]) -> Result<Vec<Status>, Invalid> {
    if names.is_empty() {
        return Err(Invalid::new("statuses", a_list()));
    }
    let mut statuses = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let status = Status::named(name).filter(|status| Chosen::STATUSES.contains(status));
        let status =
            status.ok_or_else(|| Invalid::new(format!("statuses[{i}]"), format!("one of {}", self::names())))?;
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    Ok(statuses)
}
