use serde_json::{Value, json};

use super::*;
use crate::stand_in::{StandIn, session};
use crate::texts::Language;

#[test]
fn who_it_was_is_told_in_words() {
    let texts = &Language::English.texts().changes;
    for (actor, expected) in [
        (Some("ses_mine"), "you, in this session"),
        (Some("ses_other"), "somebody in another session (ses_other)"),
        (Some("key_1"), "an API key (key_1)"),
        (Some("postrider"), "the sender itself"),
        (Some(""), "unknown"),
        (None, "unknown"),
    ] {
        assert_eq!(who(texts, "ses_mine", actor), expected);
    }
}

#[test]
fn what_was_done_is_told_in_words() {
    let (english, german) = (&Language::English.texts().changes, &Language::German.texts().changes);
    let changed = ["url", "secret", "failing_since"].map(str::to_owned);
    assert_eq!(done(english, "webhook.updated", &changed), "changed: address, secret");
    assert_eq!(done(german, "webhook.updated", &changed), "geändert: Adresse, Geheimnis");
    assert_eq!(done(english, "webhook.updated", &[]), "changed");
    assert_eq!(done(english, "webhook.updated", &changed[2..]), "changed", "of what has no name nothing is told");
    for (event, expected) in [
        ("webhook.created", "angelegt"),
        ("webhook.deleted", "gelöscht"),
        ("webhook.enabled", "wieder eingeschaltet"),
        ("webhook.disabled", "angehalten"),
        ("webhook.painted", "webhook.painted"),
    ] {
        assert_eq!(done(german, event, &[]), expected);
    }
}

fn listed(changes: &[(&str, &str)], next: Option<&str>) -> Value {
    let listed =
        |(id, event): &(&str, &str)| json!({"id": id, "event": event, "timestamp": "2026-01-15T14:30:00.000Z"});
    let events: Vec<_> = changes.iter().map(listed).collect();
    json!({"events": events, "pagination": {"has_more": next.is_some(), "next_cursor": next}})
}

fn no_webhooks() -> Value {
    json!({"webhooks": [], "pagination": {"has_more": false, "next_cursor": null}})
}

#[tokio::test]
async fn a_change_that_cannot_be_read_says_so_and_takes_no_other_away() {
    let api = StandIn::saying(vec![
        ("GET /v1/events?", 200, listed(&[("evt_1", "webhook.created"), ("evt_2", "webhook.deleted")], None)),
        ("GET /v1/events/evt_1", 503, Value::Null),
        ("GET /v1/events/evt_2", 200, json!({"data": {"webhook_id": "wh_1", "actor": "key_7"}})),
        ("GET /v1/webhooks?", 200, no_webhooks()),
    ])
    .await;
    let page = api.visitor().opens("changes").await;
    for part in ["created. <span class=\"soft\">It cannot be read just now.</span>", "an API key (key_7)"] {
        assert!(page.status == 200 && page.text.contains(part), "{part}: {}", page.text);
    }
}

#[tokio::test]
async fn each_change_stands_with_who_made_it_and_what_it_was() {
    let webhook = json!({"id": "wh_1", "url": "https://one.example/", "events": [], "status": "active"});
    let api = StandIn::saying(vec![
        ("GET /v1/events?", 200, listed(&[("evt_1", "webhook.updated"), ("evt_2", "webhook.disabled"), ("evt_3", "webhook.created")], Some("n"))),
        ("GET /v1/events/evt_1", 200, json!({"data": {"webhook_id": "wh_1", "actor": "ses_1", "changed": ["url"], "webhook": {"url": "https://<b>.example/"}}})),
        ("GET /v1/events/evt_2", 200, json!({"data": {"webhook_id": "wh_1", "actor": "postrider", "reason": "gone <i>"}})),
        ("GET /v1/webhooks?", 200, json!({"webhooks": [webhook], "pagination": {"next_cursor": null}})),
    ])
    .await;
    let page = api.visitor().opens("changes").await;
    assert_eq!(page.status, 200);
    let row = |with: &str| {
        page.text.split("<tr>").find(|row| row.contains(with)).unwrap_or_else(|| panic!("{with}: {}", page.text))
    };
    let first = row("evt_1");
    assert!(
        first.contains("you, in this session")
            && first.contains("changed: address")
            && first.contains("https://&lt;b&gt;.example/"),
        "{first}"
    );
    let second = row("evt_2");
    assert!(
        second.contains("the sender itself")
            && second.contains("gone &lt;i&gt;")
            && second.contains("https://one.example/"),
        "{second}"
    );
    // What is no longer kept is a change all the same.
    assert!(row("evt_3").contains("unknown") && row("evt_3").contains("created"));
    assert!(page.text.contains("href=\"./changes?cursor=n\""), "{}", page.text);
    assert_eq!(api.asked()[0].line, "GET /v1/events?changes=true&limit=15");
}

#[tokio::test]
async fn where_there_is_none_or_none_to_see_the_page_says_why() {
    let answers = |sees: Value, next| {
        vec![
            ("GET /v1/portal/session", 200, sees),
            ("GET /v1/events?", 200, listed(&[], next)),
            ("GET /v1/webhooks?", 200, no_webhooks()),
        ]
    };
    let api = StandIn::saying(answers(session(&["view"]), None)).await;
    assert!(api.visitor().opens("changes").await.text.contains("Nobody has changed anything"));
    let api = StandIn::saying(answers(session(&["view"]), Some("n"))).await;
    assert!(api.visitor().opens("changes").await.text.contains("none among the newest events"));
    let mut limited = session(&["view"]);
    limited["webhook_ids"] = json!(["wh_1"]);
    let api = StandIn::saying(answers(limited, None)).await;
    assert!(api.visitor().opens("changes").await.text.contains("does not see who changed what"));
    assert_eq!(api.asked().len(), 0);
}
