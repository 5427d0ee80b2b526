use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

const HOSTILE: &str = "\"><script>alert(1)</script>'</code></pre>";

fn delivery(status: &str, more: Value) -> Value {
    let mut told = json!({
        "id": "dlv_1", "event_id": "evt_1", "event": "invoice.paid", "webhook_id": "wh_1", "url": "https://hooks.example.com/in",
        "status": status, "created_at": "2026-01-15T14:30:00.000Z", "next_attempt_at": null, "attempts": [],
    });
    told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    told
}

async fn api(told: Value) -> StandIn {
    StandIn::saying(vec![("GET /v1/deliveries/dlv_1", 200, told)]).await
}

#[tokio::test]
async fn each_attempt_says_what_happened_and_what_to_do() {
    let told = delivery(
        "failed",
        json!({
            "reason": "attempts_exhausted",
            "attempts": [
                {"number": 1, "at": "2026-01-15T14:30:01.000Z", "duration_ms": 20_000, "url": "https://hooks.example.com/in", "outcome": "timed_out"},
                {"number": 2, "at": "2026-01-15T14:35:01.000Z", "duration_ms": 7, "url": null, "outcome": "tls_failed", "error": "the TLS certificate has expired"},
                {"number": 3, "at": "2026-01-15T14:45:01.000Z", "duration_ms": 183, "url": "https://hooks.example.com/in", "outcome": "status_302",
                 "status_code": 302, "redirect_to": "https://www.example.com/in", "response_excerpt": "moved", "response_headers": {"server": "nginx"}},
            ],
            "request": {"about": "…", "url": "https://hooks.example.com/in", "headers": {"webhook-id": "evt_1"}, "body": "{\"type\":1}", "left_out": ["webhook-signature"]},
        }),
    );
    let api = api(told).await;
    let page = api.visitor().opens("deliveries/dlv_1").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in [
        "Every attempt of the retry schedule failed",
        "Answer first, work afterwards.",
        "Renew the certificate; check the server's clock.",
        "Redirects are not followed: give the webhook the address to which this one points.",
        "https://www.example.com/in",
        "server: nginx",
        "<code>moved</code>",
        "20000 ms",
        "webhook-id: evt_1",
        "<code>webhook-signature</code>",
        "action=\"../deliveries/dlv_1/resend\"",
        "href=\"../webhooks/wh_1\"",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("/cancel\"") && page.text.contains("data-final"), "{}", page.text);
    assert_eq!(api.asked()[0].line, "GET /v1/deliveries/dlv_1?include=request");
}

#[tokio::test]
async fn what_it_waits_for_is_told_and_looked_at_again() {
    let told =
        delivery("retrying", json!({"next_attempt_at": "2026-01-15T14:45:00.000Z", "waiting_for": "endpoint_outage"}));
    let page = api(told).await.visitor().opens("deliveries/dlv_1").await.text;
    for part in [
        "Nobody answers at the webhook",
        "The webhook is tried next at",
        "2026-01-15 14:45:00 UTC",
        "/cancel\"",
        "data-load=\"../deliveries/dlv_1\"",
        "<noscript>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("data-final"), "{page}");
}

#[tokio::test]
async fn a_delivery_that_was_asked_for_just_now_is_on_its_way() {
    let api = StandIn::saying(Vec::new()).await;
    let page = api.visitor().opens("deliveries/dlv_9?new=1").await;
    assert!(page.status == 200 && page.text.contains("It is on its way"), "{}", page.text);
    assert!(page.text.contains("data-load=\"../deliveries/dlv_9?new=1\""), "{}", page.text);
    assert_eq!(api.visitor().opens("deliveries/dlv_9").await.status, 404);
}

#[tokio::test]
async fn it_is_sent_again_and_called_off_by_a_button() {
    for (button, call) in [("resend", "retry"), ("cancel", "cancel")] {
        let path = if call == "retry" { "POST /v1/deliveries/dlv_1/retry" } else { "POST /v1/deliveries/dlv_1/cancel" };
        let api = StandIn::saying(vec![(path, 202, json!({"delivery_id": "dlv_1"}))]).await;
        let done = api.visitor().posts(&format!("deliveries/dlv_1/{button}"), &[]).await;
        assert_eq!((done.status, &done.headers["location"]), (303, &"../../deliveries/dlv_1".into()));
        assert_eq!(api.asked()[0].line, path);
    }
}

#[tokio::test]
async fn what_cannot_be_is_told_above_the_delivery() {
    let refusal = json!({"error": {"code": "conflict", "message": "an attempt is <on> its way"}});
    let api = StandIn::saying(vec![
        ("POST /v1/deliveries/dlv_1/retry", 409, refusal),
        ("GET /v1/deliveries/dlv_1", 200, delivery("pending", json!({}))),
    ])
    .await;
    let page = api.visitor().posts("deliveries/dlv_1/resend", &[]).await;
    assert!(page.status == 409 && page.text.contains("an attempt is &lt;on&gt; its way"), "{}", page.text);
    assert!(page.text.contains("Nothing was tried yet."), "{}", page.text);
}

#[tokio::test]
async fn who_may_not_send_sees_no_button() {
    let told = delivery("failed", json!({}));
    let api = StandIn::saying(vec![
        ("GET /v1/portal/session", 200, session(&["view"])),
        ("GET /v1/deliveries/dlv_1", 200, told),
    ])
    .await;
    let page = api.visitor().opens("deliveries/dlv_1").await.text;
    assert!(!page.contains("/resend\"") && !page.contains("/cancel\""), "{page}");
}

#[tokio::test]
async fn more_attempts_than_a_page_shows_are_on_further_pages() {
    let told = delivery("succeeded", json!({"pagination": {"has_more": true, "next_cursor": "n&x"}}));
    let api = api(told).await;
    let page = api.visitor().opens("deliveries/dlv_1?cursor=c").await.text;
    assert!(page.contains("href=\"../deliveries/dlv_1?cursor=n%26x\"") && page.contains("First attempts"), "{page}");
    assert_eq!(api.asked()[0].line, "GET /v1/deliveries/dlv_1?include=request&cursor=c");
}

#[tokio::test]
async fn whatever_was_sent_and_answered_is_text() {
    let told = delivery(
        "failed",
        json!({
            "event": HOSTILE, "event_id": HOSTILE, "url": HOSTILE, "id": HOSTILE, "webhook_id": HOSTILE, "job_id": HOSTILE,
            "pagination": {"next_cursor": HOSTILE},
            "attempts": [{"number": 1, "at": "2026-01-15T14:30:01.000Z", "duration_ms": 7, "url": HOSTILE, "outcome": HOSTILE, "error": HOSTILE,
                "redirect_to": HOSTILE, "response_excerpt": HOSTILE, "response_headers": {HOSTILE: HOSTILE}}],
            "request": {"about": HOSTILE, "url": HOSTILE, "headers": {HOSTILE: HOSTILE}, "body": HOSTILE, "left_out": [HOSTILE]},
        }),
    );
    let page = api(told).await.visitor().opens("deliveries/dlv_1").await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        !page.text.contains("<script>alert") && page.text.matches("&lt;script&gt;alert").count() > 10,
        "{}",
        page.text
    );
    assert!(!page.text.contains("'</code></pre>"), "{}", page.text);
}

#[tokio::test]
async fn a_word_that_nobody_here_knows_is_no_failure() {
    let told = delivery(
        "failed",
        json!({"attempts": [{"number": 1, "at": "2026-01-15T14:30:01.000Z", "outcome": "eaten_by_dog"}]}),
    );
    let page = api(told).await.visitor().opens("deliveries/dlv_1").await;
    assert!(page.status == 200 && page.text.contains("does not know the word yet"), "{}", page.text);
}
