use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

const HOSTILE: &str = "</textarea>\"><script>alert(1)</script>";
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn types() -> Value {
    json!({
        "event_types": [
            {"name": "invoice.paid", "description": "An invoice was paid.", "example": {"amount": 1200}, "schema": {"type": "object"}},
            {"name": "webhook.disabled", "description": "A webhook was disabled.", "built_in": true},
        ],
        "pagination": {"has_more": false, "next_cursor": null},
    })
}

fn webhook() -> Value {
    json!({
        "id": "wh_1", "url": "https://hooks.example.com/", "events": ["invoice.paid", "order.*"], "status": "active", "name": "ERP",
        "created_at": "2026-01-15T14:30:00.000Z", "headers": {"x-team": "***"}, "rate_limit": 50, "filter": {"event": ["invoice.paid"]},
    })
}

type Answers = Vec<(&'static str, u16, Value)>;

/// An API with a catalogue and a webhook, which answers these calls before all others.
async fn api(more: Answers) -> StandIn {
    let usual = vec![("GET /v1/event-types?", 200, types()), ("GET /v1/webhooks/wh_1", 200, webhook())];
    StandIn::saying(more.into_iter().chain(usual).collect()).await
}

fn refused(field: &str, message: &str) -> Value {
    json!({"error": {"code": "invalid_request", "message": message, "details": {"field": field, "expected": "something else"}}})
}

#[tokio::test]
async fn the_form_has_the_catalogue_to_pick_from() {
    let api = api(vec![]).await;
    let page = api.visitor().opens("webhooks/new").await;
    assert_eq!(page.status, 200);
    for part in [
        "<form class=\"long\" id=\"form-top\" method=\"post\" action=\"../webhooks/new\" novalidate autocomplete=\"off\">",
        "<input id=\"type-*\" type=\"checkbox\" name=\"events\" value=\"*\">",
        "<label for=\"type-invoice.paid\"><code>invoice.paid</code> <span class=\"soft\">An invoice was paid.</span></label>",
        "&quot;amount&quot;: 1200",
        "About the webhook itself",
        "name=\"content_type\"",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    let again = api.visitor().opens("webhooks/new").await.text;
    let key = |text: &str| text[text.find("name=\"key\" value=\"").unwrap() + 18..][..32].to_owned();
    assert_ne!(key(&page.text), key(&again), "two forms would make one webhook");
}

#[tokio::test]
async fn a_link_names_an_event_type_to_begin_with() {
    let api = api(vec![]).await;
    let ticked = api.visitor().opens("webhooks/new?event=invoice.paid").await.text;
    assert!(ticked.contains("name=\"events\" value=\"invoice.paid\" checked>"), "{ticked}");
    let written = api.visitor().opens("webhooks/new?event=a.%3Cb%3E").await.text;
    assert!(
        written.contains("\na.&lt;b&gt;</textarea>") && !written.contains("value=\"invoice.paid\" checked"),
        "{written}"
    );
}

#[tokio::test]
async fn a_webhook_is_made_and_its_secret_shown_this_once() {
    let made = json!({"id": "wh_9", "secret": "whsec_abc"});
    let api = api(vec![("POST /v1/webhooks/create", 201, made)]).await;
    let fields = [
        ("key", KEY),
        ("url", " https://hooks.example.com/ "),
        ("events", "invoice.paid"),
        ("patterns", "order.*\r\n"),
        ("headers_name", "x-team"),
        ("headers_value", "billing"),
        ("headers_name", ""),
        ("headers_value", ""),
        ("filter", "{\"data\": {\"amount\": [{\"numeric\": [\">\", 1000]}]}}"),
        ("rate_limit", "7"),
        ("retries", "own"),
        ("retry_schedule", "60, 600"),
    ];
    let page = api.visitor().posts("webhooks/new", &fields).await;
    assert!(page.status == 200 && page.text.contains("<code id=\"secret\">whsec_abc</code>"), "{}", page.text);
    assert!(page.text.contains("<button class=\"plain\" type=\"button\" data-copy=\"secret\" hidden>Copy</button>"));
    assert_eq!(page.headers["cache-control"], "no-store");
    let asked = &api.asked()[0];
    assert_eq!((asked.line.as_str(), asked.headers["idempotency-key"].as_str()), ("POST /v1/webhooks/create", KEY));
    let expected = json!({
        "url": "https://hooks.example.com/", "events": ["invoice.paid", "order.*"], "headers": {"x-team": "billing"}, "rate_limit": 7,
        "filter": {"data": {"amount": [{"numeric": [">", 1000]}]}}, "retry_schedule": [60, 600],
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_asks_under_one_key() {
    let api = api(vec![("POST /v1/webhooks/create", 201, json!({"id": "wh_9", "secret": "whsec_abc"}))]).await;
    let visitor = api.visitor();
    for _ in 0..2 {
        let page = visitor.posts("webhooks/new", &[("key", KEY), ("url", "https://a.example/"), ("events", "*")]).await;
        assert!(page.text.contains("whsec_abc"));
    }
    let keys: Vec<_> = api.asked().iter().map(|asked| asked.headers["idempotency-key"].clone()).collect();
    assert_eq!(keys, [KEY, KEY]);
}

#[tokio::test]
async fn what_the_api_refuses_is_told_at_its_field_and_keeps_what_was_typed() {
    for (field, place) in [
        ("url", "url"),
        ("events[1]", "events"),
        ("filter.data.amount", "filter"),
        ("headers.x-team", "headers"),
        ("rate_limit", "rate_limit"),
        ("retry_schedule[0]", "retry_schedule"),
        ("something", "form-top"),
    ] {
        let api = api(vec![("POST /v1/webhooks/create", 400, refused(field, "`x`: expected y"))]).await;
        let fields = [("key", KEY), ("url", "https://typed.example/"), ("events", "invoice.paid"), ("rate_limit", "7")];
        let page = api.visitor().posts("webhooks/new", &fields).await;
        assert_eq!(page.status, 400);
        for part in [
            "<title>Error: New webhook",
            &format!("<a href=\"#{place}\"><code>x</code>: expected y</a>"),
            &format!("id=\"{place}\""),
            "value=\"https://typed.example/\"",
            "value=\"invoice.paid\" checked",
            &format!("name=\"key\" value=\"{KEY}\""),
        ] {
            assert!(page.text.contains(part), "{field}: {part}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_told_without_asking_the_api() {
    let api = api(vec![]).await;
    let fields = [("key", KEY), ("url", "https://a.example/"), ("filter", "{\"a\": "), ("rate_limit", "many")];
    let page = api.visitor().posts("webhooks/new", &fields).await;
    assert_eq!(page.status, 400);
    for text in [
        "Choose at least one event type",
        "This is no JSON: look at line 1",
        "Please write a whole number",
        "{&quot;a&quot;:",
    ] {
        assert!(page.text.contains(text), "{text}: {}", page.text);
    }
    assert!(api.asked().iter().all(|asked| asked.line.starts_with("GET /v1/event-types")), "{:?}", api.asked());
}

#[tokio::test]
async fn only_what_was_changed_is_sent() {
    let api = api(vec![("PATCH /v1/webhooks/wh_1", 200, webhook())]).await;
    let visitor = api.visitor();
    let form = visitor.opens("webhooks/wh_1/edit").await.text;
    for part in [
        "value=\"https://hooks.example.com/\"",
        "value=\"invoice.paid\" checked",
        "\norder.*</textarea>",
        "value=\"***\"",
        "<code>order.*</code> = all types that begin with “order.”",
        "More settings</h2> <small>(some are set)</small>",
        "<div class=\"actions sticky\">",
    ] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let same = [
        ("url", "https://hooks.example.com/"),
        ("name", "ERP"),
        ("events", "invoice.paid"),
        ("patterns", "order.*"),
        ("filter", "{\n  \"event\": [\"invoice.paid\"]\n}"),
        ("headers_name", "x-team"),
        ("headers_value", "***"),
        ("rate_limit", "50"),
        ("retries", "usual"),
    ];
    let saved = visitor.posts("webhooks/wh_1/edit", &same).await;
    assert_eq!((saved.status, &saved.headers["location"]), (303, &"../../webhooks/wh_1?done=saved".into()));
    assert!(!api.asked().iter().any(|asked| asked.line.starts_with("PATCH")), "nothing was changed");
    let mut moved = same;
    moved[0].1 = "https://moved.example/";
    moved[7].1 = "";
    visitor.posts("webhooks/wh_1/edit", &moved).await;
    let patch = api.asked().into_iter().find(|asked| asked.line.starts_with("PATCH")).unwrap();
    assert_eq!(patch.body, json!({"url": "https://moved.example/", "rate_limit": null}));
}

/// What a form carries of what it was drawn from.
fn drawn(form: &str) -> String {
    let start = form.find("name=\"drawn\" value=\"").expect("a form that knows what it was drawn from") + 20;
    form[start..][..form[start..].find('"').unwrap()].replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&")
}

/// The webhook as the form above shows it, sent back by a browser.
fn sent_back<'a>(drawn: &'a str, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("url", "https://hooks.example.com/"),
        ("name", "ERP"),
        ("events", "invoice.paid"),
        ("patterns", "order.*"),
        ("filter", "{\r\n  \"event\": [\r\n    \"invoice.paid\"\r\n  ]\r\n}"),
        ("headers_name", "x-team"),
        ("headers_value", "***"),
        ("rate_limit", "50"),
        ("retries", "usual"),
    ];
    let is_other = |name: &str| others.iter().any(|(other, _)| *other == name);
    let usual = usual.into_iter().filter(|(name, _)| !is_other(name));
    usual.chain(others.iter().copied()).chain([("drawn", drawn)]).collect()
}

/// An API whose webhook somebody has changed meanwhile.
async fn changed_meanwhile(more: &Value) -> StandIn {
    let mut present = webhook();
    present.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api(vec![("PATCH /v1/webhooks/wh_1", 200, present.clone()), ("GET /v1/webhooks/wh_1", 200, present)]).await
}

fn patched(api: &StandIn) -> Option<Value> {
    api.asked().into_iter().find(|asked| asked.line.starts_with("PATCH")).map(|asked| asked.body)
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_stays() {
    let before = api(vec![]).await;
    let drawn = drawn(&before.visitor().opens("webhooks/wh_1/edit").await.text);
    let others = json!({
        "url": "https://moved.example/", "name": null, "events": ["a", "b"], "filter": null, "rate_limit": 7, "headers": {"x-other": "***"},
        "metadata": {"a": "b"}, "retry_schedule": [60], "description": "theirs",
    });
    let api = changed_meanwhile(&others).await;
    let saved = api.visitor().posts("webhooks/wh_1/edit", &sent_back(&drawn, &[("timeout_seconds", "9")])).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(patched(&api), Some(json!({"timeout_seconds": 9})));
    let untouched = changed_meanwhile(&others).await;
    let saved = untouched.visitor().posts("webhooks/wh_1/edit", &sent_back(&drawn, &[])).await;
    assert_eq!((saved.status, patched(&untouched)), (303, None));
}

#[tokio::test]
async fn where_both_changed_the_same_nothing_is_sent_until_the_reader_has_seen_it() {
    let before = api(vec![]).await;
    let drawn = drawn(&before.visitor().opens("webhooks/wh_1/edit").await.text);
    let theirs = json!({"url": "https://theirs.example/", "rate_limit": 7, "description": "theirs"});
    let api = changed_meanwhile(&theirs).await;
    let mine = [("url", "https://mine.example/"), ("timeout_seconds", "9")];
    let told = api.visitor().posts("webhooks/wh_1/edit", &sent_back(&drawn, &mine)).await;
    assert_eq!((told.status, patched(&api)), (409, None));
    for part in [
        "<a href=\"#url\">Somebody else has changed this since you opened the form. Now it is: https://theirs.example/.",
        "value=\"https://mine.example/\"",
        "name=\"timeout_seconds\" value=\"9\"",
        // What they changed beside it stands there as it is now.
        "name=\"rate_limit\" value=\"7\"",
        "\ntheirs</textarea>",
    ] {
        assert!(told.text.contains(part), "{part}: {}", told.text);
    }
    let anew = self::drawn(&told.text);
    let mine = [&mine[..], &[("rate_limit", "7"), ("description", "theirs")]].concat();
    let saved = api.visitor().posts("webhooks/wh_1/edit", &sent_back(&anew, &mine)).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    assert_eq!(patched(&api), Some(json!({"url": "https://mine.example/", "timeout_seconds": 9})));
    // What cannot be read stands there as it was typed, too.
    let slips = [("url", "https://mine.example/"), ("filter", "{\"a\":"), ("timeout_seconds", "soon")];
    let told = api.visitor().posts("webhooks/wh_1/edit", &sent_back(&drawn, &slips)).await;
    assert_eq!(told.status, 409);
    assert!(told.text.contains("{&quot;a&quot;:</textarea>") && told.text.contains("value=\"soon\""), "{}", told.text);
    // Whoever wrote the same has nothing to decide.
    let same = changed_meanwhile(&theirs).await;
    let saved = same.visitor().posts("webhooks/wh_1/edit", &sent_back(&drawn, &[("rate_limit", "7")])).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
}

#[tokio::test]
async fn what_a_browser_does_to_a_text_is_no_change_of_it() {
    let odd = json!({"description": " two\r\nlines \n", "metadata": {"team": " blue ", "note": "a\nb"}});
    let api = changed_meanwhile(&odd).await;
    let visitor = api.visitor();
    let form = visitor.opens("webhooks/wh_1/edit").await.text;
    assert!(
        form.contains("<textarea class=\"notes\" id=\"description\" name=\"description\"")
            && form.contains("two\nlines</textarea>"),
        "{form}"
    );
    let drawn = drawn(&form);
    let came_back = |note: &'static str| {
        let pairs = [
            ("metadata_name", "note"),
            ("metadata_value", note),
            ("metadata_name", "team"),
            ("metadata_value", "blue"),
        ];
        [&[("description", "two\r\nlines")], &pairs[..]].concat()
    };
    let saved = visitor.posts("webhooks/wh_1/edit", &sent_back(&drawn, &came_back("ab"))).await;
    assert_eq!((saved.status, patched(&api)), (303, None), "{}", saved.text);
    visitor.posts("webhooks/wh_1/edit", &sent_back(&drawn, &came_back("c"))).await;
    assert_eq!(patched(&api), Some(json!({"metadata": {"note": "c", "team": " blue "}})));
}

#[tokio::test]
async fn a_filter_is_sent_number_for_number() {
    let text = r#"{"data":{"n":[12345678901234567890,1.50]},"data":{"m":[1]}}"#;
    let (key, event) = (("key", KEY), ("events", "*"));
    let api = api(vec![
        ("POST /v1/webhooks/create", 201, json!({"id": "wh_9"})),
        ("POST /v1/webhooks/filter/test", 200, json!({"matches": true})),
        ("PATCH /v1/webhooks/wh_1", 200, webhook()),
    ])
    .await;
    let visitor = api.visitor();
    visitor.posts("webhooks/new", &[key, ("url", "https://a.example/"), event, ("filter", text)]).await;
    visitor.posts("webhooks/wh_1/edit", &[("url", "https://a.example/"), event, ("filter", text)]).await;
    visitor.posts("webhooks/filter", &[("filter", text), ("test_data", text)]).await;
    for call in ["POST /v1/webhooks/create", "PATCH", "POST /v1/webhooks/filter/test"] {
        let asked = api.asked().into_iter().find(|asked| asked.line.starts_with(call)).unwrap();
        assert!(asked.text.contains(&format!("\"filter\":{text}")), "{call}: {}", asked.text);
        assert_eq!(asked.text.contains(&format!("\"data\":{text}")), call.ends_with("test"), "{call}: {}", asked.text);
    }
}

#[tokio::test]
async fn a_filter_is_tried_by_a_button_that_keeps_what_was_typed_and_saves_nothing() {
    let judged = json!({"matches": false, "why": "`data.amount` is 1200"});
    let api = api(vec![
        ("POST /v1/webhooks/filter/test", 200, judged),
        ("GET /v1/event-types/invoice.paid", 200, types()["event_types"][0].clone()),
    ])
    .await;
    let visitor = api.visitor();
    let fields = [
        ("try", "1"),
        ("url", "https://typed.example/"),
        ("filter", "{\"event\": [\"a\"]}"),
        ("test_event", "invoice.paid"),
    ];
    for page in ["webhooks/wh_1/edit", "webhooks/new"] {
        let answered = visitor.posts(page, &fields).await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        for text in [
            "This event would not be sent.",
            "<code>data.amount</code> is 1200",
            "value=\"https://typed.example/\"",
            "<details class=\"try\" open>",
        ] {
            assert!(answered.text.contains(text), "{text}: {}", answered.text);
        }
    }
    // The type's example, where no data was typed.
    let asked = api.asked();
    let tried = asked.iter().find(|asked| asked.line.starts_with("POST")).unwrap();
    assert_eq!(tried.body, json!({"filter": {"event": ["a"]}, "event": "invoice.paid", "data": {"amount": 1200}}));
    assert!(!asked.iter().any(|asked| asked.line.starts_with("PATCH") || asked.line.contains("create")));
    let part = visitor.posts("webhooks/filter", &fields).await.text;
    assert!(part.contains("This event would not be sent.") && !part.contains("<html"), "{part}");
    let wrong = visitor.posts("webhooks/filter", &[("filter", "{\"event\": [\"a\"]}"), ("test_data", "{")]).await.text;
    assert!(wrong.contains("This is no JSON"), "{wrong}");
    assert!(visitor.posts("webhooks/filter", &[]).await.text.contains("Without a filter every event is sent"));
}

#[tokio::test]
async fn what_the_api_refuses_of_a_trial_is_told_at_its_field() {
    for (field, place) in [("filter.data", "filter"), ("event", "test_event"), ("data", "test_data")] {
        let api = api(vec![("POST /v1/webhooks/filter/test", 400, refused(field, "no"))]).await;
        let fields = [("try", "1"), ("filter", "{\"event\": [\"a\"]}"), ("test_event", "a"), ("test_data", "{}")];
        let page = api.visitor().posts("webhooks/wh_1/edit", &fields).await.text;
        assert!(page.contains(&format!("<a href=\"#{place}\">no</a>")), "{field}: {page}");
    }
}

#[tokio::test]
async fn there_is_room_for_as_many_headers_as_somebody_needs() {
    let api = api(vec![]).await;
    let fields = [("rows", "1"), ("headers_name", "x-a"), ("headers_value", "1")];
    let page = api.visitor().posts("webhooks/new", &fields).await.text;
    assert_eq!(page.matches("name=\"headers_name\"").count(), 5, "{page}");
    assert!(page.contains("name=\"headers_value\" value=\"1\""));
}

#[tokio::test]
async fn without_a_catalogue_names_are_written() {
    let api = StandIn::saying(vec![("GET /v1/event-types?", 500, Value::Null)]).await;
    let page = api.visitor().opens("webhooks/new").await;
    assert!(
        page.status == 200
            && page.text.contains("cannot be listed just now")
            && page.text.contains("name=\"patterns\"")
    );
}

#[tokio::test]
async fn a_session_that_sees_some_webhooks_alone_makes_none() {
    let mut told = session(&["view", "edit"]);
    told["webhook_ids"] = json!(["wh_1"]);
    let api = api(vec![("GET /v1/portal/session", 200, told)]).await;
    let visitor = api.visitor();
    assert_eq!(visitor.opens("webhooks/new").await.status, 403);
    assert_eq!(visitor.posts("webhooks/new", &[("url", "https://a.example/")]).await.status, 403);
    assert_eq!(visitor.opens("webhooks/wh_1/edit").await.status, 200);
    assert!(!api.asked().iter().any(|asked| asked.line.starts_with("POST")));
}

#[tokio::test]
async fn a_webhook_is_deleted_after_a_page_that_says_what_that_means() {
    let api = api(vec![("DELETE /v1/webhooks/wh_1", 204, Value::Null)]).await;
    let visitor = api.visitor();
    let page = visitor.opens("webhooks/wh_1/delete").await.text;
    assert!(page.contains("Delete ERP?") && page.contains("cannot be undone"), "{page}");
    assert!(!api.asked().iter().any(|asked| asked.line.starts_with("DELETE")));
    let done = visitor.posts("webhooks/wh_1/delete", &[]).await;
    assert_eq!((done.status, &done.headers["location"]), (303, &"../../webhooks?done=deleted".into()));
    assert!(api.asked().iter().any(|asked| asked.line == "DELETE /v1/webhooks/wh_1"));
    // Nobody is told that it is deleted who could not delete it.
    let gone = StandIn::saying(vec![]).await;
    assert_eq!(gone.visitor().posts("webhooks/wh_1/delete", &[]).await.status, 404);
}

#[tokio::test]
async fn hostile_text_is_text_wherever_it_stands() {
    let types = json!({"event_types": [{"name": HOSTILE, "description": HOSTILE, "example": {HOSTILE: HOSTILE}, "schema": {HOSTILE: 1}}]});
    let mut told = webhook();
    for field in ["url", "name", "description", "content_type"] {
        told[field] = HOSTILE.into();
    }
    told["events"] = json!([HOSTILE]);
    told["headers"] = json!({HOSTILE: HOSTILE});
    told["metadata"] = json!({HOSTILE: HOSTILE});
    told["filter"] = json!({HOSTILE: [HOSTILE]});
    let api = StandIn::saying(vec![
        ("GET /v1/event-types?", 200, types),
        ("GET /v1/webhooks/wh_1", 200, told),
        ("PATCH /v1/webhooks/wh_1", 400, refused("url", HOSTILE)),
        ("POST /v1/webhooks/filter/test", 200, json!({"matches": false, "why": HOSTILE})),
        ("POST /v1/webhooks/create", 201, json!({"id": "wh_1", "secret": HOSTILE})),
    ])
    .await;
    let visitor = api.visitor();
    let typed = [
        ("key", HOSTILE),
        ("url", HOSTILE),
        ("name", HOSTILE),
        ("events", HOSTILE),
        ("patterns", HOSTILE),
        ("filter", "{\"event\": [1]}"),
        ("test_event", HOSTILE),
        ("test_data", "{}"),
        ("headers_name", HOSTILE),
        ("headers_value", HOSTILE),
        ("retry_schedule", HOSTILE),
    ];
    let with_try: Vec<_> = typed.iter().copied().chain([("try", "1")]).collect();
    let answers = [
        visitor.opens("webhooks/wh_1/edit").await,
        visitor.opens("webhooks/wh_1/delete").await,
        visitor.posts("webhooks/wh_1/edit", &typed).await,
        visitor.posts("webhooks/wh_1/edit", &with_try).await,
        visitor.posts("webhooks/new", &[("key", KEY), ("url", "https://a.example/"), ("events", "*")]).await,
    ];
    for answered in answers {
        assert!([200, 400].contains(&answered.status), "{}", answered.status);
        assert_eq!(answered.text.matches("<script").count(), 1, "its own alone: {}", answered.text);
        assert!(answered.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", answered.text);
    }
}

#[tokio::test]
async fn a_type_that_a_pattern_takes_says_so_and_is_sent_by_the_pattern_alone() {
    let taken = json!({"events": ["invoice.*"], "retry_schedule": []});
    let mut webhook = webhook();
    webhook.as_object_mut().unwrap().extend(taken.as_object().unwrap().clone());
    let api = api(vec![("GET /v1/webhooks/wh_1", 200, webhook)]).await;
    let visitor = api.visitor();
    let form = visitor.opens("webhooks/wh_1/edit").await.text;
    let at = |part: &str| form.find(part).unwrap_or_else(|| panic!("{part}: {form}"));
    assert!(form.contains("<p class=\"through\" data-through=\"✓ through\">✓ through invoice.*</p>"), "{form}");
    assert!(at("id=\"patterns\"") < at("value=\"invoice.paid\""), "the patterns stand above the boxes");
    assert!(!form.contains("value=\"invoice.paid\" checked"), "or it would be sent by itself as well: {form}");
    let others = form.matches("<p class=\"through\" data-through=\"✓ through\" hidden>").count();
    assert_eq!(others, 1, "{form}");
}
