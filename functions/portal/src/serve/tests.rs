use replay::Call;
use serde_json::{Value, json};

use super::*;
use crate::brand::Brand;
use crate::cookie::NAME as COOKIE;
use crate::stand_in::{SESSION, StandIn, TOKEN, posting, session};

fn none() -> Value {
    json!({"webhooks": [], "pagination": {"has_more": false, "next_cursor": null}})
}

/// An API without webhooks, whose session may these things.
async fn api(capabilities: &[&str]) -> StandIn {
    StandIn::saying(vec![
        ("GET /v1/portal/session", 200, session(capabilities)),
        ("GET /v1/webhooks", 200, none()),
        ("DELETE /v1/portal/session", 204, Value::Null),
    ])
    .await
}

#[tokio::test]
async fn a_links_page_uses_nothing_up_and_its_button_leaves_a_session() {
    let made = json!({"session": SESSION, "session_id": "ses_1", "expires_at": "2199-01-15T14:30:00.000Z", "capabilities": ["view"]});
    let api = StandIn::saying(vec![("POST /v1/portal/sessions", 201, made)]).await;
    let mut visitor = api.visitor();
    visitor.cookie = None;
    let page = visitor.opens(&format!("enter/{TOKEN}")).await;
    assert_eq!((page.status, api.asked().len(), page.cookies.len()), (200, 0, 0));
    assert!(page.text.contains("<form method=\"post\" action=\"../enter\" data-press>"), "{}", page.text);
    let entered = visitor.sends(posting("enter", &[("token", TOKEN)])).await;
    assert_eq!((entered.status, &entered.headers["location"]), (303, &"./webhooks".into()));
    assert!(entered.cookies[0].starts_with(&format!("{COOKIE}={SESSION}; Max-Age=")), "{:?}", entered.cookies);
    let asked = &api.asked()[0];
    assert_eq!((asked.line.as_str(), &asked.body), ("POST /v1/portal/sessions", &json!({"token": TOKEN})));
    assert!(!asked.headers.contains_key("authorization"));
    // A page of another site that has a link of its own would have the visitor work in somebody else's webhooks.
    let forged = visitor.sends(posting("enter", &[("token", TOKEN)]).header("sec-fetch-site", "cross-site")).await;
    assert_eq!((forged.status, forged.cookies.len(), api.asked().len()), (403, 0, 1));
}

/// A browser in which a session goes on, and an API that says so much of it.
async fn with_a_session(status: u16, told: Value, more: Vec<(&'static str, u16, Value)>) -> StandIn {
    let here = vec![("GET /v1/portal/session", status, told)];
    StandIn::saying(here.into_iter().chain(more).collect()).await
}

#[tokio::test]
async fn a_link_that_does_not_open_says_whose_session_goes_on_and_leads_into_none_by_itself() {
    let gone = || vec![("POST /v1/portal/sessions", 401, json!({"error": {"code": "unauthorized"}}))];
    let api = with_a_session(200, session(&["view"]), gone()).await;
    let mut visitor = api.visitor();
    for token in [TOKEN, "what is none"] {
        let used = visitor.sends(posting("enter", &[("token", token)])).await;
        assert_eq!((used.status, used.headers.get("location")), (401, None), "{}", used.text);
        for part in ["does not open any more", "<a href=\"./webhooks\">Go on as Initech</a>"] {
            assert!(used.text.contains(part), "{part}: {}", used.text);
        }
    }
    assert_eq!(api.asked().len(), 1, "what can be no token is sent to nobody");
    visitor.cookie = None;
    let used = visitor.sends(posting("enter", &[("token", TOKEN)])).await;
    assert!(used.status == 401 && used.text.contains("does not open any more"), "{}", used.text);
    assert!(!used.text.contains("/webhooks\""), "{}", used.text);
}

#[tokio::test]
async fn somebody_elses_link_takes_no_session_away_before_its_reader_has_pressed() {
    for (status, told, says) in [
        (200, session(&["view"]), Some("A session for Initech goes on")),
        (503, Value::Null, Some("Another session goes on")),
        (403, json!({"error": {"code": "tenant_suspended"}}), Some("Another session goes on")),
        (401, Value::Null, None),
    ] {
        let api = with_a_session(status, told, vec![]).await;
        let page = api.visitor().opens(&format!("enter/{TOKEN}")).await.text;
        assert_eq!(page.contains("data-press"), says.is_none(), "{status}: {page}");
        assert_eq!(page.contains("href=\"../webhooks\""), says.is_some(), "{status}: {page}");
        assert!(says.is_none_or(|says| page.contains(says)) && page.contains("Continue</button>"), "{page}");
    }
    // An operator's own page chooses what it frames, and no other may frame it.
    let api = with_a_session(200, session(&["view"]), vec![]).await;
    let framed = Brand { frame_ancestors: vec!["https://app.example.com".to_owned()], ..Brand::plain() };
    for (brand, dest, is_pressed) in
        [(framed.clone(), "iframe", true), (framed, "document", false), (Brand::plain(), "iframe", false)]
    {
        let call = Call::new("GET", &format!("/portal/enter/{TOKEN}")).header("sec-fetch-dest", dest);
        let page = api.visitor_of(brand).sends(call).await.text;
        assert_eq!(page.contains("data-press"), is_pressed, "{dest}: {page}");
    }
}

#[tokio::test]
async fn a_session_ends_that_another_takes_the_place_of() {
    let new = SESSION.replace("0123", "4567");
    let made = json!({"session": new, "session_id": "ses_2", "expires_at": "2199-01-15T14:30:00.000Z"});
    for (status, body) in [(204, Value::Null), (503, Value::Null), (401, Value::Null)] {
        let api = StandIn::saying(vec![
            ("POST /v1/portal/sessions", 201, made.clone()),
            ("DELETE /v1/portal/session", status, body),
        ])
        .await;
        let entered = api.visitor().sends(posting("enter", &[("token", TOKEN)])).await;
        assert_eq!((entered.status, &entered.headers["location"]), (303, &"./webhooks".into()), "{status}");
        assert!(entered.cookies[0].starts_with(&format!("{COOKIE}={new};")), "{:?}", entered.cookies);
        let asked = api.asked();
        assert_eq!(asked[1].line, "DELETE /v1/portal/session");
        assert_eq!(asked[1].headers["authorization"], format!("Bearer {SESSION}"), "the one before it");
    }
    let api = StandIn::saying(vec![("POST /v1/portal/sessions", 201, made)]).await;
    let mut visitor = api.visitor();
    visitor.cookie = None;
    visitor.sends(posting("enter", &[("token", TOKEN)])).await;
    assert_eq!(api.asked().len(), 1, "there was none");
}

#[tokio::test]
async fn who_signs_out_is_out_of_this_browser_whatever_the_api_says() {
    for (status, place, says) in [
        (204, "./left", "This session has ended"),
        (401, "./left", "This session has ended"),
        (503, "./left?goes_on=1", "it may go on until its time is over"),
        (500, "./left?goes_on=1", "it may go on until its time is over"),
    ] {
        let api = StandIn::saying(vec![
            ("GET /v1/portal/session", 503, Value::Null),
            ("DELETE /v1/portal/session", status, Value::Null),
        ])
        .await;
        let left = api.visitor().posts("leave", &[]).await;
        assert_eq!((left.status, &left.headers["location"]), (303, &place.into()), "{status}");
        assert!(left.cookies[0].starts_with(&format!("{COOKIE}=; Max-Age=0;")), "{:?}", left.cookies);
        let page = api.visitor().opens(&place[2..]).await.text;
        assert!(page.contains("You are signed out") && page.contains(says), "{page}");
    }
}

#[tokio::test]
async fn what_can_be_no_session_is_asked_of_nobody() {
    let api = StandIn::saying(vec![]).await;
    let mut visitor = api.visitor();
    for text in ["a", "prs_", &SESSION[1..], &format!("{SESSION}0"), &SESSION.to_uppercase(), TOKEN, "é"] {
        visitor.cookie = Some(format!("{COOKIE}={text}"));
        assert_eq!(visitor.opens("webhooks").await.status, 401, "{text}");
        assert!(visitor.opens(&format!("enter/{TOKEN}")).await.text.contains("data-press"), "{text}");
    }
    assert_eq!(api.all_asked(), 0);
}

#[tokio::test]
async fn a_session_that_has_ended_is_taken_out_of_the_browser_from_wherever_its_page_lies() {
    let api = StandIn::saying(vec![("GET /v1/portal/session", 401, Value::Null)]).await;
    let route = ("ANY /portal/{proxy+}", json!({"proxy": "webhooks/wh_1/edit"}));
    let call = |before: &str| Call::new("GET", "/portal/webhooks/wh_1/edit").behind(before, route.0, &route.1);
    for (before, path) in [("", "/portal"), ("/live", "/live/portal"), ("/a;b", "/base/portal")] {
        let answered = api.visitor().sends(call(before)).await;
        assert_eq!(answered.status, 401);
        let is_cleared = |cookie: &String| {
            cookie.starts_with(&format!("{COOKIE}=; Max-Age=0;")) && cookie.ends_with(&format!("; Path={path}"))
        };
        assert!(answered.cookies.iter().any(is_cleared), "{path}: {:?}", answered.cookies);
        assert!(!answered.cookies.iter().any(|cookie| cookie.contains("a;b")), "{:?}", answered.cookies);
        // Behind a proxy, it is where links say that it is.
        assert!(
            answered.cookies.iter().any(|cookie| cookie.ends_with("; Path=/base/portal")),
            "{:?}",
            answered.cookies
        );
    }
}

#[tokio::test]
async fn what_was_typed_is_there_to_be_copied_where_no_form_can_keep_it() {
    let fields = [
        ("url", "https://typed.example/"),
        ("description", "a <b>\r\nline"),
        ("secret", "hidden things"),
        ("name", " "),
    ];
    for (status, expected) in [(401, 401), (503, 503), (500, 502)] {
        let api = StandIn::saying(vec![("GET /v1/portal/session", status, Value::Null)]).await;
        let answered = api.visitor().posts("webhooks/new", &fields).await;
        assert_eq!(answered.status, expected);
        for part in ["What you typed", "<strong>url</strong>", "https://typed.example/", "a &lt;b&gt;"] {
            assert!(answered.text.contains(part), "{part}: {}", answered.text);
        }
        for part in ["hidden things", "<strong>name</strong>", &forgery::token(SESSION)] {
            assert!(!answered.text.contains(part), "{part}: {}", answered.text);
        }
        let forged = api.visitor().sends(posting("webhooks/new", &fields).header("sec-fetch-site", "cross-site")).await;
        assert!(!forged.text.contains("typed.example"), "{}", forged.text);
    }
}

#[tokio::test]
async fn without_a_session_no_page_asks_the_api_and_all_say_where_to_get_one() {
    let api = api(&["view"]).await;
    let mut visitor = api.visitor();
    for cookie in [None, Some(format!("{COOKIE}=")), Some("other=1".to_owned()), Some(format!("x{COOKIE}={SESSION}"))] {
        visitor.cookie = cookie;
        for page in ["", "webhooks"] {
            let answered = visitor.opens(page).await;
            assert!(answered.status == 401 && answered.text.contains("ask for a new link"), "{}", answered.text);
        }
        assert_eq!(visitor.posts("leave", &[]).await.status, 401);
    }
    assert_eq!(api.asked().len(), 0);
}

#[tokio::test]
async fn a_session_that_has_ended_is_taken_out_of_the_browser() {
    for (status, body) in
        [(401, Value::Null), (200, json!({"session_id": "s", "expires_at": "2020-01-15T14:30:00.000Z"}))]
    {
        let api = StandIn::saying(vec![("GET /v1/portal/session", status, body)]).await;
        let answered = api.visitor().opens("webhooks").await;
        assert_eq!((answered.status, api.asked().len()), (401, 0));
        assert!(answered.cookies[0].starts_with(&format!("{COOKIE}=; Max-Age=0;")), "{:?}", answered.cookies);
        // Another session may have begun meanwhile, whose cookie is none of theirs.
        for beside in [("x-part", "1"), ("sec-fetch-dest", "image")] {
            let call = Call::new("GET", "/portal/webhooks").header(beside.0, beside.1);
            let answered = api.visitor().sends(call).await;
            assert_eq!((answered.status, answered.cookies.len()), (401, 0), "{beside:?}");
        }
    }
}

#[tokio::test]
async fn every_call_carries_the_session_and_no_page_shows_it() {
    let api = api(&["view"]).await;
    let page = api.visitor().opens("webhooks").await;
    assert_eq!(page.status, 200);
    assert_eq!(api.asked()[0].headers["authorization"], format!("Bearer {SESSION}"));
    assert!(!page.text.contains(SESSION) && !page.headers.to_string().contains(SESSION));
}

#[tokio::test]
async fn a_form_that_was_not_filled_in_here_does_nothing() {
    let api = api(&["view", "edit", "send", "secrets"]).await;
    let visitor = api.visitor();
    let (own, others) = (forgery::token(SESSION), forgery::token("another session"));
    let forged = [
        posting("leave", &[]),
        posting("leave", &[(forgery::FIELD, &others)]),
        posting("leave", &[(forgery::FIELD, &own)]).header("sec-fetch-site", "cross-site"),
        posting("leave", &[(forgery::FIELD, &own)]).header("sec-fetch-site", "same-site"),
        posting("leave", &[(forgery::FIELD, &own)]).header("origin", "https://evil.example"),
        Call::new("POST", "/portal/leave").header("content-type", "text/plain").body(&format!("form={own}")),
    ];
    for call in forged {
        let answered = visitor.sends(call.clone()).await;
        assert!([403, 415].contains(&answered.status), "{call:?}: {}", answered.status);
        assert!(answered.text.contains("Nothing was changed") && answered.cookies.is_empty(), "{}", answered.text);
    }
    assert_eq!(api.asked().len(), 0);
    let left = visitor.posts("leave", &[]).await;
    assert_eq!((left.status, &left.headers["location"]), (303, &"./left".into()));
    assert_eq!(api.asked()[0].line, "DELETE /v1/portal/session");
    assert!(left.cookies[0].starts_with(&format!("{COOKIE}=; Max-Age=0;")));
}

#[tokio::test]
async fn who_may_not_do_it_sees_no_button_and_is_refused_without_one() {
    let api = api(&["view"]).await;
    let visitor = api.visitor();
    assert!(!visitor.opens("webhooks").await.text.contains("webhooks/new"));
    let before = api.asked().len();
    for route in pages::ROUTES {
        let Handler::Visitors(needs, _) = &route.handler else { continue };
        if *needs == Capability::View {
            continue;
        }
        let path = route.path.replace("{id}", "wh_1").replace(['{', '}'], "");
        let answered = match route.method {
            "POST" => visitor.posts(&path, &[]).await,
            _ => visitor.opens(&path).await,
        };
        assert_eq!(answered.status, 403, "{} {path}", route.method);
    }
    assert_eq!(api.asked().len(), before, "a form was sent on");
}

#[tokio::test]
async fn a_page_that_is_not_there_and_a_method_that_it_does_not_take_are_pages_too() {
    let api = api(&["view"]).await;
    let visitor = api.visitor();
    for path in ["nothing", "webhooks/", "webhooks/../../v1", "assets/x.css", "assets/accent-red.css"] {
        let answered = visitor.opens(path).await;
        assert!(answered.status == 404 && answered.text.starts_with("<!DOCTYPE html>"), "{path}: {}", answered.text);
    }
    let answered = visitor.sends(Call::new("PUT", "/portal/webhooks")).await;
    assert_eq!((answered.status, &answered.headers["allow"]), (405, &"GET".into()));
}

#[tokio::test]
async fn whatever_is_answered_has_the_headers_that_guard_it() {
    let api = api(&["view"]).await;
    let visitor = api.visitor();
    let mut answers = vec![visitor.posts("leave", &[]).await];
    for page in ["", "webhooks", "enter/x", "left", "nothing"] {
        answers.push(visitor.opens(page).await);
    }
    for answered in &answers {
        let headers = &answered.headers;
        let policy = headers["content-security-policy"].as_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.ends_with("frame-ancestors 'none'"), "{policy}");
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(headers["strict-transport-security"].as_str().unwrap().starts_with("max-age="));
    }
    let framed = Brand { frame_ancestors: vec!["https://app.example.com".to_owned()], ..Brand::plain() };
    let answered = api.visitor_of(framed).posts("leave", &[]).await;
    assert!(
        answered.headers["content-security-policy"]
            .as_str()
            .unwrap()
            .ends_with("frame-ancestors https://app.example.com")
    );
    assert_eq!(answered.headers.get("x-frame-options"), None);
    assert!(answered.cookies[0].ends_with("Secure; SameSite=None; Partitioned"));
}

#[tokio::test]
async fn files_are_kept_for_good_and_pages_come_as_small_as_they_may() {
    let api = api(&["view"]).await;
    let visitor = api.visitor();
    let page = visitor.opens("webhooks").await;
    for file in ["style-", "portal-", "logo-", "accent-"] {
        let at = page.text.find(&format!("./assets/{file}")).unwrap_or_else(|| panic!("{file}: {}", page.text));
        let path = &page.text[at + 2..at + page.text[at..].find('"').unwrap()];
        let answered = visitor.opens(path).await;
        assert_eq!((answered.status, &answered.headers["cache-control"]), (200, &FOR_GOOD.into()), "{path}");
    }
    let packed = visitor.sends(Call::new("GET", "/portal/webhooks").header("accept-encoding", "gzip")).await;
    assert_eq!((&packed.headers["content-encoding"], packed.text), (&"gzip".into(), page.text));
}

#[tokio::test]
async fn when_the_api_fails_the_page_says_so_and_names_the_request() {
    for (status, expected) in [(500, 502), (503, 503), (429, 503)] {
        let api = StandIn::saying(vec![(
            "GET /v1/webhooks",
            status,
            json!({"error": {"code": "x", "message": "secret things"}}),
        )])
        .await;
        let answered = api.visitor().opens("webhooks").await;
        assert_eq!(answered.status, expected);
        assert!(!answered.text.contains("secret things"), "{}", answered.text);
        assert_eq!(answered.text.contains("<code>a request</code>"), status == 500, "{}", answered.text);
    }
    let nowhere = crate::portal::Portal::of(crate::api::Api::at("http://127.0.0.1:1".parse().unwrap()), Brand::plain());
    let visitor = crate::stand_in::Visitor { portal: nowhere, cookie: Some(format!("{COOKIE}={SESSION}")) };
    assert_eq!(visitor.opens("webhooks").await.status, 502);
}

#[tokio::test]
async fn a_link_says_how_the_portal_looks() {
    let mut told = session(&["view"]);
    told["name"] = "Acme <b>&</b>".into();
    told["accent"] = "#ffd400".into();
    told["language"] = "de".into();
    told["return_url"] = "https://app.example.com/settings?a=\"b\"".into();
    let api =
        StandIn::saying(vec![("GET /v1/portal/session", 200, told.clone()), ("GET /v1/webhooks", 200, none())]).await;
    let page = api.visitor().opens("webhooks").await.text;
    for expected in [
        "<html lang=\"de\">",
        "Acme &lt;b&gt;&amp;&lt;/b&gt;",
        "accent-ffd400.css",
        "Es gibt noch keinen Webhook",
        "für Initech",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(page.contains("href=\"https://app.example.com/settings?a=%22b%22\""), "{page}");
    told["return_url"] = "javascript:alert(1)".into();
    let api = StandIn::saying(vec![("GET /v1/portal/session", 200, told), ("GET /v1/webhooks", 200, none())]).await;
    assert!(!api.visitor().opens("webhooks").await.text.contains("javascript"));
}

/// What a form may be posted to in vain: its page, what was typed, what fails, and what has to be there again.
type InVain = (&'static str, Vec<(&'static str, &'static str)>, Vec<&'static str>, &'static str);

#[tokio::test]
async fn no_form_loses_what_was_typed_when_the_api_fails() {
    let webhook = json!({"id": "wh_1", "url": "https://hooks.example.com/", "events": ["*"], "status": "active", "created_at": "2026-01-15T14:30:00.000Z"});
    let drawn = r#"{"url": "https://hooks.example.com/", "events": ["*"], "name": "Drawn"}"#;
    let request = [("webhook_id", "wh_1"), ("headers", "webhook-id: typed"), ("body", "{}")];
    let span = [("since", "2026-01-15T08:00"), ("until", "2026-01-15T09:00")];
    let forms: Vec<InVain> = vec![
        (
            "webhooks/new",
            vec![("url", "https://typed.example/"), ("events", "*")],
            vec!["POST /v1/webhooks/create"],
            "https://typed.example/",
        ),
        (
            "webhooks/wh_1/edit",
            vec![("url", "https://typed.example/"), ("events", "*"), ("drawn", drawn)],
            vec!["PATCH", "GET /v1/webhooks/wh_1"],
            "value=\"https://typed.example/\"",
        ),
        (
            "webhooks/wh_1/edit",
            vec![("drawn", drawn), ("try", "1"), ("filter", "{\"typed\": [1]}"), ("test_data", "{}")],
            vec!["POST /v1/webhooks/filter/test"],
            "{&quot;typed&quot;: [1]}</textarea>",
        ),
        (
            "webhooks/wh_1/edit",
            vec![("drawn", drawn), ("try", "1"), ("filter", "{\"typed\": [1]}"), ("test_event", "a.b")],
            vec!["GET /v1/event-types/a.b"],
            "{&quot;typed&quot;: [1]}</textarea>",
        ),
        (
            "webhooks/wh_1/test",
            vec![("event", "a.b"), ("data", "{\"typed\": 1}")],
            vec!["POST /v1/webhooks/wh_1/test"],
            "{&quot;typed&quot;: 1}</textarea>",
        ),
        (
            "webhooks/wh_1/preview",
            vec![("event", "a.b"), ("data", "{\"typed\": 1}")],
            vec!["POST /v1/webhooks/wh_1/preview"],
            "{&quot;typed&quot;: 1}</textarea>",
        ),
        ("webhooks/wh_1/recover", span.to_vec(), vec!["POST /v1/webhooks/wh_1/recover"], "value=\"2026-01-15T08:00\""),
        (
            "webhooks/wh_1/recover",
            [&span[..], &[("send", "1")]].concat(),
            vec!["POST /v1/webhooks/wh_1/recover"],
            "value=\"2026-01-15T08:00\"",
        ),
        (
            "webhooks/wh_1/rotate",
            vec![("grace_seconds", "3600")],
            vec!["POST /v1/webhooks/wh_1/secret/rotate"],
            "<option value=\"3600\" selected>",
        ),
        ("jobs/tasks/recover", span.to_vec(), vec!["POST /v1/jobs/recover"], "value=\"2026-01-15T08:00\""),
        ("doctor", request.to_vec(), vec!["POST /v1/verify"], "webhook-id: typed</textarea>"),
        ("doctor", request.to_vec(), vec!["GET /v1/webhooks"], "webhook-id: typed</textarea>"),
    ];
    for (page, fields, fails, kept) in forms {
        for fails in fails {
            for (status, expected, says) in [(503, 503, "too much to do"), (500, 502, "<code>a request</code>")] {
                let failing = [(fails, status, Value::Null)];
                let usual = [
                    ("POST /v1/verify", 200, json!({"valid": true, "explanation": ""})),
                    ("GET /v1/webhooks/wh_1", 200, webhook.clone()),
                    ("GET /v1/webhooks?", 200, none()),
                ];
                // Where the webhook itself cannot be read either, the form does without.
                let nor_the_webhook = [("GET /v1/webhooks/wh_1", status, Value::Null)];
                for others in [&[][..], &nor_the_webhook] {
                    let api = StandIn::saying(failing.iter().chain(others).chain(&usual).cloned().collect()).await;
                    let answered = api.visitor().posts(page, &fields).await;
                    assert!(answered.text.contains(kept), "{page}, {fails}: {kept}: {}", answered.text);
                    assert!(
                        answered.text.contains(&format!("action=\"{}{page}\"", root(page.split('/').count() + 1))),
                        "{page}: {}",
                        answered.text
                    );
                    if fails != "GET /v1/webhooks" {
                        assert_eq!(answered.status, expected, "{page}, {fails}");
                        assert!(answered.text.contains(says), "{page}: {says}: {}", answered.text);
                    }
                    assert!(
                        !api.asked().iter().any(|asked| asked.line.starts_with("PATCH") && !fails.starts_with("PATCH"))
                    );
                }
            }
        }
    }
}

/// An API in which every list is as long as a page of it, and all that stands there can be read.
async fn full() -> StandIn {
    let at = "2026-01-15T14:30:00.000Z";
    let webhook = |number: usize| json!({"id": format!("wh_{number}"), "url": "https://a.example/", "events": ["*"], "created_at": at, "status": "active"});
    let list = |count: usize| json!({"webhooks": (0..count).map(webhook).collect::<Vec<_>>(), "pagination": {"next_cursor": null}});
    let events: Vec<_> = (0..25)
        .map(|number| json!({"id": format!("evt_{number}"), "event": "webhook.created", "timestamp": at}))
        .collect();
    let tasks: Vec<_> = (0..10).map(|number| json!({"job_id": format!("job_{number}"), "status": "completed", "created_at": at, "completed_at": at, "capabilities": []})).collect();
    let generations: Vec<_> = (0..10)
        .map(|number| json!({"jobId": format!("019d{number}"), "status": "completed", "createdAt": at, "completedAt": at, "totalProjects": 0, "completedProjects": 0, "projects": [], "completedDetails": []}))
        .collect();
    let deliveries = json!({"deliveries": [], "pagination": {}});
    StandIn::saying(vec![
        ("GET /v1/webhooks?limit=200", 200, list(6)),
        ("GET /v1/webhooks?", 200, list(10)),
        ("GET /v1/events?changes=true", 200, json!({"events": events[..15], "pagination": {}})),
        ("GET /v1/events?", 200, json!({"events": events, "pagination": {}})),
        ("GET /v1/events/", 200, json!({"id": "evt_1", "event": "webhook.created", "timestamp": at})),
        ("GET /v1/jobs?", 200, json!({"data": tasks})),
        ("GET /api/v1/jobs?", 200, json!({"jobs": generations})),
        ("GET /v1/deliveries?", 200, deliveries),
        ("GET /v1/event-types?", 200, json!({"event_types": [], "pagination": {"next_cursor": "x"}})),
        ("POST /v1/verify", 200, json!({"valid": false, "cause": "no_match", "explanation": ""})),
    ])
    .await
}

/// docs/limits.md says the same of each.
#[tokio::test]
async fn a_page_makes_no_more_calls_than_its_operator_is_told_and_few_at_once() {
    for (page, calls) in
        [("webhooks", 11), ("webhooks?health=1", 31), ("events", 8), ("changes", 17), ("jobs", 22), ("doctor", 7)]
    {
        let api = full().await;
        let answered = api.visitor().opens(page).await;
        assert_eq!((answered.status, api.asked().len()), (200, calls), "{page}: {}", answered.text);
        assert!(api.most_at_once() <= crate::visit::AT_ONCE, "{page}: {}", api.most_at_once());
        assert!(api.all_asked() <= crate::visit::MOST_CALLS, "{page}");
    }
    let api = full().await;
    let fields = [("webhook_id", "wh_1"), ("headers", "a: b"), ("body", "{\r\n}\r\n")];
    assert_eq!(api.visitor().posts("doctor", &fields).await.status, 200);
    assert_eq!(api.asked().len(), 11);
    // A page that would go on and on fails.
    let endless = Brand::plain();
    let api = full().await;
    let visitor = api.visitor_of(endless);
    let call = Call::new("GET", "/portal/webhooks").header("cookie", visitor.cookie.as_deref().unwrap());
    let request = Request::read(call.event().payload.get(), "1").unwrap();
    let guest = Guest {
        request: &request,
        api: &visitor.portal.api,
        brand: Brand::plain(),
        texts: crate::texts::Language::English.texts(),
        variables: [""; 2],
        root: root(2),
    };
    let visit = visit(&visitor.portal, guest).await.unwrap();
    for _ in 1..crate::visit::MOST_CALLS {
        visit.get::<Value>(&["v1", "webhooks"], &[("limit", "200")]).await.unwrap();
    }
    assert!(matches!(visit.get::<Value>(&["v1", "webhooks"], &[("limit", "200")]).await, Err(Trouble::Failed(_))));
}
