use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

const HOSTILE: &str = "\"><script>alert(1)</script>";

fn listed(ids: &[&str], next_cursor: Option<&str>) -> Value {
    let webhooks: Vec<_> = ids.iter().map(|id| webhook(id, &json!({}))).collect();
    json!({"webhooks": webhooks, "pagination": {"has_more": next_cursor.is_some(), "next_cursor": next_cursor}})
}

fn webhook(id: &str, more: &Value) -> Value {
    let mut told = json!({
        "id": id, "url": format!("https://hooks.example.com/{id}"), "events": ["invoice.paid"], "status": "active",
        "created_at": "2026-01-15T14:30:00.000Z",
    });
    told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    told
}

fn stats(rate: &Value) -> Value {
    json!({
        "since": "2026-01-14T14:30:00.000Z", "until": "2026-01-15T14:30:00.000Z", "deliveries": {"retrying": 3}, "success_rate": rate,
        "outcomes": {}, "buckets": [{"from": "2026-01-14T14:00:00.000Z", "succeeded": 9, "failed": 1}], "seen": 13, "complete": true,
    })
}

fn undelivered(outcome: &str) -> Value {
    let attempt =
        json!({"number": 1, "at": "2026-01-15T14:00:00.000Z", "duration_ms": 5, "outcome": outcome, "error": HOSTILE});
    json!({"pagination": {"has_more": true, "next_cursor": "x"}, "deliveries": [{
        "id": "dlv_1", "event_id": "evt_1", "event": "invoice.paid", "status": "retrying", "created_at": "2026-01-15T14:00:00.000Z",
        "attempts": [attempt],
    }]})
}

#[tokio::test]
async fn the_list_is_loaded_again_while_it_is_looked_at() {
    let api = StandIn::saying(vec![
        ("GET /v1/webhooks?", 200, listed(&["wh_1"], Some("x"))),
        ("GET /v1/webhooks/wh_1", 200, webhook("wh_1", &json!({}))),
    ])
    .await;
    let visitor = api.visitor();
    let page = visitor.opens("webhooks?done=deleted").await.text;
    assert!(page.contains("<div data-load=\"./webhooks\" data-reload=\"10\">"), "{page}");
    let part = visitor.sends(replay::Call::new("GET", "/portal/webhooks").header("x-part", "1")).await.text;
    assert!(part.contains("wh_1") && !part.contains("<html") && page.contains(&part), "{part}");
    assert!(!visitor.opens("webhooks?cursor=x").await.text.contains("data-load=\"./webhooks\""), "it stays as it is");
}

#[tokio::test]
async fn each_webhook_says_how_it_is_doing_in_words() {
    let states = [
        ("wh_1", json!({"name": "ERP", "filter": {"event": ["a"]}}), vec!["ERP", "with a filter", "active"]),
        (
            "wh_2",
            json!({"status": "disabled", "disabled_at": "2026-01-15T10:00:00.000Z", "disabled_reason": "failed for 5 days"}),
            vec!["Nothing is sent since", "2026-01-15 10:00:00 UTC", "failed for 5 days"],
        ),
        (
            "wh_3",
            json!({"parking": {"state": "down", "cause": "endpoint_outage", "since": "2026-01-15T11:00:00.000Z"}}),
            vec!["Nobody answers there since", "2026-01-15 11:00:00 UTC"],
        ),
        (
            "wh_4",
            json!({"failing_since": "2026-01-15T12:00:00.000Z"}),
            vec!["All deliveries have failed since", "12:00:00 UTC"],
        ),
    ];
    for (id, more, expected) in states {
        let told = webhook(id, &more);
        let cause = told["parking"]["cause"].clone();
        let api =
            StandIn::saying(vec![("GET /v1/webhooks?", 200, listed(&[id], None)), ("GET /v1/webhooks/wh_", 200, told)])
                .await;
        let page = api.visitor().opens("webhooks").await;
        assert_eq!(page.status, 200, "{cause}: {}", page.text);
        for text in expected {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(page.text.contains(&format!(
            "<img class=\"bar\" loading=\"lazy\" width=\"240\" height=\"60\" src=\"./webhooks/{id}/bar.svg\""
        )));
    }
}

#[tokio::test]
async fn what_became_of_a_day_comes_later_or_at_once_where_there_is_no_script() {
    let api = StandIn::saying(vec![
        ("GET /v1/webhooks?", 200, listed(&["wh_1"], None)),
        ("GET /v1/webhooks/wh_1/stats", 200, stats(&json!(0.9))),
        ("GET /v1/webhooks/wh_1/deliveries?status=undelivered&limit=1", 200, undelivered("status_500")),
        ("GET /v1/webhooks/wh_1", 200, webhook("wh_1", &json!({}))),
    ])
    .await;
    let visitor = api.visitor();
    let page = visitor.opens("webhooks").await.text;
    assert!(
        page.contains("data-load=\"./webhooks/wh_1/glance\"")
            && page.contains("<noscript><p><a href=\"./webhooks?health=1\">")
    );
    assert!(!page.contains("90.0 %"));
    let part = visitor.opens("webhooks/wh_1/glance").await.text;
    for text in [
        "90.0 % delivered in the last 24 hours",
        "3 waiting",
        "Last failure:",
        "500 Internal Server Error",
        "../../deliveries/dlv_1",
    ] {
        assert!(part.contains(text), "{text}: {part}");
    }
    assert!(!part.contains("<html"), "{part}");
    let whole = visitor.opens("webhooks?health=1").await.text;
    assert!(
        whole.contains("90.0 % delivered in the last 24 hours")
            && whole.contains("./deliveries/dlv_1")
            && !whole.contains("noscript")
    );
    let picture = visitor.opens("webhooks/wh_1/bar.svg").await;
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    assert_eq!(picture.text.matches("<rect").count(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_takes_nothing_else_away() {
    let api = StandIn::saying(vec![
        ("GET /v1/webhooks?", 200, listed(&["wh_1", "wh_2"], None)),
        ("GET /v1/webhooks/wh_1/stats", 503, Value::Null),
        ("GET /v1/webhooks/wh_1", 500, Value::Null),
    ])
    .await;
    let page = api.visitor().opens("webhooks?health=1").await;
    assert!(page.status == 200 && page.text.contains("https://hooks.example.com/wh_1"), "{}", page.text);
    assert!(page.text.contains("could not be counted"), "{}", page.text);
}

#[tokio::test]
async fn many_webhooks_are_several_pages() {
    let api = StandIn::saying(vec![("GET /v1/webhooks?", 200, listed(&["wh_1"], Some("a+b/c=")))]).await;
    let visitor = api.visitor();
    let page = visitor.opens("webhooks").await.text;
    assert!(page.contains("<a rel=\"next\" href=\"./webhooks?cursor=a%2Bb%2Fc%3D\">Older</a>"), "{page}");
    let next = visitor.opens("webhooks?cursor=a%2Bb%2Fc%3D").await.text;
    assert!(next.contains("<a href=\"./webhooks\">Newest</a>"), "{next}");
    assert!(api.asked().iter().any(|asked| asked.line == "GET /v1/webhooks?limit=10&cursor=a%2Bb%2Fc%3D"));
    let last = StandIn::saying(vec![("GET /v1/webhooks?", 200, listed(&[], None))]).await;
    assert!(last.visitor().opens("webhooks?cursor=x").await.text.contains("There is none on this page"));
}

#[tokio::test]
async fn where_there_is_none_the_page_says_what_to_do() {
    for (capabilities, only, text, new) in [
        (vec!["view", "edit"], None, "Create one to begin", true),
        (vec!["view"], None, "sees no webhook", false),
        (vec!["view", "edit"], Some(json!(["wh_9"])), "sees no webhook", false),
    ] {
        let mut told = session(&capabilities);
        if let Some(only) = only {
            told["webhook_ids"] = only;
        }
        let api =
            StandIn::saying(vec![("GET /v1/portal/session", 200, told), ("GET /v1/webhooks?", 200, listed(&[], None))])
                .await;
        let page = api.visitor().opens("webhooks").await.text;
        assert!(page.contains(text) && page.contains("./webhooks/new") == new, "{page}");
    }
}

#[tokio::test]
async fn hostile_text_is_text_wherever_it_stands() {
    let more = json!({
        "name": HOSTILE, "url": format!("javascript:{HOSTILE}"), "events": [HOSTILE], "status": "disabled", "disabled_reason": HOSTILE,
        "disabled_at": "2026-01-15T10:00:00.000Z",
    });
    let mut told = session(&["view", "edit"]);
    told["tenant_name"] = HOSTILE.into();
    told["name"] = HOSTILE.into();
    let api = StandIn::saying(vec![
        ("GET /v1/portal/session", 200, told),
        ("GET /v1/webhooks?", 200, listed(&["wh_1"], Some(HOSTILE))),
        ("GET /v1/webhooks/wh_1/stats", 200, stats(&Value::Null)),
        ("GET /v1/webhooks/wh_1/deliveries", 200, undelivered(HOSTILE)),
        ("GET /v1/webhooks/wh_1", 200, webhook("wh_1", &more)),
    ])
    .await;
    let visitor = api.visitor();
    for page in ["webhooks?health=1&done=%22%3E%3Cscript%3E", "webhooks/wh_1/glance", "webhooks/wh_1/bar.svg"] {
        let answered = visitor.opens(page).await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        let scripts = answered.text.matches("<script").count();
        assert_eq!(scripts, usize::from(page.starts_with("webhooks?")), "its own alone: {}", answered.text);
        assert!(
            !answered.text.contains("href=\"javascript") && !answered.text.contains("\"><script>alert"),
            "{}",
            answered.text
        );
    }
}
