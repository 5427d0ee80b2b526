//! A test's own corner of the stack: its tenants, with their keys, webhooks and events.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, text};
use super::aws::Aws;
use super::poll::{SOON, until};
use super::stack::Stack;

/// The stack with an operator's credential.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stack: &'static Stack,
    pub(crate) anonymous: Api,
    pub(crate) admin: Api,
    pub(crate) aws: Aws,
}

impl World {
    /// The running stack. Without one the test fails, and says what to do.
    #[track_caller]
    pub(crate) fn open() -> Self {
        Self::of(Stack::running())
    }

    pub(crate) fn of(stack: &'static Stack) -> Self {
        let anonymous = Api::anonymous(&stack.api_url);
        Self { stack, admin: anonymous.with_key(&stack.admin_key), anonymous, aws: Aws::of(stack) }
    }

    /// A new tenant with a key of the nur dialect that has every scope of a customer, and publishes besides.
    pub(crate) async fn tenant(&self) -> Tenant {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("Test {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let made = self.admin.post("/v1/tenants", &json!({"name": name, "plan": "pro"})).await.ok(201);
        let id = text(&made, "id").to_owned();
        let key = self.key(&id, &publishing("nur")).await;
        Tenant { api: self.anonymous.with_key(text(&key, "key")), key_id: text(&key, "id").to_owned(), id }
    }

    /// A new key of a tenant, as the API answers it.
    pub(crate) async fn key(&self, tenant_id: &str, body: &Value) -> Value {
        self.admin.post(&format!("/v1/tenants/{tenant_id}/keys"), body).await.ok(201)
    }

    /// The API with a new provider key.
    pub(crate) async fn provider(&self, scopes: &[&str]) -> Api {
        let made = self.admin.post("/v1/keys", &json!({"scopes": scopes})).await.ok(201);
        self.anonymous.with_key(text(&made, "key"))
    }
}

/// The body that makes a tenant's key with every scope of a customer's, and the one to publish, which must be asked for.
pub(crate) fn publishing(dialect: &str) -> Value {
    json!({"dialect": dialect, "scopes": [
        "webhooks:read", "webhooks:write", "events:write", "jobs:read", "jobs:write", "deliveries:read",
        "deliveries:write"]})
}

/// A tenant with one key.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) key_id: String,
    pub(crate) api: Api,
}

impl Tenant {
    /// Registers a webhook without a secret; returns its id.
    pub(crate) async fn webhook(&self, url: &str, events: &[&str]) -> String {
        self.create(&json!({"url": url, "events": events})).await
    }

    /// Registers a webhook; returns its id.
    pub(crate) async fn create(&self, body: &Value) -> String {
        text(&self.api.post("/v1/webhooks/create", body).await.ok(201), "id").to_owned()
    }

    /// Publishes an event; returns its id.
    pub(crate) async fn publish(&self, event: &str, data: &Value) -> String {
        text(&self.api.post("/v1/events", &json!({"event": event, "data": data})).await.ok(202), "id").to_owned()
    }

    /// The ledger's row of an event for a webhook, once fan-out has written it.
    pub(crate) async fn delivery_of(&self, event_id: &str, webhook_id: &str) -> String {
        until(&format!("a delivery of {event_id} to {webhook_id}"), SOON, || async {
            let event = self.api.get(&format!("/v1/events/{event_id}")).await.ok(200);
            let rows = event["deliveries"].as_array().cloned().unwrap_or_default();
            let found = rows.iter().find(|row| row["webhook_id"] == webhook_id);
            found.map(|row| text(row, "id").to_owned()).ok_or_else(|| event.to_string())
        })
        .await
    }

    /// The delivery as the ledger has it now.
    pub(crate) async fn delivery(&self, delivery_id: &str) -> Value {
        self.api.get(&format!("/v1/deliveries/{delivery_id}")).await.ok(200)
    }

    /// The delivery once it has `attempts` attempts and the status.
    pub(crate) async fn settled(&self, delivery_id: &str, status: &str, attempts: usize) -> Value {
        self.settled_within(delivery_id, status, attempts, SOON).await
    }

    pub(crate) async fn settled_within(&self, id: &str, status: &str, attempts: usize, within: Duration) -> Value {
        until(&format!("{id} to be {status} after {attempts} attempts"), within, || async {
            let delivery = self.delivery(id).await;
            let made = delivery["attempts"].as_array().map_or(0, Vec::len);
            if delivery["status"] == status && made == attempts { Ok(delivery) } else { Err(delivery.to_string()) }
        })
        .await
    }

    /// Every delivery of a webhook that a query finds, page by page.
    pub(crate) async fn deliveries(&self, webhook_id: &str, query: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.api.get(&format!("/v1/webhooks/{webhook_id}/deliveries?{query}{cursor}")).await.ok(200);
            found.extend(page["deliveries"].as_array().expect("a page should list deliveries").iter().cloned());
            let pagination = &page["pagination"];
            if pagination["has_more"] == false {
                assert_eq!(pagination["next_cursor"], Value::Null, "a last page needs no cursor: {page}");
                return found;
            }
            cursor = format!("&cursor={}", text(pagination, "next_cursor"));
        }
    }
}
