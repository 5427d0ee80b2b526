//! Publishing: the answer, who gets the event, and the event's own page.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::support::api::{keys, text};
use crate::support::bus::put;
use crate::support::rows::{event_row, s};
use crate::support::time::instant;
use crate::support::{Receiver, SOON, World};

#[tokio::test(flavor = "multi_thread")]
async fn publishing_answers_with_the_events_id_type_and_time() {
    let world = World::open();
    let tenant = world.tenant().await;
    let before = jiff::Timestamp::now();
    let answer = tenant.api.post("/v1/events", &json!({"event": "dubbing.completed", "data": {"a": 1}})).await.ok(202);
    assert_eq!(keys(&answer), ["event", "id", "timestamp"]);
    assert!(text(&answer, "id").starts_with("evt_"), "{answer}");
    assert_eq!(answer["event"], "dubbing.completed");
    let timestamp = instant(text(&answer, "timestamp"));
    assert!(timestamp.as_millisecond() >= before.as_millisecond(), "{timestamp} is before {before}");
    assert!(timestamp <= jiff::Timestamp::now());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_subscribed_events_arrive() {
    let world = World::open();
    let tenant = world.tenant().await;
    let subscriptions: [(&[&str], &[usize]); 5] = [
        (&["dubbing.completed"], &[0]),
        (&["voice.*"], &[2, 3]),
        (&["voice.clone.failed", "agent.session.ended"], &[3, 4]),
        (&["dubbing.*", "dubbing.failed", "*"], &[0, 1, 2, 3, 4]),
        (&["music.*"], &[]),
    ];
    let events =
        ["dubbing.completed", "dubbing.failed", "voice.clone.completed", "voice.clone.failed", "agent.session.ended"];
    let mut endpoints = Vec::new();
    for (patterns, expected) in subscriptions {
        let receiver = Receiver::start(world.stack).await;
        let webhook = tenant.webhook(&receiver.url("/"), patterns).await;
        endpoints.push((receiver, webhook, patterns, expected));
    }
    let mut published = Vec::new();
    for event in events {
        published.push(tenant.publish(event, &json!({"of": event})).await);
    }
    // The widest endpoint is told of each event when fan-out is done with it, and so with the others.
    for (receiver, webhook, patterns, expected) in &endpoints {
        let received = receiver.wait_for(expected.len(), SOON).await;
        let mut seen: Vec<_> =
            received.iter().map(|request| (request.event_id(), text(&request.json(), "event").to_owned())).collect();
        seen.sort();
        let mut wanted: Vec<_> = expected.iter().map(|&i| (published[i].clone(), events[i].to_owned())).collect();
        wanted.sort();
        assert_eq!(seen, wanted, "{patterns:?}");
        assert_eq!(tenant.deliveries(webhook, "").await.len(), expected.len(), "{patterns:?}");
    }
    let received: Vec<_> = endpoints.iter().map(|(receiver, ..)| receiver.requests().len()).collect();
    assert_eq!(received, [1, 2, 2, 5, 0], "and nothing came late");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_shows_itself_and_its_deliveries() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let one = tenant.webhook(&receiver.url("/one"), &["dubbing.*"]).await;
    let two = tenant.webhook(&receiver.url("/two"), &["*"]).await;
    let other = tenant.webhook(&receiver.url("/other"), &["voice.*"]).await;
    let data = json!({"job_id": "dub_789xyz", "duration_seconds": 342});
    let published = tenant.api.post("/v1/events", &json!({"event": "dubbing.completed", "data": data})).await.ok(202);
    let id = text(&published, "id");
    for webhook in [&one, &two] {
        let delivery = tenant.delivery_of(id, webhook).await;
        tenant.settled(&delivery, "succeeded", 1).await;
    }

    let event = tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
    for key in ["id", "event", "timestamp"] {
        assert_eq!(event[key], published[key]);
    }
    assert_eq!(event["data"], data);
    let deliveries = event["deliveries"].as_array().expect("deliveries should be an array");
    let mut webhooks: Vec<_> = deliveries.iter().map(|row| text(row, "webhook_id")).collect();
    webhooks.sort_unstable();
    let mut expected = [one.as_str(), &two];
    expected.sort_unstable();
    assert_eq!(webhooks, expected, "and none to {other}");
    assert!(deliveries.iter().all(|row| row["status"] == "succeeded"), "{event}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nobody_asked_for_is_kept_without_deliveries() {
    let world = World::open();
    let tenant = world.tenant().await;
    let id = tenant.publish("music.generation.completed", &json!({})).await;
    let event = tenant.api.get(&format!("/v1/events/{id}")).await.ok(200);
    assert_eq!((&event["id"], &event["deliveries"]), (&json!(id), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_what_is_published_after_it_was_made_and_before_it_was_deleted() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let early = tenant.webhook(&receiver.url("/early"), &["*"]).await;
    let first = tenant.publish("dubbing.completed", &json!({"n": 1})).await;
    let delivery = tenant.delivery_of(&first, &early).await;
    tenant.settled(&delivery, "succeeded", 1).await;

    let late = tenant.webhook(&receiver.url("/late"), &["*"]).await;
    tenant.api.delete(&format!("/v1/webhooks/{early}")).await.ok(204);
    let second = tenant.publish("dubbing.completed", &json!({"n": 2})).await;
    let delivery = tenant.delivery_of(&second, &late).await;
    tenant.settled(&delivery, "succeeded", 1).await;

    let seen: Vec<_> = receiver.requests().iter().map(|r| (r.path.clone(), r.event_id())).collect();
    assert_eq!(seen, [("/early".to_owned(), first.clone()), ("/late".to_owned(), second)]);
    // The deleted webhook's history stays in the event's.
    let event: Value = tenant.api.get(&format!("/v1/events/{first}")).await.ok(200);
    assert_eq!(event["deliveries"][0]["webhook_id"], early.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_shown_by_every_door_and_sent_to_nobody() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    tenant.webhook(&receiver.url("/"), &["*"]).await;
    let tags = json!({"region": "eu", "team:owner": "é 🙂 tagged", "empty": ""});
    let event = |id: &str| json!({"event": "dubbing.completed", "data": {"by": id}, "id": id, "tags": tags});
    let mut ids = Vec::new();
    let answer = tenant.api.post("/v1/events", &event("http")).await.ok(202);
    assert_eq!(keys(&answer), ["event", "id", "timestamp"]);
    ids.push(text(&answer, "id").to_owned());
    let batch = tenant.api.post("/v1/events/batch", &json!({"events": [event("batch")]})).await.ok(202);
    ids.push(text(&batch["results"][0], "id").to_owned());
    let theirs = |id: &str| {
        let mut event = event(id);
        event["tenant_id"] = json!(tenant.id);
        event
    };
    put(world.stack, "Postrider Event", &theirs("bus")).await;
    let invoked = world.aws.functions.invoke("events", &theirs("invocation")).await;
    ids.push(text(&invoked, "id").to_owned());
    let of_row = format!("evt_{}", tenant.id.trim_start_matches("ten_"));
    let mut row = event_row(&tenant.id, &of_row, "dubbing.completed", "{}");
    let texts =
        tags.as_object().expect("an object").iter().map(|(name, tag)| (name.clone(), s(tag.as_str().expect("a text"))));
    row.insert("tags".to_owned(), AttributeValue::M(texts.collect()));
    world.aws.rows.put_event(row).await;
    ids.push(of_row);
    let received = receiver.wait_for(5, SOON).await;
    ids.extend(received.iter().map(|request| request.event_id()));
    for id in &ids {
        assert_eq!(tenant.api.get(&format!("/v1/events/{id}")).await.ok(200)["tags"], tags, "{id}");
    }
    for request in &received {
        let is_told =
            request.text().contains("tagged") || request.headers.iter().any(|(_, value)| value.contains("tagged"));
        assert!(!is_told, "{}", request.text());
    }

    // They are a part of what a key stands for; and an event without any shows none.
    assert_eq!(tenant.api.post("/v1/events", &event("http")).await.ok(202), answer);
    let mut other = event("http");
    other["tags"]["region"] = json!("us");
    let refused = tenant.api.post("/v1/events", &other).await.refused(409, "conflict");
    assert!(text(&refused, "message").contains("`tags`"), "{refused}");
    let plain = tenant.publish("dubbing.completed", &json!({})).await;
    assert_eq!(tenant.api.get(&format!("/v1/events/{plain}")).await.ok(200).get("tags"), None);
}
