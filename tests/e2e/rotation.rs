//! Rotating a secret: verifiers that know the old one or the new one go on, for as long as was asked, and not a moment
//! longer where no time was asked for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::openssl::hmac_sha256;
use crate::support::request::Received;
use crate::support::standard::Signed;
use crate::support::{Customer, Receiver, Reply, SOON, Tenant, World, canary};

const OLD: &str = concat!("old ", canary!("secret"));
const NEW: &str = concat!("new ", canary!("secret"));
/// Long enough for a test to publish within, short enough to wait out.
const GRACE: u64 = 6;

async fn rotate(tenant: &Tenant, webhook: &str, body: &Value) -> String {
    let call = tenant.api.call(reqwest::Method::POST, &format!("/v1/webhooks/{webhook}/secret/rotate"));
    let rotated = if body.is_null() { call } else { call.json(body) }.send().await.ok(200);
    // Until when an old one counts is told with it, and shown with the webhook.
    let until = tenant.api.get(&format!("/v1/webhooks/{webhook}")).await.ok(200)["previous_secret_until"].clone();
    let names = if until.is_null() { vec!["secret"] } else { vec!["previous_secret_until", "secret"] };
    assert_eq!(keys(&rotated), names, "{rotated}");
    assert_eq!(rotated["previous_secret_until"], until);
    if body["grace_seconds"] == 0 {
        assert!(until.is_null(), "nothing counts beside it: {rotated}");
    }
    text(&rotated, "secret").to_owned()
}

/// Publishes one event and returns the POST that brings it.
async fn next(tenant: &Tenant, receiver: &Receiver, event: &str) -> Received {
    let before = receiver.requests().len();
    tenant.publish(event, &json!({})).await;
    receiver.wait_for(before + 1, SOON).await.remove(before)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_packages_verify_before_during_and_after_a_rotation() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"]});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let (webhook, first) = (text(&made, "id"), text(&made, "secret"));
    let before = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(before.is_accepted_with(first));
    assert_eq!(before.signature.split(' ').count(), 1);

    let second = rotate(&tenant, webhook, &json!({"grace_seconds": GRACE})).await;
    let rotated = tokio::time::Instant::now();
    assert_ne!(second, first);
    let during = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(during.is_accepted_with(first) && during.is_accepted_with(&second), "{during:?}");
    assert_eq!(during.signature.split(' ').count(), 2);
    assert!(!before.is_accepted_with(&second));

    tokio::time::sleep_until(rotated + Duration::from_secs(GRACE)).await;
    let after = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(after.is_accepted_with(&second) && !after.is_accepted_with(first), "{after:?}");
    assert_eq!(after.signature.split(' ').count(), 1);

    // One of the customer's own, at once.
    let third = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_eq!(rotate(&tenant, webhook, &json!({"secret": third, "grace_seconds": 0})).await, third);
    let at_once = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(at_once.is_accepted_with(third) && !at_once.is_accepted_with(&second), "{at_once:?}");

    // A second rotation within the first one's day: whoever has any of the three may go on.
    let fourth = rotate(&tenant, webhook, &Value::Null).await;
    let fifth = rotate(&tenant, webhook, &json!({})).await;
    let all = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    for secret in [third, &fourth, &fifth] {
        assert!(all.is_accepted_with(secret), "{all:?}");
    }
    assert!(!all.is_accepted_with(&second));
    // An end to it.
    let sixth = rotate(&tenant, webhook, &json!({"grace_seconds": 0})).await;
    let last = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(last.is_accepted_with(&sixth));
    assert!([third, &fourth, &fifth].iter().all(|secret| !last.is_accepted_with(secret)), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_signed_with_what_counts_when_it_is_made() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": [600]});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let (webhook, old) = (text(&made, "id"), text(&made, "secret"));
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, webhook).await;
    tenant.settled(&id, "retrying", 1).await;
    let new = rotate(&tenant, webhook, &json!({"grace_seconds": 0})).await;
    world.aws.attempt_now(&id, 2).await;
    tenant.settled(&id, "succeeded", 2).await;
    let received: Vec<_> = receiver.requests().iter().map(Signed::of).collect();
    assert!(received[0].is_accepted_with(old) && !received[0].is_accepted_with(&new));
    assert!(received[1].is_accepted_with(&new) && !received[1].is_accepted_with(old));
}

/// The one signature of a header that holds one.
fn signed_with(received: &Received, header: &str, prefix: &str, secret: &str) -> bool {
    let expected = format!("{prefix}{}", hmac_sha256(secret, &received.body));
    received.header(header) == Some(expected.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_one_signature_keeps_the_old_secret_until_the_grace_ends() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "secret": OLD})).await;
    let by = |received: &Received, secret: &str| signed_with(received, "X-Nur-Signature", "sha256=", secret);
    assert!(by(&next(&tenant, &receiver, "dubbing.completed").await, OLD));

    rotate(&tenant, &webhook, &json!({"secret": NEW, "grace_seconds": GRACE})).await;
    let rotated = tokio::time::Instant::now();
    assert!(by(&next(&tenant, &receiver, "dubbing.completed").await, OLD));
    tokio::time::sleep_until(rotated + Duration::from_secs(GRACE)).await;
    assert!(by(&next(&tenant, &receiver, "dubbing.completed").await, NEW));
    rotate(&tenant, &webhook, &json!({"secret": OLD, "grace_seconds": 0})).await;
    assert!(by(&next(&tenant, &receiver, "dubbing.completed").await, OLD));

    // One that signed nothing so far signs from now on.
    let other = Receiver::start(world.stack).await;
    let silent = tenant.webhook(&other.url("/"), &["voice.clone.failed"]).await;
    assert_eq!(next(&tenant, &other, "voice.clone.failed").await.header("X-Nur-Signature"), None);
    let made = rotate(&tenant, &silent, &json!({})).await;
    assert!(by(&next(&tenant, &other, "voice.clone.failed").await, &made));
}

/// Ends a new job and returns the POST that tells of it.
async fn ended(customer: &Customer, receiver: &Receiver) -> Received {
    let before = receiver.requests().len();
    let id = customer.start(&receiver.url("/")).await;
    customer.report_task(&id, &json!({"status": "completed"})).await.data(200);
    receiver.wait_for(before + 1, SOON).await.remove(before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_secret_rotates_for_all_of_its_jobs() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let path = format!("/v1/tenants/{}/secret/rotate", customer.tenant.id);
    let rotate =
        async |body: Value| -> String { text(&world.admin.post(&path, &body).await.ok(200), "secret").to_owned() };
    let by = |received: &Received, secret: &str| signed_with(received, "X-NetraFlow-Signature", "", secret);
    assert_eq!(rotate(json!({"secret": OLD, "grace_seconds": 0})).await, OLD);
    assert!(by(&ended(&customer, &receiver).await, OLD));

    let made = rotate(json!({"grace_seconds": GRACE})).await;
    let rotated = tokio::time::Instant::now();
    assert!(made.starts_with("whsec_") && made.len() > 40, "a secret of our making is a long one");
    assert!(by(&ended(&customer, &receiver).await, OLD));
    tokio::time::sleep_until(rotated + Duration::from_secs(GRACE)).await;
    assert!(by(&ended(&customer, &receiver).await, &made));
    rotate(json!({"secret": NEW, "grace_seconds": 0})).await;
    assert!(by(&ended(&customer, &receiver).await, NEW));

    for path in ["/v1/tenants".to_owned(), format!("/v1/tenants/{}", customer.tenant.id)] {
        let shown = world.admin.get(&path).await;
        shown.ok(200);
        assert!(!shown.body.contains("secret") && !shown.body.contains(NEW), "{path} shows a secret");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_makes_no_sense_changes_nothing() {
    let world = World::open();
    let (tenant, stranger) = (world.tenant_on("standard", "pro").await, world.tenant_on("standard", "pro").await);
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"]});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    let path = format!("/v1/webhooks/{}/secret/rotate", text(&made, "id"));
    for (field, body) in [
        ("secret", json!({"secret": "short"})),
        ("secret", json!({"secret": 7})),
        ("grace_seconds", json!({"grace_seconds": -1})),
        ("grace_seconds", json!({"grace_seconds": 1.5})),
        ("grace_seconds", json!({"grace_seconds": 2_592_001})),
        ("grace", json!({"grace": 0})),
    ] {
        tenant.api.post(&path, &body).await.invalid(field);
    }
    stranger.api.post(&path, &json!({"grace_seconds": 0})).await.refused(404, "not_found");
    tenant.api.get(&path).await.refused(405, "method_not_allowed");
    let key = world.key(&tenant.id, &json!({"dialect": "standard", "scopes": ["webhooks:read"]})).await;
    world.anonymous.with_key(text(&key, "key")).post(&path, &json!({})).await.refused(403, "forbidden");
    let tenants = format!("/v1/tenants/{}/secret/rotate", tenant.id);
    tenant.api.post(&tenants, &json!({})).await.refused(403, "forbidden");
    world.admin.post(&tenants, &json!({"grace_seconds": -1})).await.invalid("grace_seconds");

    let signed = Signed::of(&next(&tenant, &receiver, "invoice.paid").await);
    assert!(signed.is_accepted_with(text(&made, "secret")));
    assert_eq!(signed.signature.split(' ').count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_secret_waits_for_a_grace_to_end() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let webhook = tenant.webhook("https://your-app.invalid/", &["*"]).await;
    let of_webhook = format!("/v1/webhooks/{webhook}/secret/rotate");
    let of_tenant = format!("/v1/tenants/{}/secret/rotate", tenant.id);
    for (api, path) in [(&tenant.api, &of_webhook), (&world.admin, &of_tenant)] {
        let mut statuses = Vec::new();
        // The first secret of a tenant's, which nobody was shown, is kept by no rotation.
        for _ in 0..5 {
            statuses.push(api.post(path, &json!({})).await.status);
        }
        assert_eq!(statuses.last(), Some(&409), "{statuses:?}");
        api.post(path, &json!({})).await.refused(409, "conflict");
        api.post(path, &json!({"grace_seconds": 0})).await.ok(200);
    }
}
