//! Settings from the environment, which the template writes. Read once, at start, so that a wrong deploy fails at once.

use std::time::Duration;

use postrider_domain::egress::{Egress, PrivateTargets};
use postrider_domain::endpoint::parking::Times;
use postrider_domain::invalid::Invalid;

/// A setting that is missing or makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name}: expected {expected}")]
pub struct BadSetting {
    name: &'static str,
    expected: String,
}

impl BadSetting {
    fn new(name: &'static str, expected: impl Into<String>) -> Self {
        Self { name, expected: expected.into() }
    }
}

/// The value of a setting.
///
/// # Errors
/// [`BadSetting`] when it is missing or empty.
pub fn var(name: &'static str) -> Result<String, BadSetting> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or_else(|| BadSetting::new(name, "a value; the template sets it"))
}

/// What may be connected to. `PRIVATE_TARGETS`: `refuse`, or `allow` for a local stack's loopback receivers.
/// `ALLOWED_TARGET_CIDRS` and `DENIED_TARGET_DOMAINS`: the operator's lists; empty for none.
///
/// # Errors
/// [`BadSetting`] for anything else.
pub fn egress() -> Result<Egress, BadSetting> {
    let private = match var("PRIVATE_TARGETS")?.as_str() {
        "refuse" => PrivateTargets::Refuse,
        "allow" => PrivateTargets::AllowLoopback,
        _ => return Err(BadSetting::new("PRIVATE_TARGETS", "`refuse` or `allow`")),
    };
    lists(private, &var("ALLOWED_TARGET_CIDRS").unwrap_or_default(), &var("DENIED_TARGET_DOMAINS").unwrap_or_default())
}

fn lists(private: PrivateTargets, allowed: &str, denied: &str) -> Result<Egress, BadSetting> {
    let bad = |name| move |invalid: Invalid| BadSetting::new(name, invalid.expected);
    let egress = Egress::new(private).allowing("", allowed).map_err(bad("ALLOWED_TARGET_CIDRS"))?;
    egress.denying("", denied).map_err(bad("DENIED_TARGET_DOMAINS"))
}

/// `EXTRA_DIALECTS`: a JSON list of an operator's own dialects; empty for none.
///
/// # Errors
/// [`Invalid`] when they make no sense.
pub fn extra_dialects() -> Result<(), Invalid> {
    match var("EXTRA_DIALECTS") {
        Ok(json) => postrider_domain::dialect::extend(&json),
        Err(_) => Ok(()),
    }
}

/// `USER_AGENT`: how deliveries name their sender; none where it is empty.
///
/// # Errors
/// [`BadSetting`] when no header can carry it.
pub fn user_agent() -> Result<Option<String>, BadSetting> {
    let Ok(text) = var("USER_AGENT") else { return Ok(None) };
    let bad = |invalid: Invalid| BadSetting::new("USER_AGENT", invalid.expected);
    postrider_domain::dialect::check_user_agent("", &text).map_err(bad)?;
    Ok(Some(text))
}

/// How long rows are kept after their event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// In seconds.
    pub seconds: i64,
}

/// `RETENTION_DAYS`.
///
/// # Errors
/// [`BadSetting`] when it is no positive number.
pub fn retention() -> Result<Retention, BadSetting> {
    let days = var("RETENTION_DAYS")?.parse::<i64>().ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| BadSetting::new("RETENTION_DAYS", "a number of days"))?;
    Ok(Retention { seconds: days * 24 * 3600 })
}

/// `OUTAGE_SECONDS`: after how long an outage parks what is for an endpoint, and how often it is probed then; empty as the product has it.
/// The template sets it for a local stack alone.
///
/// # Errors
/// [`BadSetting`] when it is no number from 1 to 900.
pub fn parking_times() -> Result<Times, BadSetting> {
    let Ok(text) = var("OUTAGE_SECONDS") else { return Ok(Times::default()) };
    let seconds = text.parse::<u64>().ok().filter(|seconds| (1..=900).contains(seconds));
    let seconds = seconds.ok_or_else(|| BadSetting::new("OUTAGE_SECONDS", "a number of seconds, 1 to 900"))?;
    Ok(Times::short(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_list_names_its_setting_and_what_was_expected() {
        let bad = |allowed, denied| lists(PrivateTargets::Refuse, allowed, denied).unwrap_err().to_string();
        let message = bad("10.20.0.0/16,127.0.0.0/8", "");
        assert!(message.contains("ALLOWED_TARGET_CIDRS") && message.contains("not `127.0.0.0/8`"), "{message}");
        let message = bad("", "example.com,*.example.org");
        assert!(message.contains("DENIED_TARGET_DOMAINS") && message.contains("not `*.example.org`"), "{message}");
        assert!(lists(PrivateTargets::Refuse, "10.20.0.0/16", "example.com").is_ok());
    }
}
