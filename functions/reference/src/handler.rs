//! The routes. A page that renders the document has its place here, beside it.

use std::sync::LazyLock;

use postrider_api::{AnybodyAccess, ApiError, Request, Response, Route, Routed};
use postrider_domain::key::hash_of;

use crate::operations;

/// As `make openapi` writes it down; `make check` says when it is stale.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
/// It changes with a release, after which nobody should wait for long.
const CACHED: &str = "public, max-age=300";
/// Changes with the document.
static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", &hash_of(DOCUMENT)[..32]));

/// What the routes need: nothing.
pub struct Reference;

impl Routed for Reference {
    type Access = AnybodyAccess;
    type Caller = ();

    const ROUTES: &'static [Route<Self>] =
        &[Route::get("/v1/openapi.json", AnybodyAccess, operations::openapi, |_, request, (), _| {
            Box::pin(async { openapi(request) })
        })];

    async fn admit(&self, _: &Request, _: &AnybodyAccess) -> Result<(), ApiError> {
        Ok(())
    }
}

fn openapi(request: &Request) -> Result<Response, ApiError> {
    request.only_query(&[])?;
    // A proxy that compresses what it passes on makes a weak tag of it.
    let has_it = |tags: &str| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == TAG.as_str());
    let response = match request.header("if-none-match") {
        Some(tags) if has_it(tags) => Response::not_modified(),
        _ => Response::text("application/json", DOCUMENT),
    };
    Ok(response.header("etag", TAG.as_str()).header("cache-control", CACHED))
}

#[cfg(test)]
mod tests {
    use postrider_api::serve;
    use replay::{Answer, Call};
    use serde_json::Value;

    use super::*;

    async fn asked(call: Call) -> Answer {
        Answer::of(&serve(&Reference, call.event()).await)
    }

    #[tokio::test]
    async fn everybody_gets_the_document_once() {
        let call = || Call::new("GET", "/v1/openapi.json");
        let first = asked(call()).await;
        assert_eq!((first.status, &first.headers["content-type"]), (200, &Value::from("application/json")));
        assert_eq!(first.body, serde_json::from_str::<Value>(DOCUMENT).unwrap());
        let tag = first.headers["etag"].as_str().unwrap();
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let again = asked(call().header("if-none-match", &known)).await;
            assert_eq!(
                (again.status, &again.body, &again.headers["etag"]),
                (304, &Value::Null, &tag.into()),
                "{known}"
            );
        }
        assert_eq!(asked(call().header("if-none-match", "\"x\"")).await.status, 200);
        assert_eq!(asked(call().query("pretty=1")).await.status, 400);
    }
}
