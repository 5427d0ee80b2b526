//! The routes.

use std::sync::LazyLock;

use postrider_api::{AnybodyAccess, ApiError, Request, Response, Route, Routed};
use serde_json::Value;

use crate::operations;
use crate::page::Page;
use crate::published::Published;

/// As `make openapi` writes it down; `make check` says when it is stale.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
/// Made when somebody asks for it first.
static OPENAPI: LazyLock<Published> = LazyLock::new(|| Published::new("application/json", DOCUMENT.to_owned()));

/// Made when somebody asks for it first.
static PAGE: LazyLock<Page> = LazyLock::new(|| Page::of(&serde_json::from_str(DOCUMENT).unwrap_or(Value::Null)));

/// What the routes need: nothing.
pub struct Reference;

impl Routed for Reference {
    type Access = AnybodyAccess;
    type Caller = ();

    const ROUTES: &'static [Route<Self>] = &[
        Route::get("/v1/openapi.json", AnybodyAccess, operations::openapi, |_, request, (), _| {
            Box::pin(async { openapi(request) })
        }),
        Route::get("/docs", AnybodyAccess, operations::docs, |_, request, (), _| Box::pin(async { docs(request) })),
    ];

    async fn admit(&self, _: &Request, _: &AnybodyAccess) -> Result<(), ApiError> {
        Ok(())
    }
}

fn openapi(request: &Request) -> Result<Response, ApiError> {
    request.only_query(&[])?;
    Ok(OPENAPI.answer(request))
}

fn docs(request: &Request) -> Result<Response, ApiError> {
    request.only_query(&[])?;
    let page = &*PAGE;
    Ok(page
        .published
        .answer(request)
        .header("content-security-policy", page.policy.as_str())
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use flate2::read::GzDecoder;
    use postrider_api::serve;
    use replay::{Answer, Call};

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
        for known in [tag.to_owned(), tag.trim_start_matches("W/").to_owned(), format!("\"x\", {tag}")] {
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

    async fn told(call: Call) -> Value {
        serde_json::to_value(serve(&Reference, call.event()).await).unwrap()
    }

    #[tokio::test]
    async fn everybody_gets_the_page_which_may_load_nothing() {
        let call = || Call::new("GET", "/docs");
        let first = told(call()).await;
        assert_eq!((&first["statusCode"], &first["isBase64Encoded"]), (&200.into(), &false.into()));
        assert_eq!(first["body"], PAGE.published.text.as_str());
        let headers = &first["headers"];
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(
            (&headers["x-content-type-options"], &headers["referrer-policy"]),
            (&"nosniff".into(), &"no-referrer".into())
        );
        let policy = headers["content-security-policy"].as_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        let tag = headers["etag"].as_str().unwrap();
        for known in [tag, tag.trim_start_matches("W/")] {
            let again = told(call().header("if-none-match", known)).await;
            assert_eq!((&again["statusCode"], &again["body"]), (&304.into(), &Value::Null), "{known}");
        }
        assert_eq!(told(call().query("theme=dark")).await["statusCode"], 400);
    }

    #[tokio::test]
    async fn whoever_takes_gzip_gets_the_same_smaller() {
        let asked = async |path, accepted| told(Call::new("GET", path).header("accept-encoding", accepted)).await;
        let published = [("/docs", PAGE.published.text.as_str()), ("/v1/openapi.json", DOCUMENT)];
        let by_gzip = ["gzip", "br, gzip;q=0.5", "deflate,GZIP"];
        for ((path, text), accepted) in published.iter().flat_map(|one| by_gzip.map(|accepted| (*one, accepted))) {
            let packed = asked(path, accepted).await;
            assert_eq!(
                (&packed["headers"]["content-encoding"], &packed["isBase64Encoded"]),
                (&"gzip".into(), &true.into())
            );
            let body = BASE64_STANDARD.decode(packed["body"].as_str().unwrap()).unwrap();
            let mut read = String::new();
            GzDecoder::new(body.as_slice()).read_to_string(&mut read).unwrap();
            assert!(read == text && body.len() * 4 < text.len(), "{path} {accepted}");
        }
        let plainly = ["", "br", "gzip;q=0", "gzip;q=0.0, br"];
        for ((path, _), accepted) in published.iter().flat_map(|one| plainly.map(|accepted| (*one, accepted))) {
            let plain = asked(path, accepted).await;
            assert_eq!(plain["headers"].get("content-encoding"), None, "{path} {accepted}");
            assert_eq!(plain["headers"]["vary"], "accept-encoding");
        }
    }
}
