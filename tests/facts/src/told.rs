//! What the portal says of the ledger's words.

use portal::told;
use postrider_domain::attempt::Code;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::endpoint::parking::Cause;
use serde_json::{Map, Value, json};

pub(crate) fn words() -> Value {
    json!({
        "outcomes": by_name(Code::ALL, Code::as_str, |code| json!(told::outcome(code))),
        "statuses": by_name(Status::ALL, Status::as_str, |status| json!([told::status(status)])),
        "reasons": by_name(Reason::ALL, Reason::as_str, |reason| json!([told::reason(reason)])),
        "causes": by_name(Cause::ALL, Cause::as_str, |cause| json!([told::cause(cause)])),
        "http": told::statuses().map(|(called, advice)| (called.to_owned(), json!([advice]))).collect::<Map<_, _>>(),
        "tls": told::tls().map(|(errors, advice)| (errors.join("; "), json!([advice]))).collect::<Map<_, _>>(),
    })
}

fn by_name<T: Copy>(all: &[T], name: fn(T) -> &'static str, told: fn(T) -> Value) -> Map<String, Value> {
    all.iter().map(|one| (name(*one).to_owned(), told(*one))).collect()
}
