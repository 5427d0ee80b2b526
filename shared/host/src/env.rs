//! Settings from the environment, which the template writes. Read once, at start, so that a wrong deploy fails at once.

use std::time::Duration;

use postrider_domain::api_url;
use postrider_domain::catalogue::Openness;
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
    /// Of this setting, with what was expected of it.
    pub fn new(name: &'static str, expected: impl Into<String>) -> Self {
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

/// Whether a setting is on: `true`, or `false` as where it is missing or empty.
///
/// # Errors
/// [`BadSetting`] for anything else: somebody meant something by it.
pub fn switch(name: &'static str) -> Result<bool, BadSetting> {
    is_on(name, &var(name).unwrap_or_default())
}

fn is_on(name: &'static str, value: &str) -> Result<bool, BadSetting> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        _ => Err(BadSetting::new(name, "`true` or `false`")),
    }
}

/// What may be connected to. `PRIVATE_TARGETS`: `allow` for a local stack's loopback receivers; unset on AWS, which refuses them.
/// `ALLOWED_TARGET_CIDRS` and `DENIED_TARGET_DOMAINS`: the operator's lists; empty for none.
///
/// # Errors
/// [`BadSetting`] for anything else.
pub fn egress() -> Result<Egress, BadSetting> {
    lists(
        private_targets(&var("PRIVATE_TARGETS").unwrap_or_default())?,
        &var("ALLOWED_TARGET_CIDRS").unwrap_or_default(),
        &var("DENIED_TARGET_DOMAINS").unwrap_or_default(),
    )
}

fn private_targets(setting: &str) -> Result<PrivateTargets, BadSetting> {
    match setting {
        "refuse" | "" => Ok(PrivateTargets::Refuse),
        "allow" => Ok(PrivateTargets::AllowLoopback),
        _ => Err(BadSetting::new("PRIVATE_TARGETS", "`refuse` or `allow`")),
    }
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

/// `EVENT_TYPES`: `open`, or `closed`, which takes events of known types alone; open where it is missing or empty.
///
/// # Errors
/// [`BadSetting`] for anything else.
pub fn event_types() -> Result<Openness, BadSetting> {
    openness(&var("EVENT_TYPES").unwrap_or_default())
}

fn openness(setting: &str) -> Result<Openness, BadSetting> {
    match setting {
        "open" | "" => Ok(Openness::Open),
        "closed" => Ok(Openness::Closed),
        _ => Err(BadSetting::new("EVENT_TYPES", "`open` or `closed`")),
    }
}

/// `PUBLIC_URL`: where the API is, for whoever is sent there. It is told by the template, and by no request: a `Host` is anybody's to choose.
///
/// # Errors
/// [`BadSetting`] when it is missing, or no such address.
pub fn public_url() -> Result<String, BadSetting> {
    let setting = var("PUBLIC_URL")?;
    if api_url::parse(&setting).is_some() { Ok(setting) } else { Err(BadSetting::new("PUBLIC_URL", api_url::EXPECTED)) }
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
    fn a_switch_is_on_or_off_and_a_slip_is_neither() {
        let read = |value| is_on("AWS_USE_FIPS_ENDPOINT", value).map_err(|bad| bad.to_string());
        assert_eq!((read("true"), read("TRUE"), read("false"), read("")), (Ok(true), Ok(true), Ok(false), Ok(false)));
        for slip in ["yes", "1", " true"] {
            let message = read(slip).unwrap_err();
            assert!(message.contains("AWS_USE_FIPS_ENDPOINT") && message.contains("`true` or `false`"), "{message}");
        }
    }

    #[test]
    fn private_targets_are_refused_unless_somebody_allows_them() {
        assert_eq!(private_targets("").unwrap(), PrivateTargets::Refuse);
        assert_eq!(private_targets("refuse").unwrap(), PrivateTargets::Refuse);
        assert_eq!(private_targets("allow").unwrap(), PrivateTargets::AllowLoopback);
        assert!(private_targets("Allow").is_err());
    }

    #[test]
    fn event_types_are_open_unless_somebody_closes_them() {
        assert_eq!((openness("").unwrap(), openness("open").unwrap()), (Openness::Open, Openness::Open));
        assert_eq!(openness("closed").unwrap(), Openness::Closed);
        assert!(openness("Closed").is_err());
    }

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
