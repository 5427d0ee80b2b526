//! JSON that two parsers could read differently is refused at the door; all else comes out as it went in.

use serde_json::json;

use crate::support::api::text;
use crate::support::{Receiver, SOON, World};

fn event(data: &str) -> String {
    format!(r#"{{"event":"dubbing.completed","data":{data}}}"#)
}

fn nested(depth: usize) -> String {
    format!("{{\"deep\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_json_is_refused() {
    let world = World::open();
    let tenant = world.tenant().await;
    let webhook = tenant.webhook("https://your-app.invalid/hook", &["*"]).await;
    let bad = [
        event(r#"{"a":1,"a":2}"#),
        event(r#"{"a":1,"\u0061":2}"#),
        event(r#"{"in":[{"a":1,"a":1}]}"#),
        r#"{"event":"dubbing.completed","event":"dubbing.failed","data":{}}"#.to_owned(),
        r#"{"event":"dubbing.completed","data":{},"data":{"x":1}}"#.to_owned(),
        event(&nested(70)),
        event(r#"{"a":"\ud800"}"#),
        event(r#"{"a":"\udc00\ud800"}"#),
        event(r#"{"a":"x\u0000y"}"#),
        event(r#"{"a\u0000":1}"#),
        event(r#"{"a":NaN}"#),
        event(r#"{"a":01}"#),
        event(r#"{"a":1,}"#),
    ];
    for body in bad {
        tenant.api.post_text("/v1/events", &body).await.refused(400, "invalid_request");
    }
    let good = tenant.publish("dubbing.completed", &json!({})).await;
    tenant.delivery_of(&good, &webhook).await;
    assert_eq!(tenant.deliveries(&webhook, "").await.len(), 1, "only the good one has a row");

    let twice = r#"{"url":"https://a.invalid/","url":"https://b.invalid/","events":["*"]}"#;
    tenant.api.post_text("/v1/webhooks/create", twice).await.refused(400, "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_arrives_as_it_was_written() {
    let world = World::open();
    let tenant = world.tenant().await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/exact"), &["*"]).await;
    let exact = [
        r#"{"z":1.0,"a":1e5,"m":-0.0,"E":2.50E-7,"big":12345678901234567890,"bigger":123456789012345678901234567890}"#,
        r#"{"10":"integer-like keys","9":"stay where they are","b":{"y":[1,{"d":4,"c":3}],"x":null},"a":[true,false]}"#,
        r#"{"text":"é 語 🙂 Ω̈","escaped":"\u00e9 \ud83d\ude42 \/ \" \\ \n","":"an empty key"}"#,
        r#"{}"#,
        &nested(60),
    ];
    for (number, data) in exact.into_iter().enumerate() {
        let published = tenant.api.post_text("/v1/events", &event(data)).await.ok(202);
        let received = receiver.wait_for(number + 1, SOON).await.remove(number);
        let expected = format!(
            r#"{{"id":"{}","event":"dubbing.completed","data":{data},"timestamp":"{}","webhook_id":"{webhook}"}}"#,
            text(&published, "id"),
            text(&published, "timestamp"),
        );
        assert_eq!(received.text(), expected);
    }
}
