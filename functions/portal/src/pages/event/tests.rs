use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

const ALL: &[&str] = &["view", "edit", "send", "secrets"];

fn webhooks(ids: &[(&str, &str)]) -> Value {
    let listed = |(id, status): &(&str, &str)| json!({"id": id, "url": format!("https://{id}.example/"), "events": ["*"], "status": status});
    json!({"webhooks": ids.iter().map(listed).collect::<Vec<_>>(), "pagination": {"has_more": false, "next_cursor": null}})
}

fn event(deliveries: Value, not_delivered: &[(&str, &str)]) -> Value {
    let missed: Vec<_> = not_delivered.iter().map(|(id, reason)| json!({"webhook_id": id, "reason": reason})).collect();
    json!({
        "id": "evt_1", "event": "invoice.paid", "timestamp": "2026-01-15T14:30:00.000Z", "data": {"amount": 19.90},
        "deliveries": deliveries, "not_delivered": missed, "pagination": {"has_more": false, "next_cursor": null},
    })
}

fn delivery(webhook: Value, status: &str, more: Value) -> Value {
    let mut told =
        json!({"id": "dlv_1", "webhook_id": webhook, "status": status, "attempts": 3, "next_attempt_at": null});
    told.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    told
}

async fn api(capabilities: &[&str], event: Value, webhooks: Value) -> StandIn {
    StandIn::saying(vec![
        ("GET /v1/portal/session", 200, session(capabilities)),
        ("GET /v1/events/evt_1", 200, event),
        ("GET /v1/webhooks?", 200, webhooks),
        (
            "GET /v1/webhooks/wh_filtered",
            200,
            json!({"id": "wh_filtered", "url": "u", "filter": {"data": {"amount": [20]}}}),
        ),
        ("POST /v1/webhooks/filter/test", 200, json!({"matches": false, "why": "`data.amount` is <none> of these"})),
    ])
    .await
}

/// The card of a webhook.
fn card<'a>(page: &'a str, webhook: &str) -> &'a str {
    page.split("<li class=\"card\">")
        .skip(1)
        .find(|card| card.contains(webhook))
        .unwrap_or_else(|| panic!("no {webhook}: {page}"))
}

#[tokio::test]
async fn each_webhook_that_did_not_get_it_says_why_and_what_to_do() {
    let reasons = ["dialect", "created_later", "changed_since", "not_subscribed", "filtered", "deleted"];
    let missed: Vec<_> = reasons.iter().map(|reason| (format!("wh_{reason}"), *reason)).collect();
    let missed: Vec<_> = missed.iter().map(|(id, reason)| (id.as_str(), *reason)).collect();
    let listed: Vec<_> =
        missed.iter().filter(|(_, reason)| *reason != "deleted").map(|(id, _)| (*id, "active")).collect();
    let api = api(ALL, event(json!([]), &missed), webhooks(&listed)).await;
    let page = api.visitor().opens("events/evt_1").await;
    assert!(page.status == 200 && page.text.contains("6 not sent"), "{}", page.text);
    let send = "<button class=\"plain\" type=\"submit\">Send it to this webhook now</button>";
    for (webhook, says, is_sent, leads_to) in [
        ("wh_dialect", "cannot get events of this type", false, None),
        ("wh_created_later", "was created after the event", true, Some("../webhooks/wh_created_later/recover")),
        (
            "wh_changed_since",
            "was not subscribed to the event at that time",
            true,
            Some("../webhooks/wh_changed_since/recover"),
        ),
        ("wh_not_subscribed", "is not subscribed to this type", true, Some("../webhooks/wh_not_subscribed/edit")),
        ("wh_filtered", "filter does not let this event through", true, Some("../webhooks/wh_filtered/edit")),
    ] {
        let card = card(&page.text, webhook);
        assert!(card.contains(says), "{webhook}: {card}");
        assert_eq!(card.contains(send), is_sent, "{webhook}: {card}");
        assert!(leads_to.is_none_or(|path| card.contains(&format!("href=\"{path}\""))), "{webhook}: {card}");
    }
    assert!(card(&page.text, "wh_filtered").contains("`data.amount` is &lt;none&gt; of these"), "{}", page.text);
    assert!(
        page.text.contains("One webhook was deleted since") && page.text.contains("<code>wh_deleted</code>"),
        "{}",
        page.text
    );
    let tested = api.asked().into_iter().find(|asked| asked.line.contains("filter/test")).unwrap();
    let expected =
        json!({"filter": {"data": {"amount": [20]}}, "event": "invoice.paid", "data": {"amount": 19.90}, "tags": {}});
    assert_eq!(tested.body, expected);
}

#[tokio::test]
async fn deliveries_come_with_what_was_said_and_the_worst_comes_first() {
    let deliveries = json!([
        delivery(json!("wh_taken"), "succeeded", json!({"attempts": 1})),
        delivery(
            json!("wh_waits"),
            "retrying",
            json!({"waiting_for": "endpoint_outage", "next_attempt_at": "2026-01-15T15:00:00.000Z"})
        ),
        delivery(json!("wh_failed"), "failed", json!({"reason": "attempts_exhausted"})),
    ]);
    let listed =
        webhooks(&[("wh_taken", "active"), ("wh_waits", "active"), ("wh_failed", "active"), ("wh_new", "active")]);
    let page = api(ALL, event(deliveries, &[]), listed).await.visitor().opens("events/evt_1").await.text;
    for (webhook, expected) in [
        ("wh_taken", "at the first attempt"),
        ("wh_waits", "2026-01-15 15:00:00 UTC"),
        ("wh_failed", "attempt"),
        ("wh_new", "It has just begun"),
    ] {
        assert!(card(&page, webhook).contains(expected), "{webhook}: {page}");
    }
    assert!(card(&page, "wh_failed").contains("href=\"../deliveries/dlv_1\""), "{page}");
    let place = |webhook: &str| page.find(&format!("https://{webhook}.example/")).unwrap();
    assert!(
        place("wh_failed") < place("wh_waits")
            && place("wh_waits") < place("wh_new")
            && place("wh_new") < place("wh_taken")
    );
    for count in ["1 delivered", "1 trying again", "1 failed", "1 waiting"] {
        assert!(page.contains(count), "{count}: {page}");
    }
}

#[tokio::test]
async fn what_is_for_one_place_alone_says_so() {
    let mut test = event(json!([delivery(json!("wh_1"), "succeeded", json!({}))]), &[]);
    test["test"] = json!(true);
    let both = webhooks(&[("wh_1", "active"), ("wh_2", "active")]);
    let page = api(ALL, test, both.clone()).await.visitor().opens("events/evt_1").await.text;
    assert!(page.contains("goes to that one alone") && !page.contains("wh_2"), "{page}");
    let job = event(json!([delivery(Value::Null, "failed", json!({"reason": "attempts_exhausted"}))]), &[]);
    let page = api(ALL, job, both).await.visitor().opens("events/evt_1").await.text;
    assert!(
        page.contains("the address that came with the job") && !page.contains("wh_1") && !page.contains("wh_2"),
        "{page}"
    );
}

#[tokio::test]
async fn it_is_sent_to_a_webhook_that_did_not_get_it() {
    let answers = |status, body: Value| {
        vec![
            ("POST /v1/events/evt_1/send", status, body),
            ("GET /v1/events/evt_1", 200, event(json!([]), &[("wh_1", "not_subscribed")])),
            ("GET /v1/webhooks?", 200, webhooks(&[("wh_1", "active")])),
        ]
    };
    let api = StandIn::saying(answers(202, json!({"delivery_id": "dlv_7"}))).await;
    let sent = api.visitor().posts("events/evt_1/send", &[("webhook_id", "wh_1")]).await;
    assert_eq!((sent.status, &sent.headers["location"]), (303, &"../../deliveries/dlv_7".into()));
    assert_eq!(api.asked()[0].body, json!({"webhook_id": "wh_1"}));
    let refused = json!({"error": {"code": "conflict", "message": "this webhook <i>has</i> this event already"}});
    let api = StandIn::saying(answers(409, refused)).await;
    let page = api.visitor().posts("events/evt_1/send", &[("webhook_id", "wh_1")]).await;
    assert!(
        page.status == 409 && page.text.contains("this webhook &lt;i&gt;has&lt;/i&gt; this event already"),
        "{}",
        page.text
    );
    assert!(page.text.contains("is not subscribed to this type"), "the page is there still: {}", page.text);
}

#[tokio::test]
async fn who_may_not_send_or_edit_is_offered_neither_and_a_disabled_webhook_is_to_be_enabled_first() {
    let missed = [("wh_1", "not_subscribed"), ("wh_2", "created_later")];
    let both = |status: &str| webhooks(&[("wh_1", status), ("wh_2", status)]);
    let page =
        api(&["view"], event(json!([]), &missed), both("active")).await.visitor().opens("events/evt_1").await.text;
    assert!(!page.contains("/send\"") && !page.contains("/edit\"") && !page.contains("/recover\""), "{page}");
    let page = api(ALL, event(json!([]), &missed), both("disabled")).await.visitor().opens("events/evt_1").await.text;
    assert!(!page.contains("/send\"") && page.contains("Set it active again first"), "{page}");
}

#[tokio::test]
async fn what_an_event_says_stays_text() {
    let hostile = "</code></pre><script>alert(1)</script>\" onload=\"x";
    let mut told = event(json!([]), &[]);
    told["event"] = json!("a<b>.c");
    told["tags"] = json!({"x<y": hostile});
    told["data"] = json!({"k<i>": hostile});
    let page = api(ALL, told, webhooks(&[])).await.visitor().opens("events/evt_1").await.text;
    assert!(
        !page.contains("<script>alert")
            && !page.contains("<i>")
            && !page.contains("<b>")
            && !page.contains("\" onload"),
        "{page}"
    );
    assert!(
        page.contains("You have no webhook") && page.contains("href=\"../webhooks/new?event=a%3Cb%3E.c\""),
        "{page}"
    );
    let mut gone = event(json!([]), &[]);
    gone["data"] = Value::Null;
    gone["expunged_at"] = json!("2026-02-01T00:00:00.000Z");
    let page = api(ALL, gone, webhooks(&[])).await.visitor().opens("events/evt_1").await.text;
    assert!(page.contains("was removed on request") && page.contains("2026-02-01 00:00:00 UTC"), "{page}");
}

#[tokio::test]
async fn with_more_webhooks_than_a_page_has_it_goes_on() {
    let mut told = event(json!([]), &[("wh_1", "not_subscribed")]);
    told["pagination"] = json!({"has_more": true, "next_cursor": "n"});
    let api = api(ALL, told, webhooks(&[("wh_1", "active"), ("wh_2", "active")])).await;
    let page = api.visitor().opens("events/evt_1?cursor=c").await.text;
    assert!(page.contains("href=\"../events/evt_1?cursor=n\"") && !page.contains("It has just begun"), "{page}");
    assert!(api.asked().iter().any(|asked| asked.line == "GET /v1/events/evt_1?cursor=c"));
}
