//! Tenants by their provider's own ids, and what the provider keeps beside them.

use std::collections::BTreeSet;

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::api::text;
use crate::support::time::instant;
use crate::support::{Api, World};

/// An external id that no other test has.
fn own(name: &str) -> String {
    format!("{name}-{}", Timestamp::now().as_nanosecond())
}

async fn names(admin: &Api, tenant: &Value) -> Value {
    admin.get(&format!("/v1/tenants/{}", text(tenant, "id"))).await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_knows_only_its_own_id_makes_and_changes_its_tenant() {
    let world = World::open();
    let (admin, external_id) = (&world.admin, own("customer"));
    let path = format!("/v1/tenants/ext:{external_id}");
    admin.get(&path).await.refused(404, "not_found");
    let body = json!({"name": "Acme", "plan": "pro", "metadata": {"crm": "0042-17"}});
    let made = admin.put(&path, &body).await.ok(201);
    assert_eq!((&made["external_id"], &made["metadata"]), (&json!(external_id), &json!({"crm": "0042-17"})));
    instant(text(&made, "created_at"));
    let changed = admin.put(&path, &json!({"name": "Acme & Sons", "plan": "free"})).await.ok(200);
    assert_eq!(
        (&changed["id"], &changed["name"], &changed["plan"]),
        (&made["id"], &json!("Acme & Sons"), &json!("free"))
    );
    assert_eq!(changed["metadata"], json!({"crm": "0042-17"}), "what is left out stays");
    assert_eq!(admin.get(&path).await.ok(200), changed);
    assert_eq!(names(admin, &made).await, changed, "by either id it is the same");

    let key = admin.post(&format!("{path}/keys"), &json!({"dialect": "standard"})).await.ok(201);
    let listed = admin.get(&format!("{path}/keys")).await.ok(200);
    assert_eq!(listed["keys"][0]["id"], key["id"]);
    let customer = world.anonymous.with_key(text(&key, "key"));
    customer.get("/v1/webhooks").await.ok(200);
    admin.post(&format!("{path}/secret/rotate"), &json!({})).await.ok(200);
    admin.delete(&format!("{path}/keys/{}", text(&key, "id"))).await.ok(204);
    let stats = admin.get(&format!("{path}/stats")).await.ok(200);
    let none = json!({"retrying": 0, "failed": 0, "cancelled": 0});
    assert_eq!(stats, json!({"deliveries": none, "seen": 0, "complete": true}));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_make_the_same_tenant_at_once_one_makes_it() {
    let world = World::open();
    let path = format!("/v1/tenants/ext:{}", own("race"));
    let body = json!({"name": "Acme", "plan": "pro"});
    let answers = join_all((0..8).map(|_| world.admin.put(&path, &body))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    // Who is overtaken each time is told so; nobody makes a second one.
    assert!(statuses.iter().all(|status| [200, 201, 409].contains(status)), "{statuses:?}");
    let made = answers.iter().filter(|answer| answer.status < 300).map(|answer| answer.json()["id"].clone());
    let made: BTreeSet<String> = made.map(|id| id.to_string()).collect();
    assert_eq!(made.len(), 1, "they all speak of one tenant");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_tenants_have_one_external_id_and_what_one_gives_back_another_can_have() {
    let world = World::open();
    let (admin, first, second) = (&world.admin, own("first"), own("second"));
    let body = |external_id: &str| json!({"name": "Acme", "plan": "pro", "external_id": external_id});
    let one = admin.post("/v1/tenants", &body(&first)).await.ok(201);
    admin.post("/v1/tenants", &body(&first)).await.refused(409, "conflict");
    let other = admin.post("/v1/tenants", &body(&second)).await.ok(201);
    let (one_path, other_path) = [&one, &other].map(|tenant| format!("/v1/tenants/{}", text(tenant, "id"))).into();
    admin.patch(&one_path, &json!({"external_id": second})).await.refused(409, "conflict");
    assert_eq!(names(admin, &one).await["external_id"], json!(first), "nothing is half-written");
    admin.patch(&other_path, &json!({"external_id": null})).await.ok(200);
    assert_eq!(names(admin, &other).await.get("external_id"), None);
    let moved = admin.patch(&one_path, &json!({"external_id": second, "metadata": {"a": "b"}})).await.ok(200);
    assert_eq!((&moved["external_id"], &moved["metadata"]), (&json!(second), &json!({"a": "b"})));
    admin.get(&format!("/v1/tenants/ext:{first}")).await.refused(404, "not_found");
    assert_eq!(admin.get(&format!("/v1/tenants/ext:{second}")).await.ok(200)["id"], one["id"]);
    let without = admin.patch(&one_path, &json!({"metadata": null})).await.ok(200);
    assert_eq!(without.get("metadata"), None);
    // The name that was given back makes a tenant of its own.
    let anew = admin.put(&format!("/v1/tenants/ext:{first}"), &json!({"name": "Anew", "plan": "free"})).await.ok(201);
    assert_ne!(anew["id"], one["id"]);
}
