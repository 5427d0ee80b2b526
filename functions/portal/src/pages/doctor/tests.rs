use serde_json::{Value, json};

use super::*;
use crate::stand_in::{StandIn, session};

fn webhooks(next: Option<&str>) -> Value {
    json!({
        "webhooks": [{"id": "wh_1", "url": "https://one.example/<b>", "events": [], "status": "active"}],
        "pagination": {"has_more": next.is_some(), "next_cursor": next},
    })
}

async fn api(status: u16, verdict: Value) -> StandIn {
    StandIn::saying(vec![("GET /v1/webhooks?", 200, webhooks(None)), ("POST /v1/verify", status, verdict)]).await
}

const TYPED: [(&str, &str); 4] = [
    ("webhook_id", "wh_1"),
    ("secret", "s<\"1"),
    ("headers", "webhook-id: evt_1\r\nwebhook-signature: v1,x"),
    ("body", "\r\n{\"a\":\"</textarea>\"}"),
];

#[tokio::test]
async fn a_good_request_is_good_and_all_that_was_typed_is_there_again() {
    let api = api(200, json!({"valid": true, "explanation": "The signature fits <b>."})).await;
    let page = api.visitor().posts("doctor", &TYPED).await;
    assert_eq!((page.status, api.asked().iter().filter(|asked| asked.line == "POST /v1/verify").count()), (200, 1));
    for expected in [
        "Yes: this came from us, unchanged.",
        "<option value=\"wh_1\" selected>https://one.example/&lt;b&gt;</option>",
        "value=\"s&lt;&quot;1\"",
        "\n\r\n{&quot;a&quot;:&quot;&lt;/textarea&gt;&quot;}</textarea>",
        "webhook-id: evt_1\nwebhook-signature: v1,x</textarea>",
    ] {
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
}

#[tokio::test]
async fn a_body_of_several_lines_is_tried_with_both_line_ends() {
    let api = api(200, json!({"valid": false, "cause": "no_match", "explanation": "Either"})).await;
    let page = api.visitor().posts("doctor", &[("secret", "s"), ("headers", "a: b"), ("body", "{\r\n}")]).await;
    let bodies: Vec<_> = api
        .asked()
        .iter()
        .filter(|asked| asked.line.starts_with("POST"))
        .map(|asked| asked.body["body"].clone())
        .collect();
    assert_eq!(bodies, ["{\n}", "{\r\n}"]);
    assert!(
        page.text.contains("No: nothing shows that this came from us.")
            && page.text.contains("tried with both kinds of line ends"),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn a_request_that_was_kept_is_good_unless_somebody_says_when_it_came() {
    let api = api(200, json!({"valid": false, "cause": "timestamp_old", "explanation": "Old"})).await;
    let visitor = api.visitor();
    let typed = [("webhook_id", "wh_1"), ("headers", "a: b"), ("body", "{}")];
    assert!(visitor.posts("doctor", &typed).await.text.contains("Yes: this came from us, unchanged."));
    // Whose secret that is, nobody knows.
    let by_secret = [("secret", "s"), ("headers", "a: b"), ("body", "{}")];
    let page = visitor.posts("doctor", &by_secret).await.text;
    assert!(page.contains("It was signed with this secret") && !page.contains("Yes: this came from us"), "{page}");
    let with_time = [&typed[..], &[("received", "2026-01-15T14:30")]].concat();
    let page = visitor.posts("doctor", &with_time).await.text;
    assert!(page.contains("Yes, but the request is too old.") && page.contains("value=\"2026-01-15T14:30\""), "{page}");
    assert_eq!(api.asked().last().map(|asked| asked.line.as_str()), Some("GET /v1/webhooks/wh_1"));
    let now = api.asked().iter().rev().find(|asked| asked.line == "POST /v1/verify").unwrap().body["now"].clone();
    assert_eq!(now, "2026-01-15T14:30:00Z");
}

#[tokio::test]
async fn what_is_amiss_is_told_at_its_field_and_nothing_is_lost() {
    let refused = json!({"error": {"code": "invalid_request", "message": "m", "details": {"field": "headers", "expected": "at most 100"}}});
    for (status, answer, field) in [
        (400, refused, "headers"),
        (
            413,
            json!({"error": {"code": "payload_too_large", "message": "long", "details": {"field": "body", "expected": "less"}}}),
            "body",
        ),
        (404, json!({"error": {"code": "not_found", "message": "none"}}), "webhook_id"),
    ] {
        let page = api(status, answer).await.visitor().posts("doctor", &TYPED).await;
        assert!(page.status == 422 && page.text.contains(&format!("id=\"{field}-wrong\"")), "{field}: {}", page.text);
        assert!(page.text.contains("value=\"s&lt;&quot;1\""), "{}", page.text);
    }
    let api = api(200, json!({"valid": true, "explanation": ""})).await;
    let page = api.visitor().posts("doctor", &[("headers", "x"), ("body", "%"), ("base64", "true")]).await;
    for field in ["webhook_id", "headers", "body"] {
        assert!(page.text.contains(&format!("id=\"{field}-wrong\"")), "{field}: {}", page.text);
    }
    assert!(api.asked().iter().all(|asked| asked.line != "POST /v1/verify"));
}

#[tokio::test]
async fn a_link_names_the_webhook_and_whoever_sees_too_many_types_its_id() {
    let listed = StandIn::saying(vec![("GET /v1/webhooks?", 200, webhooks(None))]).await;
    assert!(listed.visitor().opens("doctor?webhook_id=wh_1").await.text.contains("value=\"wh_1\" selected"));
    let more = StandIn::saying(vec![
        ("GET /v1/portal/session", 200, session(&["view"])),
        ("GET /v1/webhooks?", 200, webhooks(Some("n"))),
    ])
    .await;
    let page = more.visitor().opens("doctor?webhook_id=wh_7").await.text;
    assert!(page.contains("name=\"webhook_id\" value=\"wh_7\"") && !page.contains("<select"), "{page}");
}

#[tokio::test]
async fn of_one_webhook_alone_there_is_nothing_to_choose_and_it_stands_with_its_name() {
    let api = StandIn::saying(vec![
        ("GET /v1/webhooks?", 200, webhooks(None)),
        ("GET /v1/webhooks/wh_1", 200, json!({"name": "ERP <i>"})),
    ])
    .await;
    let page = api.visitor().opens("doctor").await.text;
    let chosen = "<option value=\"wh_1\" selected>ERP &lt;i&gt; (https://one.example/&lt;b&gt;)</option>";
    assert!(page.contains(chosen), "{page}");
}

#[tokio::test]
async fn what_is_wrong_is_told_first_and_the_rest_is_folded_up() {
    let api = api(200, json!({"valid": false, "cause": "body_changed", "explanation": "Of another <b>."})).await;
    let page = api.visitor().posts("doctor", &TYPED).await.text;
    for part in [
        "<h2>No: we did not send this body.</h2>",
        "<details><summary>In detail</summary><p lang=\"en\">Of another &lt;b&gt;.</p></details>",
        "<details class=\"choose\"><summary>More</summary>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let with_time = [&TYPED[..], &[("received", "soon")]].concat();
    let page = api.visitor().posts("doctor", &with_time).await.text;
    assert!(page.contains("<details class=\"choose\" open><summary>More</summary>"), "{page}");
}

#[test]
fn every_cause_is_told_in_both_languages() {
    use crate::texts::Language;
    let all =
        |language: Language| Cause::ALL.iter().map(|cause| (language.texts().doctor.cause)(*cause)).collect::<Vec<_>>();
    let (english, german) = (all(Language::English), all(Language::German));
    assert!(english.iter().zip(&german).all(|(one, other)| one.0 != other.0 && one.1 != other.1));
    let titles: std::collections::BTreeSet<_> = german.iter().map(|(title, _)| title).collect();
    assert_eq!(titles.len(), german.len());
}
