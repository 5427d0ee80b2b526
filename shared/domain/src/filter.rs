//! Filters: which of the events that a webhook asks for it is sent. A filter is an event pattern as Amazon EventBridge documents them,
//! over `{event, data, tags}`: the type's name, the event's `data`, and its tags.
//!
//! Numbers are compared as numbers, arrays are met by any of their elements, and what one object of the filter asks of an array's
//! objects one of them has to meet. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use crate::invalid::Invalid;
use crate::json;

mod compiled;
mod fold;
mod judged;
mod number;
mod plan;
mod read;
mod seen;
#[cfg(test)]
mod tests;
mod why;
mod wildcard;

pub use seen::Seen;

use compiled::Pattern;
use plan::Plan;

/// Of a filter's JSON, as it came.
pub const MAX_BYTES: usize = 4 * 1024;
/// Comparisons of a filter: each entry of a field's list, and each value of an `anything-but`, is one.
pub const MAX_LEAVES: usize = 100;
/// Of the reason why an event does not get through.
pub const MAX_REASON_CHARS: usize = 400;
/// Where a filter stands in what it is sent with.
pub const FIELD: &str = "filter";

/// A filter, ready to judge.
#[derive(Debug)]
pub struct Filter {
    pattern: Pattern,
    plan: Plan,
}

/// What a filter says of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It lets it through.
    Matches,
    /// It does not, for this reason: the first that there is, in words for whoever wrote the filter;
    /// at most [`MAX_REASON_CHARS`].
    Not(String),
}

impl Filter {
    /// Reads a filter from its JSON.
    ///
    /// # Errors
    /// [`Invalid`] naming the place, such as `filter.data.amount[0].numeric`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > MAX_BYTES {
            return Err(Invalid::new(FIELD, format!("at most {MAX_BYTES} bytes of JSON")));
        }
        json::check_field(text).map_err(|why| Invalid::new(FIELD, format!("valid JSON; {why}")))?;
        let value = serde_json::from_str(text).map_err(|error| Invalid::new(FIELD, format!("valid JSON; {error}")))?;
        let pattern = read::whole(&value)?;
        let plan = Plan::of(&pattern, MAX_LEAVES).ok_or_else(|| Invalid::new(FIELD, too_many_leaves()))?;
        Ok(Self { pattern, plan })
    }

    /// Whether an event gets through.
    pub fn matches(&self, event: &Seen<'_>) -> bool {
        judged::is_met(&self.plan, event.root())
    }

    /// The same, with the reason where it does not.
    pub fn judge(&self, event: &Seen<'_>) -> Verdict {
        if self.matches(event) { Verdict::Matches } else { Verdict::Not(why::not(&self.pattern, event.root())) }
    }
}

fn too_many_leaves() -> String {
    format!(
        "at most {MAX_LEAVES} comparisons; those of a field into which an `$or` beside it looks too count for each of its alternatives"
    )
}
