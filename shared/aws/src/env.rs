//! Settings from the environment, which the template writes. Read once, at start, so that a wrong deploy fails at once.

use postrider_domain::egress::PrivateTargets;
use postrider_domain::invalid::Invalid;

/// A setting that is missing or makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {name}: expected {expected}")]
pub struct BadSetting {
    name: &'static str,
    expected: &'static str,
}

/// The value of a setting.
///
/// # Errors
/// [`BadSetting`] when it is missing or empty.
pub fn var(name: &'static str) -> Result<String, BadSetting> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or(BadSetting { name, expected: "a value; the template sets it" })
}

/// `PRIVATE_TARGETS`: `refuse`, or `allow` for a local stack's loopback receivers.
///
/// # Errors
/// [`BadSetting`] for anything else.
pub fn private_targets() -> Result<PrivateTargets, BadSetting> {
    match var("PRIVATE_TARGETS")?.as_str() {
        "refuse" => Ok(PrivateTargets::Refuse),
        "allow" => Ok(PrivateTargets::AllowLoopback),
        _ => Err(BadSetting { name: "PRIVATE_TARGETS", expected: "`refuse` or `allow`" }),
    }
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
    let days = days.ok_or(BadSetting { name: "RETENTION_DAYS", expected: "a number of days" })?;
    Ok(Retention { seconds: days * 24 * 3600 })
}
