//! Whom a route lets in.

use postrider_domain::dialect::STANDARD;
use postrider_domain::key::Scope;

use crate::{Answer, Call, Caller, Script};

/// POSTs that only show something: what they are asked about has no room in a query.
const SHOWING: [&str; 3] = ["/filter/test", "/preview", "/v1/verify"];

/// Holds a route to the scope that its table names: without a key it is 401, with a key of all other scopes 403, and AWS is asked
/// for nothing but the key. What only shows wants a scope to read, and what changes something none of those.
pub async fn assert_scope(scope: &str, call: &Call, answered: impl AsyncFn(&Script, Call) -> Answer) {
    let shows = call.method() == "GET" || SHOWING.iter().any(|end| call.path().ends_with(end));
    assert_eq!(shows, scope.ends_with(":read"), "{call:?}");
    assert_eq!(answered(&Script::default(), call.clone()).await.status, 401, "{call:?}");
    let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other.as_str() != scope).collect();
    let someone = Caller::of_tenant(1, &STANDARD, &others);
    let script = Script::default().holding("config", someone.rows());
    assert_eq!(answered(&script, call.clone().by(&someone)).await.status, 403, "{call:?}");
}
