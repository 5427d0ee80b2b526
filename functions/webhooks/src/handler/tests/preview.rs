//! Previews: what is shown, and that nothing is written for it.

use postrider_domain::catalogue::BuiltIn;
use postrider_domain::endpoint::EndpointStatus;

use super::*;

async fn previewed(endpoint: Endpoint, body: &Value) -> Answer {
    // Nothing is written: the script has no write.
    let script = script(&[endpoint]);
    answered(&script, Call::new("POST", &format!("{}/preview", path())).by(&owner()).saying(body)).await
}

/// A webhook whose secret is sealed, and one that is not.
async fn signed(secret: &str) -> Endpoint {
    let secret = Secret::parse(secret.to_owned(), STANDARD.signing.key).unwrap();
    let sealed = keyring(&script(&[])).seal(&endpoint().secret_owner(), &secret).await.unwrap();
    let headers =
        [("x-token", "a token"), ("accept", "text/plain")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    Endpoint { secrets: vec![StoredSecret::new(sealed)], headers: headers.into(), ..endpoint() }
}

#[tokio::test]
async fn a_preview_has_the_headers_in_their_order_and_shows_no_value_of_its_owners() {
    let answer = previewed(signed(SECRET).await, &json!({"event": "invoice.paid", "data": {"b": 1, "a": 2}})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let request = &answer.body["request"];
    let headers: Vec<_> = request["headers"].as_object().unwrap().iter().collect();
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    assert_eq!(names, [&["content-type", "accept", "x-token"][..], &signed, &["user-agent"]].concat());
    assert_eq!((headers[1].1, headers[2].1), (&json!("***"), &json!("***")));
    assert!(!answer.body.to_string().contains("a token"));
    let body = request["body"].as_str().unwrap();
    assert!(
        body.starts_with(r#"{"type":"invoice.paid","timestamp":""#) && body.ends_with(r#","data":{"b":1,"a":2}}"#),
        "{body}"
    );
    let would = json!({"would_send": true, "request": request, "schedule": STANDARD.retry.delays});
    assert_eq!(answer.body, would);
}

#[tokio::test]
async fn a_preview_tells_why_nothing_would_be_sent_and_shows_what_it_would_be() {
    let disabled = Endpoint { status: EndpointStatus::Disabled, retry_schedule: Some(vec![]), ..endpoint() };
    let of_nur = Endpoint { dialect: DialectRef(&NUR), ..endpoint() };
    let unsigned = |endpoint: Endpoint| Endpoint { secrets: Vec::new(), ..endpoint };
    for (endpoint, event, why, schedule) in [
        (disabled.clone(), "invoice.paid", "disabled", json!([])),
        (disabled, "order.paid", "not_subscribed", json!([])),
        (of_nur, "invoice.paid", "dialect", json!(NUR.retry.delays)),
    ] {
        let answer = previewed(unsigned(endpoint), &json!({"event": event, "data": {}})).await;
        let body = &answer.body;
        assert_eq!((answer.status, &body["would_send"], &body["why"]), (200, &json!(false), &json!(why)), "{answer:?}");
        assert!(body["explanation"].is_string() && body["request"]["body"].is_string(), "{body}");
        assert_eq!(body["schedule"], schedule);
        assert!(
            body["request"]["headers"].as_object().unwrap().keys().all(|name| !name.contains("signature")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_could_not_be_published_cannot_be_previewed() {
    for (body, status, field) in [
        (json!({"event": "webhook.unheard_of", "data": {}}), 400, "event"),
        (json!({"event": "webhook.disabled", "data": {}}), 422, "data"),
        (json!({"event": "not a type", "data": {}}), 400, "event"),
        (json!({"data": {}}), 400, "event"),
        (json!({"event": "a"}), 400, "data"),
        (json!({"event": "a", "data": []}), 400, "data"),
        (json!({"event": "a", "data": {"a": "x".repeat(256 * 1024)}}), 413, "data"),
    ] {
        let answer = previewed(endpoint(), &body).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)));
    }
}

#[tokio::test]
async fn what_postrider_tells_of_itself_can_be_previewed() {
    let own = BuiltIn::all().find(|one| one.own.as_str() == "webhook.disabled").unwrap();
    let data: Value = serde_json::from_str(own.example).unwrap();
    let asks = Endpoint { events: vec!["webhook.disabled".parse().unwrap()], secrets: Vec::new(), ..endpoint() };
    for (endpoint, would_send) in [(asks, true), (Endpoint { secrets: Vec::new(), ..endpoint() }, false)] {
        let answer = previewed(endpoint, &json!({"event": "webhook.disabled", "data": data})).await;
        assert_eq!((answer.status, &answer.body["would_send"]), (200, &json!(would_send)), "{answer:?}");
    }
}

#[tokio::test]
async fn a_preview_is_held_to_the_catalogue_and_to_the_webhooks_filter() {
    let filtered = Endpoint {
        filter: Some(r#"{"data":{"amount":[{"numeric":[">",10]}]},"tags":{"tier":["gold"]}}"#.to_owned()),
        secrets: Vec::new(),
        ..endpoint()
    };
    let asked = async |body: &Value| {
        let script = script(std::slice::from_ref(&filtered)).holding("config", [typed("invoice.paid")]);
        answered(&script, Call::new("POST", &format!("{}/preview", path())).by(&owner()).saying(body)).await
    };
    let gold = |amount: u8| json!({"event": "invoice.paid", "data": {"amount": amount}, "tags": {"tier": "gold"}});
    assert_eq!(asked(&gold(11)).await.body["would_send"], true);
    let answer = asked(&gold(9)).await;
    assert_eq!((&answer.body["would_send"], &answer.body["why"]), (&json!(false), &json!("filtered")), "{answer:?}");
    assert!(answer.body["explanation"].as_str().unwrap().contains("data.amount"), "{answer:?}");
    let untagged = asked(&json!({"event": "invoice.paid", "data": {"amount": 11}})).await;
    assert_eq!(untagged.body["why"], "filtered", "tags are seen");
    let unfit = asked(&json!({"event": "invoice.paid", "data": {}})).await;
    assert_eq!((unfit.status, &unfit.body["error"]["details"]["field"]), (422, &json!("data")), "{unfit:?}");
}
