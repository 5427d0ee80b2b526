//! Standard Webhooks, the dialect of keys of our own: the published packages accept what is sent, each attempt is signed
//! anew, secrets are made where none is given, and a receiver's hints count.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::api::{keys, text};
use crate::support::standard::Signed;
use crate::support::time::instant;
use crate::support::verifier::flipped;
use crate::support::{Receiver, Reply, SOON, World};

/// What the specification calls a secret: the prefix and the base64 of 24 to 64 bytes.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread")]
async fn the_published_packages_accept_what_was_received_and_no_other_bit() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    tenant.create(&json!({"url": receiver.url("/"), "events": ["invoice.*"], "secret": SECRET})).await;
    let data = json!({"title": "é 🙂 \u{2028}", "ratio": 1.50, "z": {"b": 1, "a": [2]}});
    let event = tenant.publish("invoice.paid", &data).await;
    let received = receiver.only(SOON).await;
    let signed = Signed::of(&received);
    assert!(signed.is_accepted_with(SECRET));

    assert_eq!(signed.id, event);
    let body = received.json();
    assert_eq!(keys(&body), ["data", "timestamp", "type"]);
    assert_eq!((&body["type"], &body["data"]), (&json!("invoice.paid"), &data));
    instant(text(&body, "timestamp"));
    let seconds: i64 = signed.timestamp.parse().expect("whole seconds");
    let age = Timestamp::now().as_second() - seconds;
    assert!((0..60).contains(&age), "signed {age} seconds ago");

    for other in flipped(&signed.body) {
        assert!(!Signed { body: other, ..signed.clone() }.is_accepted_with(SECRET), "a changed body was accepted");
    }
    let later = (seconds + 1).to_string();
    assert!(!Signed { timestamp: later, ..signed.clone() }.is_accepted_with(SECRET), "a changed time was accepted");
    let other = format!("{}x", signed.id);
    assert!(!Signed { id: other, ..signed.clone() }.is_accepted_with(SECRET), "a changed id was accepted");
    assert!(!signed.is_accepted_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_made_where_none_is_given_and_shown_once() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"]});
    let made = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    assert_eq!(keys(&made), ["created_at", "events", "id", "secret", "status", "url"]);
    let secret = text(&made, "secret");
    assert!(secret.starts_with("whsec_"), "a secret of ours begins with whsec_");
    let other = tenant.api.post("/v1/webhooks/create", &body).await.ok(201);
    assert_ne!(text(&other, "secret"), secret, "each webhook has a secret of its own");
    for path in ["/v1/webhooks".to_owned(), format!("/v1/webhooks/{}", text(&made, "id"))] {
        let shown = tenant.api.get(&path).await;
        shown.ok(200);
        assert!(!shown.body.contains("secret") && !shown.body.contains(&secret[6..]), "{path} shows a secret");
    }

    tenant.publish("invoice.paid", &json!({})).await;
    let accepted = async || {
        let received = receiver.wait_for(2, SOON).await;
        received.iter().filter(|request| Signed::of(request).is_accepted_with(secret)).count()
    };
    assert_eq!(accepted().await, 1, "one of the two webhooks has this secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_customers_own_is_not_repeated_and_must_be_one() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let with = |secret: &str| json!({"url": "https://your-server.invalid/", "events": ["*"], "secret": secret});
    let made = tenant.api.post("/v1/webhooks/create", &with(SECRET)).await.ok(201);
    assert_eq!(keys(&made), ["created_at", "events", "id", "status", "url"]);
    for bad in
        ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64 at all, is it now?"]
    {
        let answer = tenant.api.post("/v1/webhooks/create", &with(bad)).await;
        answer.invalid("secret");
        assert!(bad.len() < 7 || !answer.body.contains(&bad[6..]), "a secret is not repeated: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_signed_anew_under_one_id() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [Reply::Status(500)], Reply::Status(200)).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "secret": SECRET});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    // The first retry is due within seconds, and comes by itself.
    tenant.settled(&id, "succeeded", 2).await;
    let received: Vec<_> = receiver.requests().iter().map(Signed::of).collect();
    assert_eq!(received.len(), 2);
    assert!(received.iter().all(|signed| signed.id == event && signed.body == received[0].body));
    assert_ne!(received[0].timestamp, received[1].timestamp);
    assert_ne!(received[0].signature, received[1].signature);
    assert!(received.iter().all(|signed| signed.is_accepted_with(SECRET)));
}

/// The specification's retry schedule with a tenth of jitter to either side, from the end of the attempt.
#[tokio::test(flavor = "multi_thread")]
async fn the_retry_schedule_is_the_specifications_with_jitter() {
    const SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::scripted(world.stack, [], Reply::Status(500)).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    for (number, seconds) in (1..).zip(SECONDS) {
        // The first retry does not wait for us, so it may have been made already.
        let delivery = if number == 1 {
            crate::support::until("the first attempt", SOON, || async {
                let delivery = tenant.delivery(&id).await;
                let made = delivery["attempts"].as_array().map_or(0, Vec::len);
                if made > 0 { Ok(delivery) } else { Err(delivery.to_string()) }
            })
            .await
        } else {
            tenant.settled(&id, "retrying", number).await
        };
        let attempt = &delivery["attempts"][number - 1];
        let ended = instant(text(attempt, "at"))
            + SignedDuration::from_millis(attempt["duration_ms"].as_i64().expect("a duration"));
        let next = match delivery["attempts"].get(number) {
            Some(made) => instant(text(made, "at")),
            None => instant(text(&delivery, "next_attempt_at")),
        };
        let waited = (next.as_millisecond() - ended.as_millisecond()) as f64 / 1_000.0;
        let (least, most) = (seconds as f64 * 0.9 - 0.01, seconds as f64 * 1.1 + 1.01);
        // Whoever came by queue may also have waited for it.
        let most = if number == 1 { most + 20.0 } else { most };
        assert!((least..=most).contains(&waited), "attempt {number} waited {waited} s: {delivery}");
        if number > 1 {
            world.aws.attempt_now(&id, u32::try_from(number).expect("a small number") + 1).await;
        }
    }
    let delivery = tenant.settled(&id, "failed", 10).await;
    assert_eq!(delivery["reason"], "attempts_exhausted");
    assert_eq!(world.aws.find_schedule(&id, 11).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_puts_the_next_attempt_off_on_429_and_503_alone() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    for (status, least, most) in [(429, 1_200, 1_202), (503, 1_200, 1_202), (500, 4, 7)] {
        let reply = Reply::Full(status, vec![("retry-after", "1200".to_owned())], vec![]);
        let receiver = Receiver::scripted(world.stack, [reply], Reply::Status(200)).await;
        let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
        let path = format!("/v1/webhooks/{webhook}");
        let event = tenant.publish("invoice.paid", &json!({})).await;
        let id = tenant.delivery_of(&event, &webhook).await;
        let delivery = if status == 500 {
            tenant.settled(&id, "succeeded", 2).await
        } else {
            tenant.settled(&id, "retrying", 1).await
        };
        let first = instant(text(&delivery["attempts"][0], "at"));
        if status == 500 {
            let second = instant(text(&delivery["attempts"][1], "at"));
            assert!(second.as_second() - first.as_second() < 60, "not after twenty minutes: {delivery}");
        } else {
            let waits = instant(text(&delivery, "next_attempt_at")).as_second() - first.as_second();
            assert!((least..=most).contains(&waits), "{status} waits {waits} s: {delivery}");
            // A 429 pauses the webhook for a while, and another URL ends that.
            tenant.api.patch(&path, &json!({"url": receiver.url("/moved")})).await.ok(200);
            world.aws.attempt_now(&id, 2).await;
            tenant.settled(&id, "succeeded", 2).await;
        }
        assert_eq!(tenant.api.delete(&path).await.status, 204);
    }
}
