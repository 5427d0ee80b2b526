use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

fn webhooks(next: Option<&str>) -> Value {
    json!({
        "webhooks": [
            {"id": "wh_1", "url": "https://one.example/", "events": ["invoice.*"], "status": "active"},
            {"id": "wh_2", "url": "https://two.example/<b>", "events": ["*"], "status": "active"},
        ],
        "pagination": {"has_more": next.is_some(), "next_cursor": next},
    })
}

fn paid() -> Value {
    json!({
        "name": "invoice.paid", "description": "An invoice <script> was paid.", "deprecated": true, "built_in": false,
        "example": {"amount": 1}, "schema": {"type": "object", "description": "</code><script>"},
    })
}

fn types(types: &[Value]) -> Value {
    json!({"event_types": types, "pagination": {"has_more": false, "next_cursor": null}})
}

#[tokio::test]
async fn types_stand_with_what_they_tell_and_how_many_ask_for_them() {
    let own = json!({"name": "webhook.disabled", "deprecated": false, "built_in": true});
    let api = StandIn::saying(vec![
        ("GET /v1/event-types?", 200, types(&[paid(), own])),
        ("GET /v1/webhooks?", 200, webhooks(None)),
    ])
    .await;
    let page = api.visitor().opens("event-types?prefix=in%22v&deprecated=true").await;
    assert_eq!(page.status, 200);
    for expected in [
        "An invoice &lt;script&gt; was paid.",
        "deprecated</span>",
        "<a href=\"./event-types/invoice.paid\">2 webhooks are subscribed to it</a>",
        "about your webhooks themselves",
        "href=\"./event-types/invoice.paid\"",
    ] {
        assert!(page.text.contains(expected), "{expected}: {}", page.text);
    }
    // The star does not take what tells of webhooks themselves.
    assert!(!page.text.contains("1 webhook is subscribed"), "{}", page.text);
    assert!(page.text.contains("value=\"in&quot;v\"") && !page.text.contains("<script>"), "{}", page.text);
    assert_eq!(api.asked()[0].line, "GET /v1/event-types?limit=50&prefix=in%22v&deprecated=true");
}

#[tokio::test]
async fn of_some_of_the_webhooks_no_number_is_told() {
    let api = StandIn::saying(vec![
        ("GET /v1/event-types", 200, types(&[paid()])),
        ("GET /v1/webhooks?", 200, webhooks(Some("n"))),
    ])
    .await;
    assert!(!api.visitor().opens("event-types").await.text.contains("ask for it"));
}

#[tokio::test]
async fn a_type_stands_with_its_example_its_schema_and_who_asks_for_it() {
    let answers = |capabilities: &[&str]| {
        vec![
            ("GET /v1/portal/session", 200, session(capabilities)),
            ("GET /v1/event-types/invoice.paid", 200, paid()),
            ("GET /v1/event-types/bare", 200, json!({"name": "bare", "deprecated": false})),
            ("GET /v1/webhooks?", 200, webhooks(None)),
        ]
    };
    let visitor = StandIn::saying(answers(&["view", "edit"])).await.visitor();
    let page = visitor.opens("event-types/invoice.paid").await.text;
    for expected in [
        "href=\"../webhooks/new?event=invoice.paid\"",
        "href=\"../events?event=invoice.paid\"",
        "&quot;amount&quot;: 1",
        "&lt;/code&gt;&lt;script&gt;",
        "https://one.example/",
        "https://two.example/&lt;b&gt;",
        "do not begin to use it",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let bare = visitor.opens("event-types/bare").await.text;
    for expected in ["There is no example", "data may be any object", "Nobody has described it", "https://two.example/"]
    {
        assert!(bare.contains(expected), "{expected}: {bare}");
    }
    let page = StandIn::saying(answers(&["view"])).await.visitor().opens("event-types/invoice.paid").await.text;
    assert!(!page.contains("webhooks/new"), "{page}");
    assert_eq!(visitor.opens("event-types/nothing").await.status, 404);
}

#[tokio::test]
async fn where_there_is_none_the_page_says_so() {
    let api =
        StandIn::saying(vec![("GET /v1/event-types", 200, types(&[])), ("GET /v1/webhooks?", 200, webhooks(None))])
            .await;
    let visitor = api.visitor();
    assert!(visitor.opens("event-types").await.text.contains("The catalogue is empty"));
    assert!(visitor.opens("event-types?prefix=x").await.text.contains("There is no such type"));
}
