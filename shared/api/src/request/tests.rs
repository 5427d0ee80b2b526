use serde_json::{Value, json};

use super::*;

/// A request as AWS documents it, payload format 2.0, of a route of the template's.
fn envelope(route_key: &str, raw_path: &str, values: Value) -> Value {
    json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": raw_path,
        "rawQueryString": "status=failed&limit=5",
        "cookies": ["one=1", "other=2"],
        "headers": {"accept": "text/html,application/json", "x-forwarded-for": "2001:db8::7", "x-api-key": "a key"},
        "queryStringParameters": {"status": "failed", "limit": "5"},
        "pathParameters": values,
        "stageVariables": null,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef0123",
            "authentication": null,
            "authorizer": {"iam": {"callerId": "1", "cognitoIdentity": {"amr": ["x"]}}},
            "domainName": "hooks.example.com",
            "domainPrefix": "hooks",
            "http": {"method": "GET", "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "2001:db8::7", "userAgent": "x"},
            "requestId": "a request",
            "routeKey": route_key,
            "stage": "$default",
            "time": "15/Jan/2026:14:30:00 +0000",
            "timeEpoch": 1_768_487_400_000_u64,
        },
        "isBase64Encoded": false,
    })
}

fn read(event: &Value) -> Request {
    Request::read(&event.to_string(), "1").unwrap()
}

#[test]
fn what_a_stage_or_a_mapping_puts_before_a_path_is_none_of_it() {
    let webhook = ("ANY /v1/webhooks/{id}", json!({"id": "wh_1"}));
    let greedy = ("ANY /api/v1/{proxy+}", json!({"proxy": "nothing/there"}));
    let list = ("ANY /v1/webhooks", Value::Null);
    for before in ["", "/prod", "/hooks/of/ours", "/v1", "/v1/webhooks"] {
        for ((route_key, values), own) in
            [(&webhook, "/v1/webhooks/wh_1"), (&greedy, "/api/v1/nothing/there"), (&list, "/v1/webhooks")]
        {
            let request = read(&envelope(route_key, &format!("{before}{own}"), values.clone()));
            assert_eq!(format!("/{}", request.segments.join("/")), own, "behind {before:?}");
            assert_eq!(request.before, before, "{own}");
        }
    }
}

#[test]
fn a_path_that_its_route_does_not_explain_stays_as_it_came() {
    for (route_key, path, values) in [
        ("$default", "/prod/v1/webhooks", json!(null)),
        // A value that looks like a whole path: no part of it is taken for the path.
        ("ANY /v1/webhooks/{id}", "/v1/webhooks/x/v1/webhooks/wh_1", json!({"id": "x/v1/webhooks/wh_1"})),
        ("ANY /v1/webhooks/{id}", "/prod/v1/webhooks/wh_1", json!({"id": "wh_2"})),
        ("ANY /v1/webhooks/{id}", "/prod/v1/webhooks/wh_1", json!({})),
        ("ANY /v1/webhooks", "/prodv1/webhooks", json!(null)),
        ("ANY /v1/webhooks", "//v1/webhooks", json!(null)),
        ("ANY /v1/webhooks", "/prod//v1/webhooks", json!(null)),
        ("", "/prod/v1/webhooks", json!(null)),
    ] {
        let request = read(&envelope(route_key, path, values));
        assert_eq!(format!("/{}", request.segments.join("/")), path, "{route_key}");
    }
}

#[test]
fn all_of_an_envelope_is_read_as_aws_documents_it() {
    let request = read(&envelope("ANY /v1/webhooks", "/v1/webhooks", Value::Null));
    assert_eq!((request.method.as_str(), request.id.as_str(), request.body_bytes()), ("GET", "a request", 0));
    assert_eq!(request.query("status").unwrap(), Some("failed"));
    // Headers of one name come as one, and cookies apart from them.
    assert_eq!(request.header("Accept"), Some("text/html,application/json"));
    assert_eq!((request.header("X-Api-Key"), request.header("cookie")), (Some("a key"), None));
    let mut event = envelope("ANY /v1/webhooks", "/v1/webhooks", Value::Null);
    event["headers"]["content-type"] = json!("application/json");
    for (body, is_base64) in [(json!(r#"{"url":"é"}"#), false), (json!("eyJ1cmwiOiLDqSJ9"), true)] {
        (event["body"], event["isBase64Encoded"], event["rawQueryString"]) = (body, json!(is_base64), json!(""));
        assert!(read(&event).fields().is_ok(), "{event}");
    }
    event["body"] = Value::Null;
    event["isBase64Encoded"] = json!(false);
    assert_eq!(read(&event).body_bytes(), 0);
    // Two keys in one request are nobody's.
    event["headers"]["authorization"] = json!("Bearer one,Bearer other");
    assert_eq!(read(&event).header("authorization"), Some("Bearer one,Bearer other"));
}

#[test]
fn query_strings_are_decoded() {
    assert_eq!(
        url_pairs("a=1&b=x%20y+z&c"),
        [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "x y z".to_owned()), ("c".to_owned(), String::new()),]
    );
}

#[test]
fn empty_segments_count_and_nothing_is_decoded_again() {
    let path = |raw: &str| Request::read(&format!(r#"{{"rawPath":"{raw}"}}"#), "1").unwrap().segments;
    assert_eq!(path("/v1/webhooks"), ["v1", "webhooks"]);
    assert_eq!(path("/v1//webhooks/"), ["v1", "", "webhooks", ""]);
    assert_eq!(path("/v1/webhooks/%2577h_0"), ["v1", "webhooks", "%2577h_0"]);
    assert_eq!(path("/"), [""]);
}

#[test]
fn a_control_character_in_a_header_is_part_of_it() {
    let event = r#"{"headers":{"authorization":"Bearer a\u0001b"},"requestContext":{"requestId":"r"}}"#;
    let request = Request::read(event, "1").unwrap();
    assert_eq!((request.header("Authorization"), request.id.as_str()), (Some("Bearer a\u{1}b"), "r"));
}

#[test]
fn what_is_no_request_is_refused_without_being_repeated() {
    for event in [
        "[]",
        "7",
        "null",
        r#"{"headers":"canary"}"#,
        r#"{"body":{"canary":1}}"#,
        r#"{"body":"~canary","isBase64Encoded":true}"#,
    ] {
        let error = Request::read(event, "1").map(drop).expect_err(event);
        assert_eq!((error.status(), error.cause()), (400, None), "{event}");
        assert!(!error.message().contains("canary"), "{event}");
    }
}
