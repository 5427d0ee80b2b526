//! Calls that make something, under a key of their caller's: the same key again is the same call.

use sha2::{Digest as _, Sha256};

use crate::id::{KeyId, SessionId, TenantId};
use crate::idempotency_key;
use crate::invalid::Invalid;
use crate::json;

/// The header that holds the key.
pub const HEADER: &str = "Idempotency-Key";
/// How long a key stands for its call, in seconds.
pub const KEPT_SECONDS: i64 = 48 * 3600;

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub enum CalledBy<'a> {
    /// A tenant, with any of its keys.
    Tenant(&'a TenantId),
    /// A visitor of a tenant's portal, in this session: what he is shown, no other is.
    Session(&'a TenantId, &'a SessionId),
    /// The provider, with this key.
    Provider(&'a KeyId),
    /// The operator.
    Operator,
}

/// A call by its caller and his key: no other caller, route or thing in its path has the same. The key's text stands nowhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallKey {
    caller: String,
    digest: String,
}

impl CallKey {
    /// The call of this key on a route such as `POST /v1/tenants/{id}/keys`, of which `path` are the variables.
    ///
    /// # Errors
    /// [`Invalid`] for [`HEADER`] when the key is none.
    pub fn new(by: CalledBy<'_>, route: &str, path: &[&str], key: &str) -> Result<Self, Invalid> {
        idempotency_key::check(HEADER, key)?;
        // Ids differ in what they begin with, and none is this word.
        let caller = match by {
            // Where the tenant's deletion looks for it.
            CalledBy::Tenant(id) | CalledBy::Session(id, _) => id.as_str(),
            CalledBy::Provider(id) => id.as_str(),
            CalledBy::Operator => "operator",
        };
        let session = if let CalledBy::Session(_, id) = by { Some(id.as_str()) } else { None };
        let mut hash = Sha256::new();
        for part in session.iter().chain([&route]).chain(path).chain([&key]) {
            // Its length before each part, so that none runs into the next.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Ok(Self { caller: caller.to_owned(), digest: hex::encode(hash.finalize()) })
    }

    /// Whose it is: `ten_…`, `key_…` or `operator`.
    pub fn caller(&self) -> &str {
        &self.caller
    }

    /// What tells it from the others of its caller.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What its answer is sealed for.
    pub fn owner(&self) -> String {
        format!("calls/{}/{}", self.caller, self.digest)
    }
}

/// A digest of what a call asks for: of what its body says, and not of how that is written, so that a program that writes it anew asks for the same. `made_as` is what else decides on what is made, such as the dialect of the caller's key.
///
/// # Errors
/// [`Invalid`] when the body is no JSON.
pub fn asked(body: &[u8], made_as: &str) -> Result<String, Invalid> {
    let canonical = std::str::from_utf8(body).ok().and_then(json::canonical);
    let canonical = canonical.ok_or_else(|| Invalid::new("body", "a JSON object"))?;
    Ok(hex::encode(Sha256::digest(format!("{}:{made_as}{canonical}", made_as.len()))))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;

    use super::*;

    const ROUTE: &str = "POST /v1/webhooks/create";

    fn key(by: CalledBy<'_>, route: &str, path: &[&str], key: &str) -> (String, String) {
        let key = CallKey::new(by, route, path, key).unwrap();
        (key.caller().to_owned(), key.digest().to_owned())
    }

    #[test]
    fn nobody_has_anothers_call() {
        let at = Timestamp::UNIX_EPOCH;
        let tenants = [1, 2].map(|number| TenantId::new(at, number));
        let provider = KeyId::new(at, 1);
        let sessions = [1, 2].map(|number| SessionId::ending(at, number));
        let callers = [
            CalledBy::Tenant(&tenants[0]),
            CalledBy::Tenant(&tenants[1]),
            CalledBy::Session(&tenants[0], &sessions[0]),
            CalledBy::Session(&tenants[0], &sessions[1]),
            CalledBy::Provider(&provider),
            CalledBy::Operator,
        ];
        let mut seen = HashSet::new();
        for caller in callers {
            for (route, path, text) in [
                (ROUTE, &[][..], "a"),
                (ROUTE, &[], "b"),
                (ROUTE, &["a"], "b"),
                (ROUTE, &["ab"], ""),
                ("POST /v1/keys", &[], "a"),
                ("POST /v1/tenants/{id}/keys", &["ten_1"], "a"),
                ("POST /v1/tenants/{id}/keys", &["ten_2"], "a"),
            ] {
                let text = if text.is_empty() { " " } else { text };
                assert!(seen.insert(key(caller, route, path, text)), "{caller:?} {route} {path:?} {text}");
            }
        }
        assert!(seen.iter().all(|(caller, digest)| digest.len() == 64 && !caller.contains('/')));
    }

    #[test]
    fn a_key_is_one_or_its_header_is_named() {
        for bad in ["", "a\nb", &"a".repeat(257)] {
            let invalid = CallKey::new(CalledBy::Operator, ROUTE, &[], bad).unwrap_err();
            assert_eq!(invalid.field, "Idempotency-Key");
        }
    }

    #[test]
    fn the_same_written_anew_asks_for_the_same() {
        let body = br#"{"url":"https://a.example/","events":["a","b"],"n":1.0}"#;
        let anew = b"{ \"n\": 1, \"events\": [\"a\", \"b\"],\n \"url\": \"https:\\/\\/a.example/\" }";
        assert_eq!(asked(body, "nur"), asked(anew, "nur"));
        for other in
            [&br#"{"url":"https://a.example/","events":["b","a"],"n":1}"#[..], br#"{"url":"https://a.example/"}"#]
        {
            assert_ne!(asked(body, "nur"), asked(other, "nur"));
        }
        assert_ne!(asked(body, "nur"), asked(body, "standard"));
        assert_eq!(asked(b"\xff", "").unwrap_err().field, "body");
    }
}
