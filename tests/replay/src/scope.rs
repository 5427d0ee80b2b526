//! Whom a route lets in.

use postrider_domain::dialect::STANDARD;
use postrider_domain::key::Scope;

use crate::{Answer, Call, Caller, Script};

/// What is asked by a POST, since a question does not fit a path, and changes nothing.
const ASKING: [&str; 1] = ["/v1/verify"];

/// Holds a route to the scope that its table names: without a key it is 401, with a key of all other scopes 403, and AWS is asked
/// for nothing but the key. What only shows wants a scope to read, and what changes something none of those.
pub async fn assert_scope(scope: &str, call: &Call, answered: impl AsyncFn(&Script, Call) -> Answer) {
    let only_shows = call.method() == "GET" || ASKING.contains(&call.path());
    assert_eq!(only_shows, scope.ends_with(":read"), "{call:?}");
    assert_eq!(answered(&Script::default(), call.clone()).await.status, 401, "{call:?}");
    let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other.as_str() != scope).collect();
    let someone = Caller::of_tenant(1, &STANDARD, &others);
    let script = Script::default().holding("config", someone.rows());
    assert_eq!(answered(&script, call.clone().by(&someone)).await.status, 403, "{call:?}");
}
