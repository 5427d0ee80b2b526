//! Event types of the deployment: who writes and reads them, and that events are held to them, whichever way they come.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::api::{Api, keys, text};
use crate::support::bus::put;
use crate::support::rows::event_row;
use crate::support::world::Tenant;
use crate::support::{SOON, World, until};

const EVENT: &str = "Postrider Event";
/// So late a change counts everywhere, and what a round of tries takes besides.
const A_MINUTE: Duration = Duration::from_secs(75);
/// A row that is written a minute after a change, and what it takes to see one.
const ROWS_MINUTE: Duration = Duration::from_secs(110);

/// A standard tenant, and a name that no other test has.
async fn publisher(world: &World) -> (Tenant, String) {
    let tenant = world.tenant_on("standard", "pro").await;
    let name = format!("{}.paid", tenant.id);
    (tenant, name)
}

fn amount(kind: &str) -> Value {
    json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": kind}}})
}

/// The errors of a refusal, wherever they stand.
fn errors(told: &Value) -> Value {
    told["details"]["errors"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_is_made_shown_listed_changed_and_deleted() {
    let world = World::open();
    let (tenant, name) = publisher(&world).await;
    let provider = world.provider(&["event_types:write"]).await;
    let path = format!("/v1/event-types/{name}");
    let body =
        json!({"name": name, "description": "It was paid.", "schema": amount("integer"), "example": {"amount": 1}});
    let made = provider.post("/v1/event-types", &body).await.ok(201);
    assert_eq!(
        (&made["schema"], &made["example"], &made["built_in"]),
        (&body["schema"], &body["example"], &json!(false))
    );
    assert_eq!(tenant.api.get(&path).await.ok(200), made);
    provider.post("/v1/event-types", &body).await.refused(409, "conflict");
    let listed = async |query: &str| {
        let page = tenant.api.get(&format!("/v1/event-types?prefix={}{query}", tenant.id)).await.ok(200);
        assert_eq!(keys(&page), ["event_types", "pagination"]);
        page["event_types"].as_array().unwrap().len()
    };
    assert_eq!(listed("").await, 1);
    let changed = world.admin.patch(&path, &json!({"deprecated": true, "example": null})).await.ok(200);
    assert_eq!((&changed["deprecated"], changed.get("example")), (&json!(true), None));
    assert_eq!((listed("").await, listed("&deprecated=true").await), (0, 1));
    provider.delete(&path).await.ok(204);
    tenant.api.get(&path).await.refused(404, "not_found");
    provider.delete(&path).await.refused(404, "not_found");
    provider.post("/v1/event-types", &json!({"name": name})).await.ok(201);
    provider.delete(&path).await.ok(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_key_reads_and_only_the_operators_and_a_provider_key_with_the_scope_write() {
    let world = World::open();
    let (tenant, name) = publisher(&world).await;
    let another = world.provider(&["events:write"]).await;
    for api in [&tenant.api, &another] {
        api.get("/v1/event-types").await.ok(200);
        api.post("/v1/event-types", &json!({"name": name})).await.refused(403, "forbidden");
        api.post("/v1/event-types/import", &json!({})).await.refused(403, "forbidden");
        api.delete(&format!("/v1/event-types/{name}")).await.refused(403, "forbidden");
    }
    world.anonymous.get("/v1/event-types").await.refused(401, "unauthorized");
    let long = json!({"openapi": "3.1.1", "webhooks": {}, "info": {"description": "x".repeat(1024 * 1024)}});
    world.admin.post("/v1/event-types/import", &long).await.refused(413, "payload_too_large");
    let body = json!({"dialect": "standard", "scopes": ["event_types:write"]});
    let refused = world.admin.post(&format!("/v1/tenants/{}/keys", tenant.id), &body).await;
    refused.invalid("scopes");
    let own = tenant.api.get("/v1/event-types/webhook.disabled").await.ok(200);
    assert!(own["built_in"] == true && own["schema"].is_object() && own["example"].is_object(), "{own}");
    let stays = world.admin.delete("/v1/event-types/webhook.disabled").await.refused(422, "unprocessable");
    assert_eq!(stays["details"]["field"], "name");
}

/// Publishes by each door that answers; the faults by each, or none where the event was taken.
async fn told_by_doors(world: &World, tenant: &Tenant, name: &str, data: &Value) -> [Value; 3] {
    let event = json!({"event": name, "data": data});
    let single = tenant.api.post("/v1/events", &event).await;
    let batch = tenant.api.post("/v1/events/batch", &json!({"events": [event]})).await.ok(202);
    let direct = json!({"tenant_id": tenant.id, "event": name, "data": data});
    let invoked = world.aws.functions.invoke("events", &direct).await;
    [errors(&single.json()["error"]), errors(&batch["results"][0]["error"]), errors(&invoked["error"])]
}

/// The note of an event that the bus brought and that was refused; none where it was taken.
async fn told_by_the_bus(world: &World, tenant: &Tenant, name: &str, data: &Value, id: &str) -> Option<Value> {
    let detail = json!({"tenant_id": tenant.id, "event": name, "data": data, "id": id});
    let before = world.aws.rows.all_events_of(&tenant.id).await;
    put(world.stack, EVENT, &detail).await;
    until("the event, or a note about it", SOON, || async {
        if let Some(note) = world.aws.take(&world.stack.queues.triggers, id).await {
            return Ok(Some(serde_json::from_str(&note).expect("a note should be JSON")));
        }
        let is_taken = world.aws.rows.all_events_of(&tenant.id).await > before;
        if is_taken { Ok(None) } else { Err("neither".to_owned()) }
    })
    .await
}

/// Puts rows of such data, one after another, until one of them is set aside: its id, and the note.
async fn a_row_that_is_set_aside(world: &World, tenant: &Tenant, name: &str, data: &str) -> (String, Value) {
    let own = &tenant.id["ten_".len()..];
    let started = Instant::now();
    for number in 0.. {
        assert!(started.elapsed() < ROWS_MINUTE, "no row of {name} was refused");
        let id = format!("evt_{own}{number:03}");
        world.aws.rows.put_event(event_row(&tenant.id, &id, name, data)).await;
        let noticed = until("a moment", Duration::from_secs(4), || async {
            let note = world.aws.take(&world.stack.queues.quarantine, &id).await;
            let is_over = started.elapsed().as_secs() > 3 + 3 * number;
            match note {
                Some(note) => Ok(Some(note)),
                None if is_over => Ok(None),
                None => Err("no note".to_owned()),
            }
        })
        .await;
        if let Some(note) = noticed {
            return (id, serde_json::from_str(&note).expect("a note should be JSON"));
        }
    }
    unreachable!("there is always another number");
}

async fn until_counted(what: &str, world: &World, tenant: &Tenant, name: &str, data: &Value, expected: &Value) {
    until(what, A_MINUTE, || async {
        let told = told_by_doors(world, tenant, name, data).await;
        if told.iter().all(|one| one == expected) { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_pointers_through_every_door_and_a_changed_schema_counts_within_a_minute() {
    let world = World::open();
    let (tenant, name) = publisher(&world).await;
    world.admin.post("/v1/event-types", &json!({"name": name, "schema": amount("integer")})).await.ok(201);
    let path = format!("/v1/event-types/{name}");
    let data = json!({"amount": "5"});
    let faults = json!([{"path": "/amount", "message": "expected integer"}]);
    until_counted("the new type at every door", &world, &tenant, &name, &data, &faults).await;
    let note = told_by_the_bus(&world, &tenant, &name, &data, &format!("{name}-1")).await.expect("it does not fit");
    assert_eq!(note["errors"], faults);
    assert!(text(&note, "reason").contains("`/amount`: expected integer"), "{note}");
    // A producer's row, from a minute after the type was made.
    let (id, note) = a_row_that_is_set_aside(&world, &tenant, &name, &data.to_string()).await;
    assert_eq!((&note["errors"], note["written_at"].is_string()), (&faults, true));
    let shown = until("the row to say why", SOON, || async {
        let shown = tenant.api.get(&format!("/v1/events/{id}")).await;
        if shown.status == 404 { Ok(shown.refused(404, "not_found")) } else { Err(shown.status.to_string()) }
    })
    .await;
    assert!(text(&shown, "message").contains("`/amount`: expected integer"), "{shown}");

    world.admin.patch(&path, &json!({"schema": amount("string")})).await.ok(200);
    until_counted("the changed type at every door", &world, &tenant, &name, &data, &Value::Null).await;
    assert_eq!(told_by_the_bus(&world, &tenant, &name, &data, &format!("{name}-2")).await, None);
    let (_, note) = a_row_that_is_set_aside(&world, &tenant, &name, r#"{"amount":5}"#).await;
    assert_eq!(note["errors"], json!([{"path": "/amount", "message": "expected string"}]));
    world.admin.delete(&path).await.ok(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_make_one_type_at_once_one_does() {
    let world = World::open();
    let (_, name) = publisher(&world).await;
    let body = json!({"name": name});
    let answers = join_all((0..20).map(|_| world.admin.post("/v1/event-types", &body))).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((made, refused), (1, 19));
    world.admin.delete(&format!("/v1/event-types/{name}")).await.ok(204);
}

async fn import(api: &Api, webhooks: &Value) -> Value {
    let components = json!({"schemas": {"Money": {"type": "integer", "minimum": 0}}});
    let document = json!({"openapi": "3.1.1", "info": {"title": "Acme", "version": "1"}, "paths": {},
        "webhooks": webhooks, "components": components});
    api.post("/v1/event-types/import", &document).await.ok(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_openapi_documents_webhooks_become_types_and_the_same_again_changes_nothing() {
    let world = World::open();
    let (tenant, name) = publisher(&world).await;
    let provider = world.provider(&["event_types:write"]).await;
    let (other, bad) = (format!("{}.sent", tenant.id), format!("{} sent", tenant.id));
    let body = json!({"schema": {"type": "object", "properties": {"amount": {"$ref": "#/components/schemas/Money"}}},
        "example": {"amount": 5}});
    let paid = json!({"post": {"summary": "It was paid.", "requestBody": {"content": {"application/json": body}}}});
    let webhooks =
        json!({name.as_str(): paid, other.as_str(): {"post": {"deprecated": true}}, bad.as_str(): {"post": {}}});
    let told = import(&provider, &webhooks).await;
    assert_eq!((&told["created"], told["errors"].as_array().unwrap().len()), (&json!([name, other]), 1));
    assert_eq!((&told["errors"][0]["name"], &told["errors"][0]["field"]), (&json!(bad), &json!("name")));
    let again = import(&provider, &webhooks).await;
    assert_eq!(
        (&again["unchanged"], &again["created"], &again["updated"]),
        (&json!([name, other]), &json!([]), &json!([]))
    );
    let shown = tenant.api.get(&format!("/v1/event-types/{name}")).await.ok(200);
    assert_eq!((text(&shown, "description"), &shown["example"]), ("It was paid.", &json!({"amount": 5})));
    let event = json!({"event": name, "data": {"amount": -1}});
    let refused = tenant.api.post("/v1/events", &event).await.refused(422, "unprocessable");
    assert_eq!(errors(&refused)[0]["path"], "/amount", "what it refers to came along");
    let fewer = import(&provider, &json!({name.as_str(): {"post": {}}})).await;
    assert_eq!(fewer["updated"], json!([name]));
    for name in [&name, &other] {
        provider.delete(&format!("/v1/event-types/{name}")).await.ok(204);
    }
}
