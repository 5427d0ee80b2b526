//! What a caller is told when we failed: whether he may simply repeat the call, and if not, what else.

/// What to do about a call that may have been carried out; nothing where repeating it is safe, since it changes nothing or
/// leaves what it asks for as it is.
pub(super) fn instead_of_repeating(method: &str, path: &[&str]) -> Option<&'static str> {
    if method != "POST" {
        return None;
    }
    Some(match path {
        ["v1", "events", ..] => {
            "publish with an `id` or an Idempotency-Key and repeating is safe; without one a repeat may be a second event"
        }
        ["v1", "webhooks", "create"] => {
            "look at GET /v1/webhooks before you repeat it, and delete the webhook that you were not told of"
        }
        [.., "secret", "rotate"] => {
            "the secret may be another now that you were not shown: rotate again, and use that one"
        }
        ["v1", "tenants"] => "look at GET /v1/tenants before you repeat it",
        ["v1", "tenants", _, "keys"] | ["v1", "keys"] => {
            "look at the list of keys before you repeat it, and revoke the key that you were not shown"
        }
        [.., "jobs", _, "report" | "cancel"] => "a report that comes twice changes nothing more: repeat it",
        ["v1", "jobs"] => {
            "start jobs with an Idempotency-Key and repeating is safe; without one look at GET /v1/jobs before you repeat it"
        }
        ["api", "v1", "generate"] => "a job may have been started: a repeat starts another one",
        ["v1", "deliveries", _, _] => "look at the delivery before you repeat it",
        [.., "recover"] => "a second recovery sends nothing twice: repeat it",
        _ => "look at what is there before you repeat it",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_twice_may_simply_be_repeated() {
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            assert_eq!(instead_of_repeating(method, &["v1", "webhooks", "wh_x"]), None);
        }
        for path in [
            &["v1", "events"][..],
            &["v1", "webhooks", "create"],
            &["v1", "jobs"],
            &["api", "v1", "generate"],
            &["v1", "tenants"],
            &["v1", "tenants", "ten_x", "keys"],
            &["v1", "keys"],
            &["v1", "webhooks", "wh_x", "secret", "rotate"],
        ] {
            assert!(instead_of_repeating("POST", path).is_some(), "{path:?}");
        }
    }
}
