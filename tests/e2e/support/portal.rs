//! Visitors of a tenant's portal.

use postrider_domain::key::hash_of;
use serde_json::Value;

use super::api::{Api, text};
use super::rows::{Row, Rows, n, s};
use super::world::World;

/// Somebody in a session.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(crate) api: Api,
    /// The session's id.
    pub(crate) id: String,
    /// What he sends.
    pub(crate) text: String,
}

impl World {
    /// A link to a tenant's portal: its token, and the session's id.
    pub(crate) async fn link(&self, tenant: &str, body: &Value) -> (String, String) {
        let made = self.admin.post(&format!("/v1/tenants/{tenant}/portal"), body).await.ok(201);
        let (_, token) = text(&made, "url").rsplit_once("/portal/enter/").expect("a link to the page that uses it up");
        (token.to_owned(), text(&made, "session_id").to_owned())
    }

    /// Somebody who has followed such a link.
    pub(crate) async fn visitor(&self, tenant: &str, body: &Value) -> Visitor {
        let (token, _) = self.link(tenant, body).await;
        let begun = self.anonymous.post("/v1/portal/sessions", &serde_json::json!({"token": token})).await.ok(201);
        let (text, id) = (text(&begun, "session").to_owned(), text(&begun, "session_id").to_owned());
        Visitor { api: self.anonymous.with_key(&text), id, text }
    }
}

impl Rows {
    /// Lets a link have been made so long ago that it does not work any more.
    pub(crate) async fn link_is_late(&self, token: &str) {
        self.amend_at(&format!("PORTAL#{}", hash_of(token)), "LINK", "usable_until", n(1)).await;
    }

    /// Lets a session's time be over.
    pub(crate) async fn session_is_over(&self, session: &str) {
        self.amend_at(&format!("SESSION#{}", hash_of(session)), "SESSION", "expires_at", n(1)).await;
    }

    /// Gives a tenant so many sessions more, which nobody is in.
    pub(crate) async fn copy_session(&self, tenant: &str, id: &str, count: usize) {
        let row = self.listed_session(tenant, id).await;
        let copy = |number: usize| {
            // The end of them stays: it is what the id begins with.
            let sort = format!("SESSION#{}{number:08}", &id[..id.len() - 8]);
            row.clone().into_iter().chain([("sk".to_owned(), s(sort))]).collect::<Row>()
        };
        self.put_config((0..count).map(copy)).await;
    }
}
