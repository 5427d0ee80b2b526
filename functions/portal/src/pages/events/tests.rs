use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

fn events(events: &[(&str, &str)], next: Option<&str>) -> Value {
    let at = |n: usize| format!("2026-01-15T14:30:0{}.000Z", 9 - n);
    let listed = |(n, (id, event)): (usize, &(&str, &str))| json!({"id": id, "event": event, "timestamp": at(n)});
    let events: Vec<_> = events.iter().enumerate().map(listed).collect();
    json!({"events": events, "pagination": {"has_more": next.is_some(), "next_cursor": next}})
}

fn webhooks(ids: &[&str]) -> Value {
    let listed =
        |id: &&str| json!({"id": id, "url": format!("https://{id}.example/"), "events": ["*"], "status": "active"});
    json!({"webhooks": ids.iter().map(listed).collect::<Vec<_>>(), "pagination": {"has_more": false, "next_cursor": null}})
}

fn deliveries(deliveries: &[(&str, &str)]) -> Value {
    let listed =
        |(event, status): &(&str, &str)| json!({"id": "dlv_1", "event_id": event, "event": "a", "status": status});
    let listed: Vec<_> = deliveries.iter().map(listed).collect();
    json!({"deliveries": listed, "pagination": {"has_more": false, "next_cursor": null}})
}

/// The text of a table's row that has this in it.
fn row<'a>(page: &'a str, with: &str) -> &'a str {
    page.split("<tr>").find(|row| row.contains(with)).unwrap_or_else(|| panic!("no row with {with}: {page}"))
}

#[tokio::test]
async fn each_event_stands_with_what_became_of_it() {
    let found =
        events(&[("evt_1", "invoice.paid"), ("evt_2", "invoice.sent"), ("evt_3", "job.completed")], Some("next"));
    let api = StandIn::saying(vec![
        ("GET /v1/events?", 200, found),
        ("GET /v1/webhooks?", 200, webhooks(&["wh_1", "wh_2"])),
        ("GET /v1/webhooks/wh_1/deliveries?", 200, deliveries(&[("evt_1", "succeeded")])),
        ("GET /v1/webhooks/wh_2/deliveries?", 200, deliveries(&[("evt_1", "failed")])),
    ])
    .await;
    let page = api.visitor().opens("events").await;
    assert_eq!(page.status, 200);
    let first = row(&page.text, "evt_1");
    assert!(
        first.contains("1 delivered") && first.contains("1 failed") && first.contains("href=\"./events/evt_1\""),
        "{first}"
    );
    assert!(row(&page.text, "evt_2").contains("<a href=\"./events/evt_2\">not sent: see why</a>"));
    assert!(row(&page.text, "evt_3").contains("open it to see"));
    assert!(page.text.contains("href=\"./events?cursor=next\""), "{}", page.text);
    assert!(page.text.contains("<div data-load=\"./events\" data-reload=\"10\">"), "{}", page.text);
    let asked = api.asked();
    let of_webhook = asked.iter().find(|asked| asked.line.contains("wh_1/deliveries")).unwrap();
    assert!(
        of_webhook.line.contains("since=2026-01-15T14%3A30%3A07Z&until=2026-01-15T14%3A30%3A09.001Z"),
        "{}",
        of_webhook.line
    );
    assert_eq!(asked.len(), 4, "no call for each event");
    let call = replay::Call::new("GET", "/portal/events?event=invoice.paid").header("x-part", "1");
    let part = api.visitor().sends(call).await.text;
    assert!(part.contains("evt_1") && !part.contains("<html"), "{part}");
    assert!(!api.visitor().opens("events?cursor=next").await.text.contains("data-reload"), "it stays as it is");
}

#[tokio::test]
async fn with_many_webhooks_what_is_undelivered_is_read_at_once() {
    let many: Vec<String> = (0..9).map(|n| format!("wh_{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let answers = |sees: Value| {
        vec![
            ("GET /v1/portal/session", 200, sees),
            ("GET /v1/events?", 200, events(&[("evt_1", "a"), ("evt_2", "a")], None)),
            ("GET /v1/webhooks?", 200, webhooks(&many)),
            ("GET /v1/deliveries?", 200, deliveries(&[("evt_1", "failed")])),
        ]
    };
    let api = StandIn::saying(answers(session(&["view"]))).await;
    let page = api.visitor().opens("events").await.text;
    assert!(row(&page, "evt_1").contains("1 failed") && row(&page, "evt_2").contains("nothing undelivered"), "{page}");
    assert!(page.contains("shows only what was not delivered") && api.asked().len() == 3);
    // Whoever sees some webhooks alone has no such list.
    let mut limited = session(&["view"]);
    limited["webhook_ids"] = json!(many);
    let api = StandIn::saying(answers(limited)).await;
    let page = api.visitor().opens("events").await.text;
    assert!(row(&page, "evt_1").contains("open it to see") && api.asked().len() == 2, "{page}");
}

#[tokio::test]
async fn an_event_is_found_by_its_id_or_its_absence_is_told_beside_what_was_typed() {
    let api = StandIn::saying(vec![
        ("GET /v1/events/evt_1", 200, json!({"id": "evt_1"})),
        ("GET /v1/events?", 200, events(&[], None)),
        ("GET /v1/webhooks?", 200, webhooks(&[])),
    ])
    .await;
    let visitor = api.visitor();
    let found = visitor.opens("events?id=+evt_1%0A").await;
    assert_eq!((found.status, &found.headers["location"]), (303, &"./events/evt_1".into()));
    for typed in ["evt_2", "../webhooks", "%3Cscript%3E", "a/b"] {
        let page = visitor.opens(&format!("events?id={typed}")).await;
        assert!(page.status == 404 && page.text.contains("There is no event"), "{typed}: {}", page.text);
        assert!(page.text.contains("aria-invalid") && !page.text.contains("<script>"), "{}", page.text);
    }
}

#[tokio::test]
async fn times_are_taken_in_utc_and_what_is_none_is_told_at_its_field() {
    let api = StandIn::saying(vec![
        ("GET /v1/events?", 200, events(&[], Some("n"))),
        ("GET /v1/webhooks?", 200, webhooks(&[])),
    ])
    .await;
    let visitor = api.visitor();
    let page = visitor.opens("events?event=invoice.paid&since=2026-01-15T14:30&until=2026-01-16T00:00").await;
    assert!(page.status == 200 && page.text.contains("none among the newest"), "{}", page.text);
    let asked = &api.asked()[0].line;
    assert!(
        asked.contains("event=invoice.paid&since=2026-01-15T14%3A30%3A00Z&until=2026-01-16T00%3A00%3A00Z"),
        "{asked}"
    );
    assert!(
        page.text.contains(
            "./events?event=invoice.paid&amp;since=2026-01-15T14%3A30&amp;until=2026-01-16T00%3A00&amp;cursor=n"
        ),
        "{}",
        page.text
    );
    let before = api.asked().len();
    let page = visitor.opens("events?event=a&since=yesterday").await;
    assert!(
        page.status == 422 && page.text.contains("id=\"since-wrong\"") && page.text.contains("value=\"a\""),
        "{}",
        page.text
    );
    assert_eq!(api.asked().len(), before);
}

#[tokio::test]
async fn what_the_api_refuses_is_told_at_its_field() {
    let refused = json!({"error": {"code": "invalid_request", "message": "a type <b>", "details": {"field": "event", "expected": "x"}}});
    let api = StandIn::saying(vec![("GET /v1/events?", 400, refused), ("GET /v1/webhooks?", 200, webhooks(&[]))]).await;
    let page = api.visitor().opens("events?event=a+b").await;
    assert!(
        page.status == 422 && page.text.contains("a type &lt;b&gt;") && page.text.contains("value=\"a b\""),
        "{}",
        page.text
    );
}

#[tokio::test]
async fn where_there_is_none_the_page_says_what_to_do_next() {
    let api =
        StandIn::saying(vec![("GET /v1/events?", 200, events(&[], None)), ("GET /v1/webhooks?", 200, webhooks(&[]))])
            .await;
    let visitor = api.visitor();
    assert!(visitor.opens("events").await.text.contains("send it a test"));
    assert!(visitor.opens("events?event=a").await.text.contains("There is no such event"));
}
