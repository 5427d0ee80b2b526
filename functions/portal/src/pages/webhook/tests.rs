use serde_json::{Value, json};

use crate::stand_in::{StandIn, Visitor, session};

const HOSTILE: &str = "\"><script>alert(1)</script>'</title></textarea>{{7*7}}";

/// Nothing of it may be more than text: neither a tag, nor an attribute's end.
fn assert_harmless(text: &str) {
    for part in ["<script>alert", "\"><", "</title></textarea>"] {
        let found = text.find(part).map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        let own = part == "\"><";
        assert!(found.is_none() || own && !text.contains("\"><script>alert"), "{part}: {found:?}");
    }
}

fn webhook() -> Value {
    json!({
        "id": "wh_1",
        "url": "https://hooks.example.com/in",
        "events": ["invoice.paid", "order.*"],
        "created_at": "2026-01-01T08:00:00.000Z",
        "status": "active",
    })
}

fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

fn delivery(id: &str, status: &str, attempts: Value) -> Value {
    json!({
        "id": id, "event_id": "evt_1", "event": "invoice.paid", "webhook_id": "wh_1", "url": "https://hooks.example.com/in",
        "status": status, "created_at": "2026-01-15T14:30:00.000Z", "next_attempt_at": null, "attempts": attempts,
    })
}

fn attempt(outcome: &str) -> Value {
    json!([{"number": 1, "at": "2026-01-15T14:30:01.000Z", "duration_ms": 183, "url": null, "outcome": outcome}])
}

fn stats() -> Value {
    json!({
        "since": "2026-01-14T15:00:00.000Z", "until": "2026-01-15T15:00:00.000Z",
        "deliveries": {"pending": 2, "retrying": 1, "succeeded": 40, "failed": 1, "cancelled": 0},
        "outcomes": {"succeeded": 40, "status_500": 2}, "success_rate": 0.9756, "duration_ms": {"p50": 120, "p95": 840},
        "bucket_seconds": 3600, "buckets": [{"from": "2026-01-15T14:00:00.000Z", "succeeded": 40, "failed": 1}],
        "seen": 44, "complete": true,
    })
}

fn listed(deliveries: Value, cursor: Value) -> Value {
    json!({"deliveries": deliveries, "pagination": {"has_more": !cursor.is_null(), "next_cursor": cursor}})
}

#[tokio::test]
async fn what_was_sent_to_a_webhook_that_was_deleted_is_there_while_it_is_kept() {
    let sent = listed(json!([delivery("dlv_1", "failed", attempt("status_500"))]), json!("abc"));
    let answers = |sent: Value| {
        vec![
            ("GET /v1/webhooks/wh_1/stats", 404, Value::Null),
            ("GET /v1/webhooks/wh_1/deliveries", 200, sent),
            ("GET /v1/webhooks/wh_1", 404, Value::Null),
        ]
    };
    let api = StandIn::saying(answers(sent)).await;
    let page = api.visitor().opens("webhooks/wh_1?status=failed").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in ["This webhook was deleted.", "../deliveries/dlv_1", "status=failed&amp;cursor=abc"] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    for part in ["/edit\"", "/test\"", "/rotate\"", "data-reload"] {
        assert!(!page.text.contains(part), "{part}: {}", page.text);
    }
    let gone = StandIn::saying(answers(listed(json!([]), Value::Null))).await;
    assert_eq!(gone.visitor().opens("webhooks/wh_1").await.status, 404);
}

#[tokio::test]
async fn what_is_tested_and_previewed_is_sent_number_for_number() {
    let text = r#"{"n":12345678901234567890,"n":1.50}"#;
    let api = api(vec![
        ("POST /v1/webhooks/wh_1/test", 202, json!({"delivery_id": "dlv_9", "event_id": "evt_9"})),
        ("GET /v1/event-types/user.made", 200, json!({"example": {"n": 1}})),
    ])
    .await;
    for page in ["test", "preview"] {
        api.visitor().posts(&format!("webhooks/wh_1/{page}"), &[("event", "user.made"), ("data", text)]).await;
        let asked =
            api.asked().into_iter().find(|asked| asked.line == format!("POST /v1/webhooks/wh_1/{page}")).unwrap();
        assert!(asked.text.contains(&format!("\"data\":{text}")), "{page}: {}", asked.text);
    }
}

#[tokio::test]
async fn a_page_with_a_new_secret_that_is_loaded_again_makes_no_other() {
    let rotated = json!({"secret": "whsec_new", "previous_secret_until": "2026-01-16T14:30:00.000Z"});
    let api = api(vec![("POST /v1/webhooks/wh_1/secret/rotate", 200, rotated)]).await;
    let mut visitor = api.visitor();
    let key = |page: &str| page[page.find("name=\"key\" value=\"").unwrap() + 18..][..32].to_owned();
    let form = key(&visitor.opens("webhooks/wh_1/rotate").await.text);
    let made = async |visitor: &Visitor, key: &str| {
        visitor.posts("webhooks/wh_1/rotate", &[("grace_seconds", "3600"), ("key", key)]).await
    };
    let calls = || api.asked().iter().filter(|asked| asked.line.ends_with("/secret/rotate")).count();
    let first = made(&visitor, &form).await;
    assert!(first.text.contains("whsec_new") && calls() == 1, "{}", first.text);
    // Whoever got no answer sends it again, and sees a secret after all.
    assert!(made(&visitor, &form).await.text.contains("whsec_new") && calls() == 2);
    let remembered = first.cookies[0].split(';').next().unwrap();
    assert!(first.cookies[0].ends_with("; HttpOnly; Secure; SameSite=Lax"), "{:?}", first.cookies);
    visitor.cookie = visitor.cookie.map(|cookie| format!("{cookie}; {remembered}"));
    let again = made(&visitor, &form).await;
    assert!(again.status == 409 && again.text.contains("This form was sent before") && calls() == 2, "{}", again.text);
    let another = key(&again.text);
    assert!(another != form && made(&visitor, &another).await.text.contains("whsec_new") && calls() == 3);
}

type Answers = Vec<(&'static str, u16, Value)>;

/// An API with one webhook, which also answers these, before all else.
async fn api(more: Answers) -> StandIn {
    let deliveries = json!([
        delivery("dlv_2", "failed", attempt("status_500")),
        delivery("dlv_1", "succeeded", attempt("succeeded"))
    ]);
    let usual = vec![
        ("GET /v1/webhooks/wh_1/stats", 200, stats()),
        ("GET /v1/webhooks/wh_1/deliveries", 200, listed(deliveries, json!("abc"))),
        ("GET /v1/webhooks/wh_1", 200, webhook()),
        ("GET /v1/event-types?", 200, json!({"event_types": [{"name": "user.made"}], "pagination": {}})),
    ];
    StandIn::saying(more.into_iter().chain(usual).collect()).await
}

#[tokio::test]
async fn its_page_shows_how_it_is_doing_and_what_was_sent() {
    let api = api(Vec::new()).await;
    let page = api.visitor().opens("webhooks/wh_1").await;
    assert_eq!(page.status, 200, "{}", page.text);
    for part in [
        "<h1>https://hooks.example.com/in</h1>",
        "97.5 %",
        "<a href=\"../deliveries/dlv_2\">500 Internal Server Error</a>",
        "40 delivered, 1 failed",
        "href=\"../deliveries/dlv_1\"",
        "href=\"../webhooks/wh_1?cursor=abc\"",
        "840 ms",
        "<code>order.*</code>",
        "action=\"../webhooks/wh_1/test\"",
        "action=\"../webhooks/wh_1/pause\"",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let lines: Vec<_> = api.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
}

#[tokio::test]
async fn deliveries_are_chosen_and_the_readers_place_is_kept() {
    let api = api(Vec::new()).await;
    let query =
        "status=failed&outcome=timed_out&event=invoice.paid&since=2026-01-10T08%3A00&until=2026-01-11&cursor=xyz";
    let page = api.visitor().opens(&format!("webhooks/wh_1?{query}")).await;
    let asked = api.asked().into_iter().find(|asked| asked.line.contains("/deliveries")).unwrap();
    assert_eq!(
        asked.line,
        "GET /v1/webhooks/wh_1/deliveries?limit=25&status=failed&outcome=timed_out&event=invoice.paid\
         &since=2026-01-10T08%3A00%3A00.000Z&until=2026-01-11T00%3A00%3A00.000Z&cursor=xyz"
    );
    for part in [
        "<option value=\"failed\" selected>",
        "value=\"timed_out\"",
        "value=\"2026-01-10T08:00\"",
        "&amp;since=2026-01-10T08%3A00&amp;until=2026-01-11&amp;cursor=abc\"",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!page.text.contains("data-reload"), "a page further down stays as it is");
    let first = api.visitor().opens("webhooks/wh_1?status=failed").await.text;
    assert!(first.contains("data-load=\"../webhooks/wh_1?status=failed\" data-reload=\"10\""), "{first}");
}

#[tokio::test]
async fn the_script_is_given_the_list_alone() {
    let api = api(Vec::new()).await;
    let call = replay::Call::new("GET", "/portal/webhooks/wh_1?status=failed").header("x-part", "1");
    let part = api.visitor().sends(call).await.text;
    assert!(part.starts_with("<div class=\"wide\"><table") && !part.contains("<html"), "{part}");
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_with_a_choice_stands_at_its_field_with_what_was_typed() {
    let refusal = json!({"error": {"code": "invalid_request", "message": "`outcome`: expected one of …", "details": {"field": "outcome"}}});
    let api = api(vec![("GET /v1/webhooks/wh_1/deliveries", 400, refusal)]).await;
    let page = api.visitor().opens("webhooks/wh_1?outcome=late%3Cb%3E").await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("id=\"outcome-wrong\"><code>outcome</code>: expected one of …"), "{}", page.text);
    assert!(page.text.contains("value=\"late&lt;b&gt;\""), "{}", page.text);
    let before = api.asked().len();
    let page = api.visitor().opens("webhooks/wh_1?since=yesterday").await;
    assert!(page.status == 400 && page.text.contains("id=\"since-wrong\">a time in UTC"), "{}", page.text);
    assert!(api.asked()[before..].iter().all(|asked| !asked.line.contains("/deliveries")));
}

#[tokio::test]
async fn an_empty_list_says_what_to_do_next() {
    let empty = |cursor: Value| vec![("GET /v1/webhooks/wh_1/deliveries", 200, listed(json!([]), cursor))];
    let none = api(empty(Value::Null)).await;
    for (query, expected) in [
        ("", "Nothing was sent here yet"),
        ("?status=failed", "No delivery is like that"),
        ("?cursor=x", "None on this page"),
    ] {
        let page = none.visitor().opens(&format!("webhooks/wh_1{query}")).await.text;
        assert!(page.contains(expected), "{query}: {page}");
    }
    let more = api(empty(json!("next"))).await;
    let page = more.visitor().opens("webhooks/wh_1").await.text;
    assert!(page.contains("None on this page") && page.contains("cursor=next"), "{page}");
}

#[tokio::test]
async fn a_webhook_is_shown_though_nobody_can_count_its_deliveries() {
    let api = api(vec![("GET /v1/webhooks/wh_1/stats", 503, Value::Null)]).await;
    let page = api.visitor().opens("webhooks/wh_1").await;
    assert!(page.status == 200 && page.text.contains("could not be counted"), "{}", page.text);
    assert!(page.text.contains("dlv_1"));
}

#[tokio::test]
async fn why_nothing_is_sent_is_told_in_words() {
    let parking = json!({"state": "down", "cause": "endpoint_outage", "since": "2026-01-15T10:00:00.000Z", "next_probe_at": "2026-01-15T14:45:00.000Z"});
    let paused = json!({"status": "disabled", "disabled_reason": "disabled by request", "disabled_at": "2026-01-15T10:00:00.000Z"});
    for (more, parts) in [
        (json!({"parking": parking}), ["nobody answers", "2026-01-15 14:45:00 UTC"]),
        (paused, ["disabled by request", "action=\"../webhooks/wh_1/enable\""]),
    ] {
        let api = api(vec![
            ("GET /v1/webhooks/wh_1/stats", 200, stats()),
            ("GET /v1/webhooks/wh_1/deliveries", 200, listed(json!([]), Value::Null)),
            ("GET /v1/webhooks/wh_1", 200, with(webhook(), more)),
        ])
        .await;
        let page = api.visitor().opens("webhooks/wh_1").await.text;
        for part in parts {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[tokio::test]
async fn it_is_paused_and_set_active_again_by_a_button() {
    let api = api(vec![("POST /v1/webhooks/wh_1/", 200, webhook())]).await;
    for (button, call) in [("pause", "disable"), ("enable", "enable")] {
        let done = api.visitor().posts(&format!("webhooks/wh_1/{button}"), &[]).await;
        assert_eq!((done.status, &done.headers["location"]), (303, &json!(format!("../../webhooks/wh_1?done={call}"))));
        assert_eq!(api.asked().last().unwrap().line, format!("POST /v1/webhooks/wh_1/{call}"));
    }
}

#[tokio::test]
async fn a_session_sees_the_buttons_of_what_it_may() {
    let offered = |text: &str| {
        ["pause", "test", "recover", "cancel", "rotate", "code", "preview", "edit"]
            .map(|path| text.contains(&format!("webhooks/wh_1/{path}\"")))
    };
    for (capabilities, expected) in [
        (&["view"][..], [false, false, false, false, false, true, false, false]),
        (&["view", "edit"], [true, false, false, false, false, true, false, true]),
        (&["view", "send"], [false, true, true, true, false, true, true, false]),
        (&["view", "secrets"], [false, false, false, false, true, true, false, false]),
    ] {
        let api = api(vec![("GET /v1/portal/session", 200, session(capabilities))]).await;
        let page = api.visitor().opens("webhooks/wh_1").await;
        assert_eq!(offered(&page.text), expected, "{capabilities:?}: {}", page.text);
    }
}

#[tokio::test]
async fn a_test_leads_to_its_delivery() {
    let api =
        api(vec![("POST /v1/webhooks/wh_1/test", 202, json!({"event_id": "evt_9", "delivery_id": "dlv_9"}))]).await;
    let begun = api.visitor().posts("webhooks/wh_1/test", &[]).await;
    assert_eq!((begun.status, &begun.headers["location"]), (303, &"../../deliveries/dlv_9?new=1".into()));
    assert_eq!(api.asked()[0].body, json!({}));
    api.visitor().posts("webhooks/wh_1/test", &[("event", " invoice.paid "), ("data", "{\"a\": 1}")]).await;
    assert_eq!(api.asked()[1].body, json!({"event": "invoice.paid", "data": {"a": 1}}));
}

#[tokio::test]
async fn a_test_that_is_refused_keeps_what_was_typed() {
    let refusal = json!({"error": {"code": "unprocessable", "message": "no", "details": {"field": "data", "expected": "x", "errors": [{"path": "/a", "message": "expected <b>"}]}}});
    let api = api(vec![("POST /v1/webhooks/wh_1/test", 422, refusal)]).await;
    let typed = [("event", HOSTILE), ("data", "{\"a\": \"</textarea><script>alert(1)</script>\"}")];
    let page = api.visitor().posts("webhooks/wh_1/test", &typed).await;
    assert!(page.status == 400 && page.text.contains("id=\"data-wrong\">no (/a: expected &lt;b&gt;)"), "{}", page.text);
    assert!(page.text.contains("{&quot;a&quot;: &quot;&lt;/textarea&gt;"), "{}", page.text);
    assert!(
        page.text.contains("<option value=\"invoice.paid\">") && page.text.contains("<option value=\"user.made\">")
    );
    assert_harmless(&page.text);
    let before = api.asked().len();
    let page = api.visitor().posts("webhooks/wh_1/test", &[("data", "[1]")]).await;
    assert!(page.status == 400 && page.text.contains("id=\"data-wrong\">a JSON object"), "{}", page.text);
    assert!(api.asked()[before..].iter().all(|asked| asked.line.starts_with("GET")));
}

#[tokio::test]
async fn what_was_missed_is_counted_before_it_is_sent() {
    let api = api(vec![(
        "POST /v1/webhooks/wh_1/recover",
        200,
        json!({"found": 50, "complete": true, "recovery_id": "rec_1"}),
    )])
    .await;
    let visitor = api.visitor();
    let asked = [
        ("since", "2026-01-10T08:00"),
        ("until", "2026-01-11T08:00"),
        ("kind", "missed"),
        ("statuses", "failed"),
        ("statuses", "cancelled"),
        ("events", "a.b, c.*"),
    ];
    let page = visitor.posts("webhooks/wh_1/recover", &asked).await;
    let body = |count_only| {
        json!({
            "since": "2026-01-10T08:00:00.000Z", "until": "2026-01-11T08:00:00.000Z", "statuses": ["failed", "cancelled"], "events": ["a.b", "c.*"],
            "never_matched": false, "count_only": count_only,
        })
    };
    assert_eq!(api.asked()[0].body, body(true));
    assert!(page.status == 200 && page.text.contains("50 events would be sent"), "{}", page.text);
    for hidden in [
        "name=\"since\" value=\"2026-01-10T08:00\"",
        "name=\"statuses\" value=\"cancelled\"",
        "name=\"events\" value=\"a.b, c.*\"",
    ] {
        assert!(page.text.contains(&format!("<input type=\"hidden\" {hidden}>")), "{hidden}: {}", page.text);
    }
    let sent = visitor.posts("webhooks/wh_1/recover", &[&asked[..], &[("send", "1")]].concat()).await;
    assert_eq!(api.asked().last().unwrap().body, body(false));
    assert_eq!((sent.status, &sent.headers["location"]), (303, &"../../webhooks/wh_1/recover/rec_1".into()));
}

#[tokio::test]
async fn where_nothing_was_missed_there_is_no_button_to_send_it() {
    for (found, complete, is_offered) in [(0, true, false), (0, false, true), (1, true, true)] {
        let api =
            api(vec![("POST /v1/webhooks/wh_1/recover", 200, json!({"found": found, "complete": complete}))]).await;
        let page = api.visitor().posts("webhooks/wh_1/recover", &[("since", "2026-01-10T08:00")]).await;
        assert_eq!(page.text.contains("name=\"send\""), is_offered, "{found} {complete}: {}", page.text);
    }
}

#[tokio::test]
async fn a_recovery_that_cannot_be_keeps_what_was_typed() {
    let refusal = json!({"error": {"code": "unprocessable", "message": "`since`: a time before `until`", "details": {"field": "since"}}});
    let api = api(vec![("POST /v1/webhooks/wh_1/recover", 422, refusal)]).await;
    for how in [&[("send", "1")][..], &[]] {
        let fields = [&[("since", "2026-01-10T08:00"), ("kind", "never_matched"), ("events", HOSTILE)], how].concat();
        let page = api.visitor().posts("webhooks/wh_1/recover", &fields).await;
        assert!(
            page.status == 400 && page.text.contains("id=\"since-wrong\"><code>since</code>: a time before"),
            "{}",
            page.text
        );
        assert!(page.text.contains("value=\"never_matched\" checked"), "{}", page.text);
        assert!(!page.text.contains("name=\"send\""));
        assert_harmless(&page.text);
    }
    let before = api.asked().len();
    let page = api.visitor().posts("webhooks/wh_1/recover", &[("since", "soon"), ("until", "later")]).await;
    assert!(page.text.contains("id=\"since-wrong\"") && page.text.contains("id=\"until-wrong\""), "{}", page.text);
    assert!(api.asked()[before..].iter().all(|asked| asked.line.starts_with("GET")));
}

#[tokio::test]
async fn how_far_something_has_come_is_looked_at_until_it_is_done() {
    let recovery = |status: &str| json!({"recovery_id": "rec_1", "status": status, "since": "2026-01-10T08:00:00.000Z", "until": "2026-01-11T08:00:00.000Z", "found": 50, "requeued": 48});
    let cancellation = |complete: bool| json!({"cancellation_id": "can_1", "at": "2026-01-10T08:00:00.000Z", "found": 50, "cancelled": 48, "complete": complete});
    for (is_done, page, path, told) in [
        (false, "recover/rec_1", "GET /v1/webhooks/wh_1/recover/rec_1", recovery("running")),
        (true, "recover/rec_1", "GET /v1/webhooks/wh_1/recover/rec_1", recovery("done")),
        (false, "cancel/can_1", "GET /v1/webhooks/wh_1/cancel-pending/can_1", cancellation(false)),
        (true, "cancel/can_1", "GET /v1/webhooks/wh_1/cancel-pending/can_1", cancellation(true)),
    ] {
        let api = api(vec![(path, 200, told)]).await;
        let shown = api.visitor().opens(&format!("webhooks/wh_1/{page}")).await;
        assert!(shown.status == 200 && shown.text.contains("48 of 50 "), "{}", shown.text);
        let looks = shown.text.contains(&format!("data-load=\"../../../webhooks/wh_1/{page}\" data-reload="));
        assert_eq!(looks, !is_done, "{}", shown.text);
        assert_eq!(shown.text.contains("data-final"), is_done, "{}", shown.text);
        assert_eq!(shown.text.contains("<noscript>"), !is_done, "{}", shown.text);
    }
}

#[tokio::test]
async fn where_nothing_waits_nothing_is_to_be_cancelled() {
    let none = with(stats(), json!({"deliveries": {"succeeded": 3}}));
    let api = api(vec![("GET /v1/webhooks/wh_1/stats", 200, none)]).await;
    let page = api.visitor().opens("webhooks/wh_1/cancel").await.text;
    assert!(page.contains("No delivery of the last 30 days waits") && !page.contains("class=\"danger\""), "{page}");
}

#[tokio::test]
async fn a_webhook_at_which_all_fails_or_that_is_never_retried_says_so() {
    let more = json!({"failing_since": "2026-01-15T11:30:00.000Z", "retry_schedule": []});
    let api = api(vec![("GET /v1/webhooks/wh_1", 200, with(webhook(), more))]).await;
    let page = api.visitor().opens("webhooks/wh_1").await.text;
    for part in [
        "<span class=\"badge bad\">active, failing</span>",
        "All deliveries have failed since <time datetime=\"2026-01-15T11:30:00.000Z\">",
        "Failed deliveries are not retried",
        "<a href=\"#settings\">Settings</a>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn what_waits_is_cancelled_after_a_second_look() {
    let begun = json!({"cancellation_id": "can_1", "at": "2026-01-10T08:00:00.000Z", "found": 0, "cancelled": 0, "complete": false});
    let api = api(vec![("POST /v1/webhooks/wh_1/cancel-pending", 202, begun)]).await;
    let page = api.visitor().opens("webhooks/wh_1/cancel").await;
    assert!(page.text.contains("3 deliveries of the last 30 days wait."), "{}", page.text);
    assert!(api.asked().iter().all(|asked| asked.line.starts_with("GET")));
    let done = api.visitor().posts("webhooks/wh_1/cancel", &[]).await;
    assert_eq!((done.status, &done.headers["location"]), (303, &"../../webhooks/wh_1/cancel/can_1".into()));
}

#[tokio::test]
async fn a_new_secret_is_shown_once_with_until_when_the_old_one_counts() {
    let rotated = json!({"secret": "whsec_<new>\"", "previous_secret_until": "2026-01-16T14:30:00.000Z"});
    let api = api(vec![("POST /v1/webhooks/wh_1/secret/rotate", 200, rotated)]).await;
    let page = api.visitor().posts("webhooks/wh_1/rotate", &[("grace_seconds", "3600")]).await;
    assert!(
        page.status == 200 && page.text.contains("<code id=\"secret\">whsec_&lt;new&gt;&quot;</code>"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("data-copy=\"secret\"") && page.text.contains("2026-01-16 14:30:00 UTC"),
        "{}",
        page.text
    );
    let posts = || api.asked().into_iter().filter(|asked| asked.line.starts_with("POST")).map(|asked| asked.body);
    assert_eq!(posts().next_back(), Some(json!({"grace_seconds": 3600})));
    // What nobody offers is a slip: nobody's receiver may lose its secret by it.
    for (grace, seconds) in [("", 86_400), ("1", 86_400), ("0", 0)] {
        api.visitor().posts("webhooks/wh_1/rotate", &[("grace_seconds", grace), ("secret", " mine ")]).await;
        assert_eq!(posts().next_back(), Some(json!({"grace_seconds": seconds, "secret": " mine "})));
    }
}

#[tokio::test]
async fn a_secret_that_is_refused_is_not_sent_back() {
    let refusal =
        json!({"error": {"code": "invalid_request", "message": "`secret`: too weak", "details": {"field": "secret"}}});
    let api = api(vec![("POST /v1/webhooks/wh_1/secret/rotate", 400, refusal)]).await;
    let page =
        api.visitor().posts("webhooks/wh_1/rotate", &[("grace_seconds", "604800"), ("secret", "whsec_nearly")]).await;
    assert!(
        page.status == 400 && page.text.contains("id=\"secret-wrong\"><code>secret</code>: too weak"),
        "{}",
        page.text
    );
    assert!(
        page.text.contains("<option value=\"604800\" selected>") && !page.text.contains("whsec_nearly"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn code_is_for_the_dialect_of_the_webhook() {
    for (more, header, others) in [
        (json!({}), "webhook-signature", "x-nur-signature"),
        (json!({"dialect": "nur"}), "x-nur-signature", "webhook-signature"),
    ] {
        let api = api(vec![("GET /v1/webhooks/wh_1", 200, with(webhook(), more))]).await;
        let page = api.visitor().opens("webhooks/wh_1/code").await.text;
        assert!(
            page.contains(&format!("&quot;{header}&quot;")) && !page.contains(&format!("&quot;{others}&quot;")),
            "{page}"
        );
        assert_eq!(page.matches("<details").count(), 6);
        assert!(
            page.contains("data-copy=\"program-verify-py\"") && page.contains("<code id=\"program-verify-py\">"),
            "{page}"
        );
    }
}

#[tokio::test]
async fn a_request_is_shown_and_not_sent() {
    let preview = json!({
        "would_send": false, "why": "filtered", "explanation": HOSTILE, "schedule": [60, 3600],
        "request": {"url": "https://hooks.example.com/in", "headers": {"x-<b>": HOSTILE, "webhook-signature": "v1,abc"}, "body": HOSTILE},
    });
    let api = api(vec![
        ("GET /v1/event-types/invoice.paid", 200, json!({"name": "invoice.paid", "example": {"id": 7}})),
        ("POST /v1/webhooks/wh_1/preview", 200, preview),
    ])
    .await;
    let form = api.visitor().opens("webhooks/wh_1/preview").await.text;
    assert!(form.contains("value=\"invoice.paid\"") && form.contains("&quot;id&quot;: 7"), "{form}");
    let page =
        api.visitor().posts("webhooks/wh_1/preview", &[("event", "invoice.paid"), ("data", "{\"id\": 8}")]).await;
    assert!(
        page.status == 200 && page.text.contains("webhook-signature: v1,abc") && page.text.contains("1 min, 1 h"),
        "{}",
        page.text
    );
    assert!(page.text.contains("{&quot;id&quot;: 8}"), "{}", page.text);
    assert_harmless(&page.text);
}

#[tokio::test]
async fn whatever_a_webhook_and_its_deliveries_say_is_text() {
    let hostile = json!({
        "url": HOSTILE, "events": [HOSTILE], "name": HOSTILE, "description": HOSTILE, "metadata": {HOSTILE: HOSTILE}, "content_type": HOSTILE,
        "headers": {HOSTILE: HOSTILE}, "filter": {HOSTILE: [HOSTILE]}, "status": HOSTILE, "disabled_reason": HOSTILE,
    });
    let one =
        with(delivery("dlv_1", "failed", attempt(HOSTILE)), json!({"event": HOSTILE, "id": HOSTILE, "url": HOSTILE}));
    let stats = with(stats(), json!({"outcomes": {HOSTILE: 7}, "deliveries": {HOSTILE: 7}}));
    let api = api(vec![
        ("GET /v1/webhooks/wh_1/stats", 200, stats),
        ("GET /v1/webhooks/wh_1/deliveries", 200, listed(json!([one]), json!(HOSTILE))),
        ("GET /v1/webhooks/wh_1", 200, with(webhook(), hostile)),
    ])
    .await;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(["status", "outcome", "event", "span", "done"].map(|name| (name, HOSTILE)))
        .finish();
    for page in ["", "/code", "/rotate", "/recover", "/test", "/cancel"] {
        let shown = api.visitor().opens(&format!("webhooks/wh_1{page}?{query}")).await;
        assert_eq!(shown.status, 200, "{page}: {}", shown.text);
        assert!(shown.text.contains("&lt;script&gt;"), "{page}: {}", shown.text);
        assert_harmless(&shown.text);
    }
}

#[tokio::test]
async fn each_page_is_in_german_too() {
    let told = with(session(&["view", "edit", "send", "secrets"]), json!({"language": "de"}));
    let api = api(vec![("GET /v1/portal/session", 200, told)]).await;
    for (page, expected) in [
        ("", "Wie es läuft"),
        ("/code", "Signaturen prüfen"),
        ("/rotate", "Geheimnis wechseln"),
        ("/recover", "Verpasstes nachholen"),
        ("/test", "Den Test senden"),
        ("/cancel", "Alle abbrechen"),
        ("/preview", "Die Anfrage zeigen"),
    ] {
        let shown = api.visitor().opens(&format!("webhooks/wh_1{page}")).await.text;
        assert!(shown.contains(expected) && !shown.contains("Send missed events"), "{page}: {shown}");
    }
}
