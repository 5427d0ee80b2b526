//! Sealed signing secrets, an endpoint's or a tenant's: which of them count, and what a rotation makes of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::time;

/// Secrets that count at once, at the most; a header of signatures has to hold them.
const MAX_SECRETS: usize = 4;
/// Secrets that have ceased to count and are kept, sealed, at the most: nothing is signed with them, but who verifies with one of them
/// can be told so.
const MAX_ENDED: usize = 2;
/// For how long after its end one is worth keeping.
const ENDED_FOR_SECONDS: i64 = 30 * 24 * 3600;

/// A sealed signing secret and, during a rotation, when it ceases to count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// The sealed text; only the keyring opens it.
    pub sealed: String,
    /// Whether it was made here and shown to nobody: then no receiver waits for it, and no rotation keeps it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// When it ceases to count.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::time::as_wire_option")]
    pub until: Option<Timestamp>,
}

impl StoredSecret {
    /// One that counts until it is replaced.
    pub fn new(sealed: String) -> Self {
        Self { sealed, unseen: false, until: None }
    }
}

/// Those of these secrets that count at `now`.
pub fn secrets_at(secrets: &[StoredSecret], now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now))
}

/// Those of these secrets that have ceased to count at `now`, and not for long.
pub fn ended_at(secrets: &[StoredSecret], now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
    let ended = move |until: Timestamp| until <= now && now.as_second() - until.as_second() < ENDED_FOR_SECONDS;
    secrets.iter().filter(move |secret| secret.until.is_some_and(ended)).take(MAX_ENDED)
}

/// The secrets after a rotation at `now`: the new one first, those before it until the grace ends, and behind them the last ones that
/// have ceased to count. `None` while too many count already: to drop one would break its grace.
pub fn rotated(
    secrets: &[StoredSecret],
    sealed: String,
    now: Timestamp,
    grace_seconds: u32,
) -> Option<Vec<StoredSecret>> {
    let end = time::plus_millis(now, i64::from(grace_seconds) * 1000);
    let old = secrets
        .iter()
        .filter(|secret| !secret.unseen)
        .map(|secret| StoredSecret { until: Some(secret.until.unwrap_or(end).min(end)), ..secret.clone() });
    // In their order: the newest of those that count comes first, and so does the one that ended last.
    let after: Vec<_> = std::iter::once(StoredSecret::new(sealed)).chain(old).collect();
    let counting: Vec<_> = secrets_at(&after, now).cloned().collect();
    let ended: Vec<_> = ended_at(&after, now).cloned().collect();
    (counting.len() <= MAX_SECRETS).then(|| counting.into_iter().chain(ended).collect())
}

/// Until when a secret counts that is no longer the newest, if one does at `now`: a header of one signature goes on with an
/// old one until then.
pub fn previous_secret_until(secrets: &[StoredSecret], now: Timestamp) -> Option<Timestamp> {
    secrets_at(secrets, now).filter_map(|secret| secret.until).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(secrets: &[StoredSecret]) -> Vec<&str> {
        secrets.iter().map(|secret| secret.sealed.as_str()).collect()
    }

    fn counting(secrets: &[StoredSecret], now: Timestamp) -> Vec<&str> {
        secrets_at(secrets, now).map(|secret| secret.sealed.as_str()).collect()
    }

    fn ended(secrets: &[StoredSecret], now: Timestamp) -> Vec<&str> {
        ended_at(secrets, now).map(|secret| secret.sealed.as_str()).collect()
    }

    #[test]
    fn a_rotation_keeps_every_grace_it_has_given() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut secrets = Vec::new();
        for name in ["a", "b", "c", "d"] {
            secrets = rotated(&secrets, name.to_owned(), now, 60).unwrap();
        }
        assert_eq!(names(&secrets), ["d", "c", "b", "a"]);
        assert_eq!(rotated(&secrets, "e".to_owned(), now, 60), None, "a fifth would end a grace");
        let later = time::plus_millis(now, 60_000);
        assert_eq!(counting(&rotated(&secrets, "e".to_owned(), later, 60).unwrap(), later), ["e", "d"]);
        let at_once = rotated(&secrets, "e".to_owned(), now, 0).unwrap();
        assert_eq!(counting(&at_once, now), ["e"], "no grace ends all at once");
    }

    #[test]
    fn the_last_that_ended_are_kept_for_a_month_and_never_sign() {
        let mut now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let mut secrets = Vec::new();
        for name in ["a", "b", "c", "d"] {
            secrets = rotated(&secrets, name.to_owned(), now, 0).unwrap();
            assert_eq!(counting(&secrets, now), [name]);
            now = time::plus_millis(now, 1000);
        }
        assert_eq!(
            (names(&secrets), ended(&secrets, now)),
            (vec!["d", "c", "b"], vec!["c", "b"]),
            "two, whatever came before"
        );
        assert_eq!(previous_secret_until(&secrets, now), None);
        let in_grace = rotated(&secrets, "e".to_owned(), now, 60).unwrap();
        assert_eq!((counting(&in_grace, now), ended(&in_grace, now)), (vec!["e", "d"], vec!["c", "b"]));
        let after = time::plus_millis(now, 60_000);
        assert_eq!((counting(&in_grace, after), ended(&in_grace, after)), (vec!["e"], vec!["d", "c"]));
        let late = time::plus_millis(after, ENDED_FOR_SECONDS * 1000);
        assert_eq!(ended(&in_grace, late), Vec::<&str>::new());
        assert_eq!(
            names(&rotated(&in_grace, "f".to_owned(), late, 0).unwrap()),
            ["f", "e"],
            "they go with the next rotation"
        );
    }

    #[test]
    fn a_secret_that_nobody_was_shown_ends_at_its_first_rotation() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let made = StoredSecret { unseen: true, ..StoredSecret::new("made".to_owned()) };
        let first = rotated(&[made], "first".to_owned(), now, 3600).unwrap();
        assert_eq!((names(&first), previous_secret_until(&first, now)), (vec!["first"], None));
        let second = rotated(&first, "second".to_owned(), now, 3600).unwrap();
        assert_eq!(names(&second), ["second", "first"]);
        // Rows of earlier versions do not tell: one that was shown must keep the grace that it is given.
        let before: StoredSecret = serde_json::from_str(r#"{"sealed": "before"}"#).unwrap();
        assert_eq!(names(&rotated(&[before], "first".to_owned(), now, 3600).unwrap()), ["first", "before"]);
        let end = time::plus_millis(now, 3_600_000);
        assert_eq!(previous_secret_until(&second, now), Some(end));
        assert_eq!(previous_secret_until(&second, end), None);
    }
}
