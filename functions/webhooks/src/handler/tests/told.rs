//! What the owner's other webhooks are told of what he does with one, in the transaction in which it is done.

use postrider_domain::content_type::MAX_CHARS;
use postrider_domain::event::Event;
use postrider_domain::metadata;

use super::*;

/// The events that the last transaction brings, with their data.
fn events(script: &Script) -> Vec<(String, Value)> {
    let transactions = script.asked("TransactWriteItems");
    let writes = transactions.last().unwrap()["TransactItems"].as_array().unwrap();
    let puts = writes.iter().map(|write| &write["Put"]).filter(|put| put["TableName"] == "events");
    puts.map(|put| {
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(id)");
        let event: Event = serde_json::from_value(put["Item"].clone()).unwrap();
        assert!(event.ours && !event.counted && event.tenant_id == owner().tenant_id(), "{event:?}");
        assert_eq!(event.expires_at, event.timestamp.as_second() + RETENTION.seconds);
        (event.event_type.to_string(), serde_json::from_str(&event.data).unwrap())
    })
    .collect()
}

fn types(script: &Script) -> Vec<String> {
    events(script).into_iter().map(|(event, _)| event).collect()
}

fn change(body: &Value) -> Call {
    Call::new("PATCH", &path()).by(&owner()).saying(body)
}

fn act(act: &str) -> Call {
    Call::new("POST", &format!("{}/{act}", path())).by(&owner())
}

fn actor() -> Value {
    json!(owner().key.id)
}

/// An AWS that writes what it is asked to.
fn writing(endpoint: Endpoint) -> Script {
    script(&[endpoint]).saying("TransactWriteItems", repeat_with(Said::done))
}

#[tokio::test]
async fn a_creation_is_told_as_it_is_answered_but_for_the_secret() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let body = json!({"url": "https://hooks.example/", "events": ["webhook.*"], "headers": {"x-token": "canary"}, "name": "ERP"});
    let answer = answered(&script, create(&body)).await;
    let mut shown = answer.body.clone();
    shown.as_object_mut().unwrap().remove("secret").unwrap();
    let expected = json!({"webhook_id": shown["id"], "actor": actor(), "webhook": shown});
    assert_eq!(events(&script), [("webhook.created".to_owned(), expected)]);
}

#[tokio::test]
async fn a_change_is_told_with_the_fields_that_are_others_now() {
    let before = Endpoint {
        sealed_headers: [("x-a".to_owned(), "k1.a".to_owned())].into(),
        description: Some("was".to_owned()),
        timeout_seconds: Some(5),
        ..endpoint()
    };
    for (body, changed) in [
        (json!({"url": "https://hooks.example/other"}), json!(["url"])),
        (json!({"url": "https://hooks.example/", "description": "is"}), json!(["description"])),
        (json!({"description": null, "name": "a", "rate_limit": 5}), json!(["name", "rate_limit", "description"])),
        (json!({"trace": true}), json!(["trace"])),
        (json!({"headers": {"x-a": "b"}}), json!(["headers"])),
        (json!({"headers": {"x-a": "***", "x-b": "c"}}), json!(["headers"])),
        (json!({"headers": null}), json!(["headers"])),
        (json!({"metadata": {"a": "b"}, "content_type": "application/a+json"}), json!(["metadata", "content_type"])),
        (json!({"events": ["a.b"], "retry_schedule": [1]}), json!(["events", "retry_schedule"])),
    ] {
        let script = writing(before.clone());
        let answer = answered(&script, change(&body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = events(&script);
        assert_eq!(told.len(), 1, "{body}: {told:?}");
        let mut names: Vec<_> = told[0].1["changed"].as_array().unwrap().iter().map(Value::to_string).collect();
        let mut expected: Vec<_> = changed.as_array().unwrap().iter().map(Value::to_string).collect();
        names.sort();
        expected.sort();
        assert_eq!(names, expected, "{body}");
        assert_eq!((told[0].0.as_str(), &told[0].1["webhook"]), ("webhook.updated", &answer.body), "as it is answered");
        assert_eq!((&told[0].1["actor"], &told[0].1["webhook_id"]), (&actor(), &json!(endpoint().id)));
    }
}

#[tokio::test]
async fn who_changes_nothing_tells_nothing() {
    let before = Endpoint {
        sealed_headers: [("x-a".to_owned(), "k1.a".to_owned())].into(),
        headers: [("x-b".to_owned(), "b".to_owned())].into(),
        description: Some("was".to_owned()),
        ..endpoint()
    };
    for call in [
        change(&json!({})),
        change(&json!({"description": "was", "url": "https://hooks.example/", "status": "active"})),
        change(&json!({"events": ["invoice.paid", "invoice.paid"]})),
        change(&json!({"headers": {"X-A": "***", "x-b": "***"}, "timeout_seconds": null})),
        change(&json!({"metadata": {}, "content_type": null, "name": null})),
        act("enable"),
    ] {
        let script = writing(before.clone());
        assert_eq!(answered(&script, call.clone()).await.status, 200);
        assert_eq!(types(&script), Vec::<String>::new(), "{call:?}");
    }
}

#[tokio::test]
async fn a_rotation_is_told_as_a_change_of_the_secret() {
    let script = writing(endpoint());
    let answer = answered(&script, act("secret/rotate")).await;
    let told = events(&script);
    assert_eq!((told[0].0.as_str(), &told[0].1["changed"], told.len()), ("webhook.updated", &json!(["secret"]), 1));
    let text = told[0].1.to_string();
    assert!(!text.contains(answer.body["secret"].as_str().unwrap()) && !text.contains("k1."), "{text}");
}

#[tokio::test]
async fn enabling_and_disabling_are_told_however_they_are_asked_for() {
    let disabled = || Endpoint {
        status: EndpointStatus::Disabled,
        disabled_reason: Some("disabled by request".to_owned()),
        disabled_at: Some(Timestamp::UNIX_EPOCH),
        ..endpoint()
    };
    for call in [act("enable"), act("enable").saying(&json!({})), change(&json!({"status": "active"}))] {
        let script = writing(disabled());
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("active")));
        let (event, data) = events(&script).remove(0);
        assert_eq!((event.as_str(), &data["actor"]), ("webhook.enabled", &actor()));
        assert!(data["enabled_at"].is_string() && data["webhook_id"] == json!(endpoint().id), "{data}");
    }
    for call in [act("disable"), act("disable").saying(&json!({})), change(&json!({"status": "disabled"}))] {
        let script = writing(endpoint());
        let answer = answered(&script, call).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("disabled")));
        let expected = json!({
            "webhook_id": endpoint().id,
            "reason": "disabled by request",
            "disabled_at": answer.body["disabled_at"],
            "actor": actor(),
        });
        assert_eq!(events(&script), [("webhook.disabled".to_owned(), expected)]);
    }
    // And beside it what else was changed.
    let script = writing(disabled());
    answered(&script, change(&json!({"status": "active", "url": "https://hooks.example/b"}))).await;
    assert_eq!(types(&script), ["webhook.updated", "webhook.enabled"]);
    assert_eq!(events(&script)[0].1["changed"], json!(["url"]));
}

#[tokio::test]
async fn whoever_turns_a_webhook_on_or_off_says_nothing_else() {
    for path in ["enable", "disable"] {
        let answer = answered(&script(&[endpoint()]), act(path).saying(&json!({"status": "active"}))).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("status")), "{answer:?}");
        let answer = answered(&script(&[endpoint()]), act(path).saying(&json!([]))).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("body")), "{answer:?}");
    }
}

#[tokio::test]
async fn a_deletion_is_told_with_what_was_deleted() {
    let script = writing(endpoint());
    let shown = answered(&script, Call::new("GET", &path()).by(&owner())).await.body;
    assert_eq!(answered(&script, Call::new("DELETE", &path()).by(&owner())).await.status, 204);
    let (event, mut data) = events(&script).remove(0);
    assert!(data.as_object_mut().unwrap().remove("deleted_at").unwrap().is_string());
    let expected = json!({"webhook_id": endpoint().id, "actor": actor(), "webhook": shown});
    assert_eq!((event.as_str(), data), ("webhook.deleted", expected));
    // Of one that nobody can read its id is told.
    let mut unreadable = row(&endpoint());
    unreadable["dialect"] = json!("klingon");
    let script = super::script(&[]).holding("config", [unreadable]).saying("TransactWriteItems", [Said::done()]);
    answered(&script, Call::new("DELETE", &path()).by(&owner())).await;
    let (event, data) = events(&script).remove(0);
    assert_eq!((event.as_str(), &data["actor"], data.get("webhook")), ("webhook.deleted", &actor(), None));
}

/// Whose answer was lost is refused by his own event, whatever has become of the webhook since: there is one of it.
#[tokio::test(start_paused = true)]
async fn a_change_is_known_by_the_event_that_tells_of_it() {
    let theirs = json!({"changed_by": "another0", "revision": 9});
    for (call, parts) in [
        (change(&json!({"description": "mine"})), 2),
        (act("disable"), 2),
        (act("secret/rotate"), 2),
        (Call::new("DELETE", &path()).by(&owner()), 4),
    ] {
        for (is_ours, tries) in [(true, 1), (false, 2)] {
            let (asked, theirs) = (std::cell::Cell::new(0), theirs.clone());
            let script = script(&[endpoint()]).answering("TransactWriteItems", move |body| {
                asked.set(asked.get() + 1);
                let writes = body["TransactItems"].as_array()?;
                assert_eq!(writes.len(), parts);
                let told = writes.iter().map(|write| &write["Put"]).find(|put| put["TableName"] == "events")?;
                let there = if is_ours { told["Item"].clone() } else { json!({"id": "evt_another"}) };
                let refused = |write: &Value| match &write["Put"]["TableName"] {
                    table if table == "events" => Ok(there.clone()),
                    _ => Err("None"),
                };
                match asked.get() {
                    1 => Some(Said::lost()),
                    2 => {
                        let mut reasons: Vec<_> = writes.iter().map(refused).collect();
                        reasons[0] = Ok(theirs.clone());
                        Some(Said::cancelled(&reasons))
                    }
                    _ => Some(Said::done()),
                }
            });
            let answer = answered(&script, call.clone()).await;
            assert!([200, 204].contains(&answer.status), "{answer:?}");
            let asked = script.asked("TransactWriteItems");
            let ids: std::collections::BTreeSet<_> = asked
                .iter()
                .flat_map(|asked| asked["TransactItems"].as_array().unwrap().clone())
                .filter(|write| write["Put"]["TableName"] == "events")
                .map(|write| write["Put"]["Item"]["id"].to_string())
                .collect();
            assert_eq!(ids.len(), tries, "a second try of its own has another event: {call:?}");
        }
    }
}

/// Both in the transaction as long as there is room: of 48 event types for 48 others at another URL there is room for one.
#[tokio::test]
async fn what_a_transaction_has_no_room_for_is_told_afterwards() {
    let types_of = |prefix: &str, count: usize| (0..count).map(|n| format!("{prefix}.n{n}")).collect::<Vec<_>>();
    for (count, together, afterwards) in [(47, 100, 0), (48, 100, 1), (49, 100, 2)] {
        let events = types_of("was", count).iter().map(|name| name.parse().unwrap()).collect();
        let before = Endpoint { events, status: EndpointStatus::Disabled, ..endpoint() };
        let script = writing(before).saying("PutItem", repeat_with(Said::done));
        let others = types_of("is", if count == 49 { 48 } else { count });
        let body = json!({"events": others, "url": "https://hooks.example/b", "status": "active"});
        assert_eq!(answered(&script, change(&body)).await.status, 200);
        let written = script.asked("TransactWriteItems")[0]["TransactItems"].as_array().unwrap().len();
        let puts: Vec<_> = script.asked("PutItem").iter().map(|put| put["Item"]["event"].to_string()).collect();
        assert!(written <= together && puts.len() == afterwards, "{count}: {written} and {puts:?}");
        assert_eq!(types(&script).len() + puts.len(), 2);
    }
    // Where that fails the change stands, and whoever asked for it hears so.
    let events = types_of("was", 49).iter().map(|name| name.parse().unwrap()).collect();
    let script = writing(Endpoint { events, ..endpoint() }).saying("PutItem", repeat_with(Said::throttled));
    let body = json!({"events": types_of("is", 48), "url": "https://hooks.example/b"});
    assert_eq!(answered(&script, change(&body)).await.status, 200);
}

#[tokio::test]
async fn the_largest_webhook_is_told_in_64_kibibytes() {
    let fill =
        |name: &str, total: usize, with: &str| format!("{name}{}", with.repeat((total - name.len()) / with.len()));
    let metadata: serde_json::Map<String, Value> =
        (0..7).map(|n| (fill(&n.to_string(), 64, "k"), json!("\"".repeat(511)))).collect();
    let bytes: usize = metadata.iter().map(|(key, text)| key.len() + text.as_str().unwrap().len()).sum();
    assert!(bytes <= metadata::MAX_BYTES && bytes > metadata::MAX_BYTES * 9 / 10);
    let headers: serde_json::Map<String, Value> =
        (0..7).map(|n| (fill(&format!("x-{n}"), 1024, "h"), json!("v"))).collect();
    let body = json!({
        "url": fill("https://hooks.example/", 2048, "p"),
        "events": (0..48).map(|n| format!("{}.*", fill(&format!("a{n}.b"), 128, "c"))).collect::<Vec<_>>(),
        "name": "\"".repeat(128),
        "description": "\u{1}".repeat(256),
        "metadata": metadata,
        "content_type": format!("application/{}+json", "x".repeat(MAX_CHARS - 17)),
        "headers": headers,
        "retry_schedule": vec![86_400; 16],
        "timeout_seconds": 30,
        "rate_limit": 1000,
    });
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, create(&body)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = events(&script)[0].1.to_string().len();
    assert!((16 * 1024..64 * 1024).contains(&told), "{told} bytes");
}
