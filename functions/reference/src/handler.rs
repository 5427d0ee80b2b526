//! The routes.

use std::sync::LazyLock;

use postrider_api::{AnybodyAccess, ApiError, Request, Response, Route, Routed};
use postrider_domain::key::hash_of;
use serde_json::Value;

use crate::operations;
use crate::page::Page;

/// As `make openapi` writes it down; `make check` says when it is stale.
const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
/// It changes with a release, after which nobody should wait for long.
const CACHED: &str = "public, max-age=300";
const HTML: &str = "text/html; charset=utf-8";
/// Changes with the document.
static TAG: LazyLock<String> = LazyLock::new(|| format!("\"{}\"", &hash_of(DOCUMENT)[..32]));

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
    let response =
        if has(request, &TAG) { Response::not_modified() } else { Response::text("application/json", DOCUMENT) };
    Ok(response.header("etag", TAG.as_str()).header("cache-control", CACHED))
}

fn docs(request: &Request) -> Result<Response, ApiError> {
    request.only_query(&[])?;
    let page = &*PAGE;
    let response = if has(request, &page.tag) {
        Response::not_modified()
    } else if takes_gzip(request) {
        Response::gzipped(HTML, &page.gzipped)
    } else {
        Response::text(HTML, &page.text)
    };
    Ok(response
        .header("etag", page.tag.as_str())
        .header("cache-control", CACHED)
        .header("vary", "accept-encoding")
        .header("content-security-policy", page.policy.as_str())
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer"))
}

/// Whether a caller has what this tag stands for. A proxy that compresses what it passes on makes a weak tag of a strong one.
fn has(request: &Request, tag: &str) -> bool {
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|one| plain(one) == plain(tag)))
}

/// Whether a caller takes gzip: one that refuses it says so with `q=0`.
fn takes_gzip(request: &Request) -> bool {
    let mut codings = request.header("accept-encoding").unwrap_or_default().split(',');
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
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

    async fn told(call: Call) -> Value {
        serde_json::to_value(serve(&Reference, call.event()).await).unwrap()
    }

    #[tokio::test]
    async fn everybody_gets_the_page_which_may_load_nothing() {
        let call = || Call::new("GET", "/docs");
        let first = told(call()).await;
        assert_eq!((&first["statusCode"], &first["isBase64Encoded"]), (&200.into(), &false.into()));
        assert_eq!(first["body"], PAGE.text.as_str());
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
    async fn whoever_takes_gzip_gets_the_same_page_smaller() {
        let asked = async |accepted: &str| told(Call::new("GET", "/docs").header("accept-encoding", accepted)).await;
        for accepted in ["gzip", "br, gzip;q=0.5", "deflate,GZIP"] {
            let packed = asked(accepted).await;
            assert_eq!(
                (&packed["headers"]["content-encoding"], &packed["isBase64Encoded"]),
                (&"gzip".into(), &true.into())
            );
            let body = BASE64_STANDARD.decode(packed["body"].as_str().unwrap()).unwrap();
            let mut page = String::new();
            GzDecoder::new(body.as_slice()).read_to_string(&mut page).unwrap();
            assert!(page == PAGE.text, "{accepted}");
        }
        for accepted in ["", "br", "gzip;q=0", "gzip;q=0.0, br"] {
            let plain = asked(accepted).await;
            assert_eq!(plain["headers"].get("content-encoding"), None, "{accepted}");
            assert_eq!(plain["headers"]["vary"], "accept-encoding");
        }
    }
}
