//! Programs that the portal shows for verifying a webhook's requests, and requests that the engine itself has signed for them.

use std::error::Error;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use portal::code::{Runtime, program};
use postrider_domain::dialect::{self, Dialect};
use postrider_domain::secret::{KeyDerivation, Secret};
use postrider_domain::signature;
use serde_json::{Map, Value, json};

use crate::dialects::signature as told;

/// The operator's dialects of the tests.
const WRITTEN: &str = include_str!("../../e2e/dialects.json");
/// Ways to sign that none of these has, and texts that would end a literal.
const ODD: &str = r#"[
    {"name": "odd", "key_prefix": "odd_", "body": "data_alone", "timeout_seconds": 5, "retry_seconds": [],
     "signature": {"header": "X-Odd-Signature", "prefix": "s\"'$s#{s}\\=", "encoding": "hex", "base64_after": "k'\"$k#{k}\\_",
                   "id_header": "X-Odd-Id", "timestamp_header": "X-Odd-Timestamp"}},
    {"name": "dated", "key_prefix": "dated_", "body": "data_alone", "timeout_seconds": 5, "retry_seconds": [],
     "signature": {"header": "X-Dated-Signature", "encoding": "base64",
                   "id_header": "X-Dated-Id", "timestamp_header": "X-Dated-Timestamp"}}
]"#;
/// JSON that no printer writes again as it stands.
const BODY: &str = r#"{"type":"invoice.paid",  "data": {"amount": 1.0, "to": "M\u00fcller", "from": "Bäcker"}}"#;
/// Beyond what a receiver takes for the present.
const FAR: SignedDuration = SignedDuration::from_secs(400);

/// By the dialect's name.
pub(crate) fn by_dialect() -> Result<Value, Box<dyn Error>> {
    let mut extra: Vec<Value> = serde_json::from_str(WRITTEN)?;
    extra.extend(serde_json::from_str::<Vec<Value>>(ODD)?);
    dialect::extend(&Value::from(extra).to_string())?;
    let now = Timestamp::try_from(SystemTime::now())?;
    let of = |dialect: &Dialect| Ok((dialect.name.to_owned(), of(dialect, now)?));
    Ok(Value::Object(dialect::all().map(of).collect::<Result<Map<_, _>, Box<dyn Error>>>()?))
}

fn of(dialect: &Dialect, now: Timestamp) -> Result<Value, Box<dyn Error>> {
    let programs: Map<_, _> =
        Runtime::ALL.iter().map(|runtime| (runtime.file().to_owned(), program(*runtime, dialect).into())).collect();
    let [new, old, other] = [7, 8, 9].map(|byte| secret(dialect, byte));
    let request = |secrets: &[Secret], at| {
        let headers = signature::headers(&dialect.signing, secrets, "evt_1", at, BODY.as_bytes());
        let headers: Map<_, _> =
            headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.into())).collect();
        json!({"headers": headers, "body": BODY})
    };
    Ok(json!({
        "signature": told(&dialect.signing),
        "programs": programs,
        "secrets": {"new": new.expose(), "old": old.expose(), "other": other.expose()},
        "requests": {
            "new": request(std::slice::from_ref(&new), now),
            "old": request(std::slice::from_ref(&old), now),
            "rotating": request(&[new.clone(), old], now),
            "late": request(std::slice::from_ref(&new), now.checked_sub(FAR)?),
            "early": request(&[new], now.checked_add(FAR)?),
        },
    }))
}

fn secret(dialect: &Dialect, byte: u8) -> Secret {
    match dialect.signing.key {
        KeyDerivation::WholeText => Secret::stored(format!("whsec_schlüssel {byte}")),
        after => Secret::generate(&[byte; 32], after),
    }
}
