//! The portal's links and sessions: a link works once, and a session does what it is for and nothing else, until it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::portal::Visitor;
use crate::support::{Answer, Api, Receiver, Reply, SOON, Tenant, World, until};

mod routes;

/// The minute that is promised, and as much again for the machine.
const MINUTE: Duration = Duration::from_secs(120);

async fn begin(world: &World, token: &str) -> Answer {
    world.anonymous.post("/v1/portal/sessions", &json!({"token": token})).await
}

/// Until every process that remembers it has heard of its end.
async fn until_refused(visitor: &Visitor, status: u16, code: &str) {
    until(&format!("{} to be refused", visitor.id), MINUTE, || async {
        let paths =
            ["/v1/webhooks", "/v1/deliveries?status=failed", "/v1/events", "/v1/event-types", "/v1/portal/session"];
        let answers = join_all(paths.map(|path| visitor.api.get(path))).await;
        if answers.iter().any(|answer| answer.status != status) {
            return Err(format!("{answers:?}"));
        }
        answers.iter().for_each(|answer| {
            answer.refused(status, code);
        });
        Ok(())
    })
    .await;
}

async fn on_standard(world: &World) -> Tenant {
    world.tenant_on("standard", "pro").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_begins_one_session_of_twenty_who_follow_it_at_once() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let (token, id) = world.link(&tenant.id, &json!({})).await;
    let answers = join_all((0..20).map(|_| begin(&world, &token))).await;
    let (begun, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((begun.len(), refused.len()), (1, 19), "{answers:?}");
    refused.iter().for_each(|answer| {
        answer.refused(401, "unauthorized");
    });
    let begun = begun[0].ok(201);
    assert_eq!(keys(&begun), ["capabilities", "expires_at", "session", "session_id"]);
    assert_eq!(
        (text(&begun, "session_id"), &begun["capabilities"]),
        (&*id, &json!(["view", "edit", "send", "secrets"]))
    );
    world.anonymous.with_key(text(&begun, "session")).get("/v1/webhooks").await.ok(200);
    world.anonymous.with_key(&token).get("/v1/webhooks").await.refused(401, "unauthorized");
    begin(&world, text(&begun, "session")).await.refused(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_does_not_work_is_refused_alike_whatever_the_reason() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let path = format!("/v1/tenants/{}/portal", tenant.id);
    let link = async || world.link(&tenant.id, &json!({})).await;
    let ((used, _), (late, _), (ended, id), (of_all, _)) = (link().await, link().await, link().await, link().await);
    begin(&world, &used).await.ok(201);
    world.aws.rows.link_is_late(&late).await;
    world.admin.delete(&format!("{path}/{id}")).await.ok(204);
    world.admin.delete(&format!("{path}/{id}")).await.refused(404, "not_found");
    world.admin.delete(&path).await.ok(204);
    let unknown = format!("prl_{}", "0".repeat(64));
    let mut answers = Vec::new();
    for token in [&used, &late, &ended, &of_all, &unknown, "nothing of the kind"] {
        answers.push(begin(&world, token).await.refused(401, "unauthorized"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // A new one works: what was ended was what there was.
    let (anew, _) = link().await;
    begin(&world, &anew).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_for_a_tenant_by_either_id_and_says_what_its_pages_need() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let external_id = format!("portal-{}", tenant.id);
    world.admin.patch(&format!("/v1/tenants/{}", tenant.id), &json!({"external_id": external_id})).await.ok(200);
    let provider = world.provider(&["portal:write"]).await;
    let path = format!("/v1/tenants/ext:{external_id}/portal");
    let webhook = tenant.webhook("https://hooks.example.com/a", &["*"]).await;
    let look = json!({"name": "Acme <Söhne>", "accent": "#1f6feb", "language": "de", "return_url": "https://app.example.com/"});
    let mut body = look.clone();
    body["capabilities"] = json!(["send"]);
    body["webhook_ids"] = json!([webhook]);
    body["expires_in"] = json!(120);
    let made = provider.post(&path, &body).await.ok(201);
    assert_eq!(keys(&made), ["expires_at", "session_id", "url"]);
    let url = text(&made, "url");
    assert!(url.starts_with(&format!("{}/portal/enter/", world.stack.api_url)), "{url}");
    let begun = begin(&world, url.rsplit_once('/').expect("a path").1).await.ok(201);
    assert_eq!((&begun["webhook_ids"], &begun["expires_at"]), (&json!([webhook]), &made["expires_at"]));
    let shown = world.anonymous.with_key(text(&begun, "session")).get("/v1/portal/session").await.ok(200);
    let mut expected = json!({
        "session_id": made["session_id"], "tenant_id": tenant.id, "tenant_name": "standard", "dialect": "standard",
        "capabilities": ["view", "send"], "webhook_ids": [webhook], "expires_at": made["expires_at"],
    });
    expected.as_object_mut().expect("an object").extend(look.as_object().expect("an object").clone());
    assert_eq!(shown, expected);
    provider.delete(&format!("{path}/{}", text(&made, "session_id"))).await.ok(204);
    provider.delete(&path).await.ok(204);
    for answer in [
        world.admin.post("/v1/tenants/ten_0000000000000000/portal", &json!({})).await,
        world.admin.delete("/v1/tenants/ext:nobody-has-this/portal").await,
        world.admin.delete(&format!("{path}/ses_0000000000000000")).await,
    ] {
        answer.refused(404, "not_found");
    }
    tenant.api.post(&path, &json!({})).await.refused(403, "forbidden");
    world.anonymous.post(&path, &json!({})).await.refused(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_each_way_within_a_minute() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let path = format!("/v1/tenants/{}/portal", tenant.id);
    let (by_id, by_itself, by_time, goes_on) = (
        world.visitor(&tenant.id, &json!({})).await,
        world.visitor(&tenant.id, &json!({})).await,
        world.visitor(&tenant.id, &json!({})).await,
        world.visitor(&tenant.id, &json!({})).await,
    );
    for visitor in [&by_id, &by_itself, &by_time, &goes_on] {
        visitor.api.get("/v1/webhooks").await.ok(200);
    }
    world.admin.delete(&format!("{path}/{}", by_id.id)).await.ok(204);
    by_itself.api.delete("/v1/portal/session").await.ok(204);
    world.aws.rows.session_is_over(&by_time.text).await;
    let ends = [&by_id, &by_itself, &by_time].map(|visitor| until_refused(visitor, 401, "unauthorized"));
    join_all(ends).await;
    goes_on.api.get("/v1/webhooks").await.ok(200);
    world.admin.delete(&format!("{path}/{}", by_itself.id)).await.refused(404, "not_found");
    world.admin.delete(&path).await.ok(204);
    until_refused(&goes_on, 401, "unauthorized").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenants_sessions_are_suspended_and_a_deleted_ones_are_none() {
    let world = World::open();
    let (suspended, leaving) = (on_standard(&world).await, on_standard(&world).await);
    let path = |tenant: &Tenant| format!("/v1/tenants/{}", tenant.id);
    let visitors = [world.visitor(&suspended.id, &json!({})).await, world.visitor(&leaving.id, &json!({})).await];
    let (waiting, _) = world.link(&suspended.id, &json!({})).await;
    let (lost, _) = world.link(&leaving.id, &json!({})).await;
    world.admin.patch(&path(&suspended), &json!({"status": "suspended"})).await.ok(200);
    world.admin.delete(&path(&leaving)).await.ok(202);
    world.admin.post(&format!("{}/portal", path(&suspended)), &json!({})).await.refused(403, "tenant_suspended");
    world.admin.post(&format!("{}/portal", path(&leaving)), &json!({})).await.refused(409, "conflict");
    world.admin.delete(&format!("{}/portal", path(&leaving))).await.refused(409, "conflict");
    world.admin.delete(&format!("{}/portal/{}", path(&leaving), visitors[1].id)).await.refused(409, "conflict");
    begin(&world, &waiting).await.refused(403, "tenant_suspended");
    begin(&world, &lost).await.refused(401, "unauthorized");
    tokio::join!(
        until_refused(&visitors[0], 403, "tenant_suspended"),
        until_refused(&visitors[1], 401, "unauthorized")
    );
    // It was not used up by whoever was refused.
    world.admin.patch(&path(&suspended), &json!({"status": "active"})).await.ok(200);
    begin(&world, &waiting).await.ok(201);
    world.aws.rows.deletion_asked_for_ago(&leaving.id, 600).await;
    until("nothing to be left", MINUTE, || async {
        world.aws.functions.sweep().await;
        let answer = world.admin.get(&path(&leaving)).await;
        if answer.status == 404 { Ok(()) } else { Err(answer.body) }
    })
    .await;
    let left = world.aws.rows.left_of(&leaving.id).await.config;
    assert_eq!(left.len(), 1, "its tombstone alone: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_a_thousand_sessions_at_a_time() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let path = format!("/v1/tenants/{}/portal", tenant.id);
    let (_, id) = world.link(&tenant.id, &json!({})).await;
    world.aws.rows.copy_session(&tenant.id, &id, 999).await;
    let error = world.admin.post(&path, &json!({})).await.refused(429, "quota_exceeded");
    assert_eq!(error["details"]["quota"], json!({"name": "portal_sessions", "limit": 1000}));
    world.admin.delete(&format!("{path}/{id}")).await.ok(204);
    world.admin.post(&path, &json!({})).await.ok(201);
    world.admin.delete(&path).await.ok(204);
    world.admin.post(&path, &json!({})).await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_visitor_does_is_told_in_his_sessions_name_and_repeated_by_his_key_alone() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/told"), &["webhook.*"]).await;
    let visitor = world.visitor(&tenant.id, &json!({})).await;
    let other = world.visitor(&tenant.id, &json!({})).await;
    let create = |api: &Api| {
        let body = json!({"url": "https://hooks.example.com/a", "events": ["invoice.*"]});
        api.call(Method::POST, "/v1/webhooks/create").header("idempotency-key", "the first").json(&body).send()
    };
    let made = create(&visitor.api).await.ok(201);
    assert!(text(&made, "secret").starts_with("whsec_"), "whoever makes it is shown its secret: {made}");
    assert_eq!(create(&visitor.api).await.ok(201), made, "the same call");
    let others = create(&other.api).await.ok(201);
    assert_ne!(others["id"], made["id"], "another session's key is another call's");
    let path = format!("/v1/webhooks/{}", text(&made, "id"));
    visitor.api.patch(&path, &json!({"description": "mine"})).await.ok(200);
    let rotated = visitor.api.post(&format!("{path}/secret/rotate"), &json!({"grace_seconds": 0})).await.ok(200);
    assert_ne!(rotated["secret"], made["secret"]);
    visitor.api.post(&format!("{path}/disable"), &json!({})).await.ok(200);
    visitor.api.delete(&path).await.ok(204);
    let told = until("all of it to be told", SOON, || async {
        let told: Vec<Value> = receiver.requests().iter().map(|request| request.json()).collect();
        let own: Vec<Value> = told.into_iter().filter(|told| told["data"]["webhook_id"] == made["id"]).collect();
        if own.len() >= 5 { Ok(own) } else { Err(format!("{own:?}")) }
    })
    .await;
    let types: BTreeSet<&str> = told.iter().map(|told| text(told, "type")).collect();
    assert_eq!(types.len(), 4, "created, updated twice, disabled, deleted: {told:?}");
    assert!(told.iter().all(|told| told["data"]["actor"] == *visitor.id), "{told:?}");
}

/// Two webhooks of one tenant with a delivery each, and what a session sees that is for the first alone.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_outside_a_sessions_webhooks_is_not_there_on_any_route() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(422)).await;
    let create = async |path: &str| {
        let body = json!({"url": receiver.url(path), "events": ["invoice.*"], "retry_schedule": []});
        tenant.create(&body).await
    };
    let (own, foreign) = (create("/own").await, create("/foreign").await);
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let mut deliveries = BTreeMap::new();
    for webhook in [&own, &foreign] {
        let delivery = tenant.delivery_of(&event, webhook).await;
        tenant.settled(&delivery, "failed", 1).await;
        deliveries.insert(webhook.as_str(), delivery);
    }
    let hour_ago = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string();
    let since = json!({"since": hour_ago});
    let recover = |webhook: &str| format!("/v1/webhooks/{webhook}/recover");
    let recovery = text(&tenant.api.post(&recover(&foreign), &since).await.ok(202), "recovery_id").to_owned();
    let cancel = format!("/v1/webhooks/{foreign}/cancel-pending");
    let cancellation = text(&tenant.api.post(&cancel, &json!({})).await.ok(202), "cancellation_id").to_owned();
    let test = tenant.api.post(&format!("/v1/webhooks/{foreign}/test"), &json!({})).await.ok(202);
    // What tells of the other webhook, and of its own.
    tenant.api.patch(&format!("/v1/webhooks/{foreign}"), &json!({"description": "told"})).await.ok(200);
    tenant.api.patch(&format!("/v1/webhooks/{own}"), &json!({"description": "told"})).await.ok(200);
    let notices = until("both changes to be listed", SOON, || async {
        let listed = tenant.api.get("/v1/events?event=webhook.updated").await.ok(200);
        let ids: Vec<String> =
            listed["events"].as_array().into_iter().flatten().map(|one| text(one, "id").to_owned()).collect();
        if ids.len() == 2 { Ok(ids) } else { Err(format!("{listed}")) }
    })
    .await;

    let visitor = world.visitor(&tenant.id, &json!({"webhook_ids": [own]})).await;
    let api = &visitor.api;
    let webhook = format!("/v1/webhooks/{foreign}");
    let delivery = format!("/v1/deliveries/{}", deliveries[foreign.as_str()]);
    let asked: Vec<(Method, String, Option<Value>)> = vec![
        (Method::GET, webhook.clone(), None),
        (Method::PATCH, webhook.clone(), Some(json!({"description": "x"}))),
        (Method::DELETE, webhook.clone(), None),
        (Method::POST, format!("{webhook}/enable"), Some(json!({}))),
        (Method::POST, format!("{webhook}/disable"), Some(json!({}))),
        (Method::POST, format!("{webhook}/secret/rotate"), Some(json!({}))),
        (Method::POST, format!("{webhook}/test"), Some(json!({}))),
        (Method::POST, format!("{webhook}/preview"), Some(json!({"event": "invoice.paid", "data": {}}))),
        (Method::GET, format!("{webhook}/deliveries"), None),
        (Method::GET, format!("{webhook}/stats"), None),
        (Method::POST, format!("{webhook}/recover"), Some(since.clone())),
        (Method::POST, format!("{webhook}/recover"), Some(json!({"since": hour_ago, "count_only": true}))),
        (Method::GET, format!("{webhook}/recover/{recovery}"), None),
        (Method::GET, format!("/v1/webhooks/{own}/recover/{recovery}"), None),
        (Method::POST, format!("{webhook}/cancel-pending"), Some(json!({}))),
        (Method::GET, format!("{webhook}/cancel-pending/{cancellation}"), None),
        (Method::POST, "/v1/verify".to_owned(), Some(json!({"webhook_id": foreign, "headers": {}, "body": "{}"}))),
        (Method::GET, format!("/v1/deliveries?webhook_id={foreign}"), None),
        (Method::GET, delivery.clone(), None),
        (Method::GET, format!("{delivery}?include=request"), None),
        (Method::POST, format!("{delivery}/retry"), Some(json!({}))),
        (Method::POST, format!("{delivery}/cancel"), Some(json!({}))),
        (Method::POST, format!("/v1/events/{event}/send"), Some(json!({"webhook_id": foreign}))),
        (Method::GET, format!("/v1/events/{}", text(&test, "event_id")), None),
        (Method::POST, format!("/v1/events/{}/send", text(&test, "event_id")), Some(json!({"webhook_id": own}))),
    ];
    each_is_not_there(api, asked, &foreign).await;
    let told = join_all(notices.iter().map(async |id| api.get(&format!("/v1/events/{id}")).await)).await;
    let (shown, hidden): (Vec<_>, Vec<_>) = told.iter().partition(|answer| answer.status == 200);
    assert_eq!((shown.len(), hidden.len()), (1, 1), "{told:?}");
    assert_eq!(shown[0].ok(200)["data"]["webhook_id"], *own);
    hidden[0].refused(404, "not_found");

    // Lists show what is its own, and the cursor of none leads beside it.
    for query in ["", "?limit=1"] {
        let listed = api.get(&format!("/v1/webhooks{query}")).await;
        let ids: Vec<_> =
            listed.ok(200)["webhooks"].as_array().into_iter().flatten().map(|one| one["id"].clone()).collect();
        assert_eq!(ids, [json!(own)], "{listed:?}");
        assert!(query.is_empty() || listed.ok(200)["pagination"]["has_more"] == false, "{listed:?}");
    }
    let seen = api.get(&format!("/v1/events/{event}")).await;
    assert!(!seen.body.contains(&foreign), "{seen:?}");
    let seen = seen.ok(200);
    assert_eq!((&seen["deliveries"][0]["webhook_id"], &seen["not_delivered"]), (&json!(own), &json!([])));
    let listed = api.get("/v1/events").await.ok(200);
    let ids: Vec<_> = listed["events"].as_array().into_iter().flatten().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(event)], "neither tests nor what tells of webhooks: {listed}");
    let of_own = api.get(&format!("/v1/deliveries?webhook_id={own}")).await;
    assert!(
        of_own.ok(200)["deliveries"].as_array().is_some_and(|all| !all.is_empty()) && !of_own.body.contains(&foreign)
    );
    let all = api.get("/v1/deliveries?status=undelivered").await.refused(422, "unprocessable");
    assert_eq!(all["details"]["field"], "webhook_id");
    let body = json!({"url": "https://hooks.example.com/a", "events": ["*"]});
    api.post("/v1/webhooks/create", &body).await.refused(403, "forbidden");
    let widened = api.patch(&format!("/v1/webhooks/{own}"), &json!({"events": ["webhook.*"]})).await;
    widened.refused(403, "forbidden");
    assert_eq!(api.get("/v1/jobs").await.status, 403);
    assert_eq!(api.get("/api/v1/jobs").await.status, 403);
    // What it is for works.
    let retried = api.post(&format!("/v1/deliveries/{}/retry", deliveries[own.as_str()]), &json!({})).await;
    assert_eq!(retried.ok(202)["webhook_id"], *own);
}

/// Each call finds nothing, and says nothing of the webhook either.
async fn each_is_not_there(api: &Api, asked: Vec<(Method, String, Option<Value>)>, foreign: &str) {
    for (method, path, body) in asked {
        let call = api.call(method, &path);
        let answer = match &body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        };
        answer.refused(404, "not_found");
        assert!(!answer.body.contains(foreign), "{path}: {}", answer.body);
    }
}

/// A webhook that is told of all others was made so by somebody who may; a visitor who is for it alone sees that it was told, and not what.
#[tokio::test(flavor = "multi_thread")]
async fn what_tells_of_another_webhook_is_shown_without_what_it_says() {
    let world = World::open();
    let tenant = on_standard(&world).await;
    let receiver = Receiver::start(world.stack).await;
    let own = tenant.webhook(&receiver.url("/"), &["webhook.*"]).await;
    let foreign = tenant.webhook("https://hooks.example.com/foreign", &["invoice.*"]).await;
    let visitor = world.visitor(&tenant.id, &json!({"webhook_ids": [own], "capabilities": ["view"]})).await;
    let delivery = until("it to be told", SOON, || async {
        let listed = visitor.api.get(&format!("/v1/webhooks/{own}/deliveries?event=webhook.created")).await.ok(200);
        let found = listed["deliveries"].as_array().into_iter().flatten().map(|one| text(one, "id").to_owned());
        let found: Vec<String> = found.collect();
        let mut of_foreign = None;
        for id in found {
            let seen = tenant.api.get(&format!("/v1/deliveries/{id}?include=request")).await;
            if seen.body.contains(&foreign) {
                of_foreign = Some(id);
            }
        }
        of_foreign.ok_or_else(|| listed.to_string())
    })
    .await;
    let seen = visitor.api.get(&format!("/v1/deliveries/{delivery}?include=request")).await;
    assert!(!seen.body.contains(&foreign), "{seen:?}");
    assert_eq!(seen.ok(200)["request"]["lacking"], "out_of_reach");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_things_are_not_there_for_a_visitor() {
    let world = World::open();
    let (tenant, other) = (on_standard(&world).await, on_standard(&world).await);
    let foreign = other.webhook("https://hooks.example.com/a", &["invoice.*"]).await;
    let event = other.publish("invoice.paid", &json!({})).await;
    let visitor = world.visitor(&tenant.id, &json!({})).await;
    for path in [
        format!("/v1/webhooks/{foreign}"),
        format!("/v1/webhooks/{foreign}/deliveries"),
        format!("/v1/webhooks/{foreign}/stats"),
        format!("/v1/events/{event}"),
    ] {
        visitor.api.get(&path).await.refused(404, "not_found");
    }
    visitor.api.get(&format!("/v1/events?tenant_id={}", other.id)).await.invalid("tenant_id");
    let link = json!({"webhook_ids": [foreign]});
    let answer = world.admin.post(&format!("/v1/tenants/{}/portal", tenant.id), &link).await;
    assert_eq!(answer.refused(422, "unprocessable")["details"]["field"], "webhook_ids");
    world.admin.delete(&format!("/v1/tenants/{}/portal/{}", other.id, visitor.id)).await.refused(404, "not_found");
    visitor.api.get("/v1/webhooks").await.ok(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_sees_the_jobs_of_his_tenant_and_has_what_they_missed_sent() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.start(&receiver.url("/")).await;
    customer.report_task(&job, &json!({"status": "completed"})).await.data(200);
    let visitor = world.visitor(&customer.tenant.id, &json!({})).await;
    let shown = visitor.api.get(&format!("/v1/jobs/{job}")).await.data(200);
    assert_eq!(shown["job_id"], *job);
    assert_eq!(visitor.api.get("/v1/jobs").await.ok(200)["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(visitor.api.get("/api/v1/jobs").await.ok(200)["jobs"], json!([]));
    let hour_ago = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1)).to_string();
    let counted = visitor.api.post("/v1/jobs/recover", &json!({"since": hour_ago, "count_only": true})).await;
    assert!(counted.data(200)["found"].is_u64(), "{counted:?}");
    visitor.api.post(&format!("/v1/jobs/{job}/cancel"), &json!({})).await.refused_with_meta(403, "forbidden");
}
