//! What is kept of a failure's headers: what says why, a little of it, no cookies, and nothing that its owner hides.

use serde_json::{Value, json};

use crate::support::{Receiver, Reply, World, canary};

const TOKEN: &str = concat!("Bearer ", canary!("header"), "/answered");

fn of(delivery: &Value, attempt: usize) -> &Value {
    &delivery["attempts"][attempt]["response_headers"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failures_headers_are_shown_and_a_success_has_none() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let mut headers: Vec<(&'static str, String)> = vec![
        ("Set-Cookie", "session=1".to_owned()),
        ("Set-Cookie2", "session=2".to_owned()),
        ("Location", "https://elsewhere.example/?token=1".to_owned()),
        ("X-Echo", format!("you sent {TOKEN}")),
        ("X-Long", "x".repeat(3000)),
    ];
    headers.extend(["X-A", "X-B", "X-C", "X-D", "X-E", "X-F"].map(|name| (name, "1".to_owned())));
    headers.extend([("Via", "1.1 a".to_owned()), ("Via", "1.1 b".to_owned()), ("Server", "nginx".to_owned())]);
    headers.push(("Retry-After", "7200".to_owned()));
    let script = [Reply::Full(503, headers, b"no".to_vec())];
    let receiver =
        Receiver::scripted(world.stack, script, Reply::Full(200, vec![("X-Fine", "1".to_owned())], vec![])).await;
    let body = json!({"url": receiver.url("/"), "events": ["*"], "headers": {"x-token": TOKEN}});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let failed = tenant.settled(&id, "retrying", 1).await;
    let expected = json!({
        "retry-after": "7200", "server": "nginx", "via": "1.1 a, 1.1 b", "x-echo": "you sent ***",
        "x-long": "x".repeat(128), "x-a": "1", "x-b": "1", "x-c": "1",
    });
    assert_eq!(*of(&failed, 0), expected);
    world.aws.attempt_now(&id, 2).await;
    let taken = tenant.settled(&id, "succeeded", 2).await;
    assert_eq!((of(&taken, 0), of(&taken, 1)), (&expected, &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_nothing_but_headers_is_kept_within_its_bounds() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    let mut answer = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nx-odd: \xff\xfe!\r\n".to_vec();
    for number in 0..60 {
        answer.extend(format!("x-made-{number}: {}\r\n", "\"".repeat(200)).into_bytes());
    }
    answer.extend(b"\r\n");
    let receiver = Receiver::scripted(world.stack, [], Reply::Raw(answer)).await;
    let webhook = tenant.create(&json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": []})).await;
    let event = tenant.publish("invoice.paid", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let failed = tenant.settled(&id, "failed", 1).await;
    let kept = of(&failed, 0).as_object().expect("headers");
    let bytes: usize = kept.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    assert!(kept.len() <= 8 && bytes <= 512, "{} headers of {bytes} bytes: {failed}", kept.len());
    assert_eq!(kept["x-odd"], "\u{fffd}\u{fffd}!");
}
