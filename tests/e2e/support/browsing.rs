//! Whoever reads the portal's pages without a browser: what a page says, and forms that are posted as a browser posts them.

use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use serde_json::json;

use super::portal::Visitor;
use super::world::World;
use super::{SOON, until};

/// Somebody in a session, at the portal's pages.
#[derive(Debug)]
pub(crate) struct Reader {
    http: Client,
    base: String,
    cookie: String,
}

/// A page, or where it sends its reader on.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

impl World {
    /// The visitor as a reader of pages.
    pub(crate) fn reader(&self, visitor: &Visitor) -> Reader {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().expect("a plain client should build");
        let base = format!("{}/portal", self.stack.api_url.trim_end_matches('/'));
        Reader { http, base, cookie: format!("__Secure-portal={}", visitor.text) }
    }

    /// A new visitor of a tenant's portal who may these things, as a reader of pages.
    pub(crate) async fn reader_who(&self, tenant: &str, capabilities: &[&str]) -> Reader {
        self.reader(&self.visitor(tenant, &json!({"capabilities": capabilities})).await)
    }
}

impl Reader {
    pub(crate) async fn opens(&self, path: &str) -> Page {
        self.page(self.http.get(format!("{}/{path}", self.base))).await
    }

    /// A page, once it has all of this.
    pub(crate) async fn finds(&self, path: &str, parts: &[&str]) -> Page {
        until(&format!("{path} to have {parts:?}"), 2 * SOON, || async {
            let page = self.opens(path).await;
            if parts.iter().all(|part| page.text.contains(part)) { Ok(page) } else { Err(page.text) }
        })
        .await
    }

    /// Fills in a form of this page, and posts it to that path.
    pub(crate) async fn posts(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Page {
        let (_, rest) = page.text.split_once("name=\"form\" value=\"").expect("every page has a form");
        let (token, _) = rest.split_once('"').expect("it has a token");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let body = form.append_pair("form", token).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}/{path}", self.base)).body(body);
        self.page(
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin"),
        )
        .await
    }

    async fn page(&self, request: RequestBuilder) -> Page {
        let response = request.header(COOKIE, &self.cookie).send().await.expect("the portal should answer");
        let status = response.status().as_u16();
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Page { status, location, text: response.text().await.expect("a page should be text") }
    }
}

impl Page {
    /// The part of a table or of a list of cards that has this in it.
    pub(crate) fn part(&self, with: &str) -> &str {
        let parts = || self.text.split("<li class=\"card\">").flat_map(|part| part.split("<tr>")).skip(1);
        parts().find(|part| part.contains(with)).unwrap_or_else(|| panic!("nothing of {with}: {}", self.text))
    }
}
