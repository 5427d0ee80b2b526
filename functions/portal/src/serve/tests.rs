use replay::Call;
use serde_json::{Value, json};

use super::*;
use crate::brand::Brand;
use crate::stand_in::{SESSION, StandIn, posting, session};

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
    let page = visitor.opens("enter/a-token").await;
    assert_eq!((page.status, api.asked().len(), page.cookies.len()), (200, 0, 0));
    assert!(page.text.contains("<form method=\"post\" action=\"../enter\" data-press>"), "{}", page.text);
    let entered = visitor.sends(posting("enter", &[("token", "a-token")])).await;
    assert_eq!((entered.status, &entered.headers["location"]), (303, &"./webhooks".into()));
    assert!(entered.cookies[0].starts_with(&format!("{COOKIE}={SESSION}; Max-Age=")), "{:?}", entered.cookies);
    let asked = &api.asked()[0];
    assert_eq!((asked.line.as_str(), &asked.body), ("POST /v1/portal/sessions", &json!({"token": "a-token"})));
    assert!(!asked.headers.contains_key("authorization"));
    // A page of another site that has a link of its own would have the visitor work in somebody else's webhooks.
    let forged = visitor.sends(posting("enter", &[("token", "a-token")]).header("sec-fetch-site", "cross-site")).await;
    assert_eq!((forged.status, forged.cookies.len(), api.asked().len()), (403, 0, 1));
}

#[tokio::test]
async fn a_link_that_was_used_says_so_and_leads_whoever_used_it_back_in() {
    let api =
        StandIn::saying(vec![("POST /v1/portal/sessions", 401, json!({"error": {"code": "unauthorized"}}))]).await;
    let mut visitor = api.visitor();
    let back = visitor.sends(posting("enter", &[("token", "a-token")])).await;
    assert_eq!((back.status, &back.headers["location"]), (303, &"./webhooks".into()));
    visitor.cookie = None;
    let used = visitor.sends(posting("enter", &[("token", "a-token")])).await;
    assert!(used.status == 401 && used.text.contains("does not open any more"), "{}", used.text);
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
