//! Small cases of input that once went wrong, each by its own name.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::api::text;
use crate::support::{SOON, World, canary, until};

const URL: &str = "https://your-app.invalid/hook";

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"url": URL, "events": ["*"]});
    body[field] = value;
    body
}

fn nested(levels: usize) -> String {
    format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test(flavor = "multi_thread")]
async fn field_echo() {
    let world = World::open();
    let tenant = world.tenant().await;
    for long in ["k".repeat(3_200_000), r"\u0001".repeat(900_000), "é".repeat(1_000_000)] {
        let body = format!(r#"{{"event":"dubbing.completed","data":{{}},"{long}":1}}"#);
        let answer = tenant.api.post_text("/v1/events", &body).await;
        answer.refused(400, "invalid_request");
        assert!(answer.body.len() < 1500, "{}", answer.body.len());
    }
    let long = "k".repeat(2000);
    let webhook = tenant.webhook(URL, &["*"]).await;
    let answers = [
        tenant.api.post("/v1/webhooks/create", &with(&long, json!(1))).await,
        tenant.api.post("/v1/webhooks/create", &with("headers", json!({long.clone(): "v"}))).await,
        tenant.api.post("/v1/webhooks/create", &with("headers", json!({format!("{long} "): "v"}))).await,
        tenant.api.post_text("/v1/webhooks/create", &format!(r#"{{"{long}":1,"{long}":2}}"#)).await,
        tenant.api.post_text("/v1/events/batch", &format!(r#"{{"events":[{{}}],"{long}":2}}"#)).await,
        tenant.api.get(&format!("/v1/webhooks/{webhook}/deliveries?{long}=1")).await,
        tenant.api.get(&format!("/v1/webhooks?{long}=1")).await,
        tenant.api.get(&format!("/v1/deliveries?status={long}")).await,
        world.admin.post("/v1/tenants", &json!({long.clone(): 1, "name": "x", "plan": "pro"})).await,
        world.admin.post("/v1/keys", &json!({"scopes": [long.clone()]})).await,
    ];
    for answer in answers {
        answer.refused(400, "invalid_request");
        assert!(!answer.body.contains(&"k".repeat(65)), "{}", answer.body);
    }
    let item = json!({"events": [{long.clone(): 1, "event": "dubbing.completed", "data": {}}]});
    let answer = tenant.api.post("/v1/events/batch", &item).await;
    assert_eq!(answer.ok(202)["results"][0]["error"]["code"], "invalid_request");
    assert!(!answer.body.contains(&"k".repeat(65)), "{}", answer.body);
}

/// Whether so many characters in a row stand in both, in `said` as its JSON has them or as they are read.
fn repeats(sent: &str, said: &str, most: usize) -> bool {
    let said: Vec<char> = said.chars().collect();
    said.windows(most).any(|part| sent.contains(&part.iter().collect::<String>()))
}

/// Every place of every door that takes any text: what is refused there is not repeated beyond 64 characters in a row.
#[tokio::test(flavor = "multi_thread")]
async fn no_door_repeats_more_than_64_characters() {
    let world = World::open();
    let tenant = world.tenant().await;
    let (nouvel, netraflow) = (world.nouvel().await, world.netraflow("pro").await);
    let generation = nouvel.generate(1, 1, URL).await;
    let task = netraflow.start(URL).await;
    let webhook = tenant.webhook(URL, &["*"]).await;
    let doors = [
        (&tenant.api, "/v1/webhooks/create".to_owned(), r#""url":"https://your-app.invalid/","events":["*"]"#),
        (&tenant.api, format!("/v1/webhooks/{webhook}/secret/rotate"), r#""grace_seconds":1"#),
        (&tenant.api, format!("/v1/webhooks/{webhook}/recover"), r#""since":"2026-01-01T00:00:00Z""#),
        (&tenant.api, "/v1/deliveries/dlv_0/retry".to_owned(), ""),
        (&tenant.api, "/v1/events".to_owned(), r#""event":"dubbing.completed","data":{}"#),
        (&tenant.api, "/v1/events/batch".to_owned(), r#""events":[]"#),
        (&world.admin, "/v1/tenants".to_owned(), r#""name":"x","plan":"pro""#),
        (&world.admin, format!("/v1/tenants/{}/keys", tenant.id), r#""dialect":"nur""#),
        (&world.admin, format!("/v1/tenants/{}/secret/rotate", tenant.id), r#""grace_seconds":1"#),
        (&world.admin, "/v1/keys".to_owned(), r#""scopes":["events:write"]"#),
        (&nouvel.tenant.api, "/api/v1/generate".to_owned(), r#""urls":["https://a.example/"]"#),
        (&nouvel.worker, format!("/api/v1/jobs/{}/report", generation.id), r#""status":"cancelled""#),
        (&netraflow.tenant.api, "/v1/jobs".to_owned(), r#""url":"https://a.example/","capabilities":["a"]"#),
        (&netraflow.worker, format!("/v1/jobs/{task}/report"), r#""status":"failed""#),
    ];
    for (api, path, good) in &doors {
        let comma = if good.is_empty() { "" } else { "," };
        for long in ["k".repeat(70), "é".repeat(300), r"\u0001".repeat(80), r#"\""#.repeat(90), "k\u{301}".repeat(64)]
        {
            for body in [
                format!(r#"{{{good}{comma}"{long}":1,"{long}":2}}"#),
                format!(r#"{{{good}{comma}"{long}":{{"{long}":1,"{long}":2}}}}"#),
                format!(r#"{{{good}{comma}"a":[[{{"b":{{"{long}":1,"{long}":2}}}}]]}}"#),
                format!(r#"{{{good}{comma}"{long}":["\u0000"]}}"#),
                format!(r#"["{long}"]"#),
                format!(r#"{{"{long}""#),
                long.clone(),
            ] {
                let answer = api.post_text(path, &body).await;
                assert!((400..500).contains(&answer.status), "{path} {body}: {answer:?}");
                assert!(!repeats(&body, &answer.body, 65), "{path} {body}: {}", answer.body);
                assert!(answer.body.len() < 4000, "{path}: {}", answer.body);
            }
        }
        let long = "k".repeat(300);
        for query in [format!("?{long}=1"), format!("?a={long}"), format!("?{long}={long}&{long}=1")] {
            let answer = api.post_text(&format!("{path}{query}"), &format!("{{{good}}}")).await;
            assert!((400..500).contains(&answer.status), "{path}{query}: {answer:?}");
            assert!(!repeats(&query, &answer.body, 65), "{path}: {}", answer.body);
        }
        // As the value of each field that the door takes.
        let fields: Value = serde_json::from_str(&format!("{{{good}}}")).expect("JSON");
        for name in fields.as_object().expect("an object").keys() {
            for value in [json!(long), json!([long.clone()]), json!({long.clone(): long})] {
                let mut body = fields.clone();
                body[name] = value;
                let answer = api.post(path, &body).await;
                assert!(!repeats(&body.to_string(), &answer.body, 65) || answer.status < 300, "{path}: {answer:?}");
            }
        }
    }
    let long = "k".repeat(300);
    for path in ["/v1/webhooks", "/v1/events", "/v1/deliveries", "/v1/tenants/x", "/api/v1/jobs", "/v1/jobs", "/x"] {
        for api in [&tenant.api, &world.admin, &nouvel.tenant.api, &netraflow.tenant.api] {
            let answer =
                api.get(&format!("{path}/{long}?{long}={long}&status={long}&cursor={long}&limit={long}")).await;
            assert!(!answer.body.contains(&"k".repeat(65)), "{path}: {}", answer.body);
        }
    }
}

/// Sends a request as it stands and reads the answer to its end.
async fn raw(world: &World, request: &str) -> String {
    let (host, base) = world.stack.api_url.trim_start_matches("http://").split_once('/').expect("a path");
    let mut wire = TcpStream::connect(host).await.expect("the API listens");
    let request = request.replace("{host}", host).replace("{base}", &format!("/{base}"));
    wire.write_all(request.as_bytes()).await.expect("it should be sent");
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await.expect("it should be answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn header_control() {
    let world = World::open();
    // Whether the gateway lets such a line through is its own affair; what passes gets an answer of ours.
    for header in [
        concat!("X-A: a\u{1}", canary!("header")),
        concat!("X-A: a\u{7f}", canary!("header")),
        concat!("Authorization: Bearer nur_\u{1}", canary!("key")),
        concat!("X-Api-Key: sk_live_\u{7f}", canary!("key")),
    ] {
        let body = r#"{"url":"https://your-app.invalid/"}"#;
        let request = format!(
            "POST {{base}}/v1/webhooks/create HTTP/1.1\r\nHost: {{host}}\r\nConnection: close\r\n{header}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = raw(&world, &request).await.to_lowercase();
        if answer.starts_with("http/1.1 400") && !answer.contains("x-request-id") {
            continue;
        }
        assert!(answer.starts_with("http/1.1 401"), "{header:?}: {answer}");
        assert!(answer.contains("x-request-id: ") && answer.contains(r#"{"error":{"code":"unauthorized""#), "{answer}");
        assert!(!answer.contains("errortype") && !answer.contains("canary"), "{answer}");
    }
    // The same as the gateway would pass it on, and what is no request at all.
    for function in ["webhooks", "tenants", "ledger"] {
        for event in [
            json!({"rawPath": "/v1/webhooks", "headers": {"authorization": concat!("Bearer a\u{1}", canary!("key"))},
                "requestContext": {"requestId": "r-1", "http": {"method": "GET"}}}),
            json!({"rawPath": "/v1/webhooks", "headers": [canary!("header")]}),
            json!({"body": {"secret": canary!("secret")}, "headers": {}}),
            json!([canary!("data")]),
            json!(7),
            Value::Null,
        ] {
            let answer = world.aws.functions.invoke(function, &event).await;
            let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{function} {event}: {answer}"));
            assert!((400..500).contains(&status), "{function} {event}: {answer}");
            assert!(answer["headers"]["x-request-id"].is_string(), "{answer}");
            let body: Value = serde_json::from_str(text(&answer, "body")).expect("JSON");
            assert!(body["error"]["code"].is_string() && !text(&answer, "body").contains("CANARY"), "{answer}");
        }
    }
    for function in ["webhooks", "tenants", "ledger"] {
        until("the log to be written", SOON, || async {
            let log = world.aws.functions.log(function).await;
            if log.iter().any(|line| line.contains("api.not_understood")) { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await;
        let log = world.aws.functions.log(function).await;
        assert!(!log.iter().any(|line| line.contains(canary!("key"))), "{function} logged a key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_secret_nur() {
    let world = World::open();
    let tenant = world.tenant().await;
    for weak in ["x", " ", "0", "whsec_", "\u{200b}"] {
        tenant.api.post("/v1/webhooks/create", &with("secret", json!(weak))).await.invalid("secret");
    }
    let webhook = tenant.create(&with("secret", json!("0123456789abcdef"))).await;
    let rotate = format!("/v1/webhooks/{webhook}/secret/rotate");
    tenant.api.post(&rotate, &json!({"secret": "short", "grace_seconds": 0})).await.invalid("secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_secret_tenant() {
    let world = World::open();
    let tenant = world.tenant().await;
    let rotate = format!("/v1/tenants/{}/secret/rotate", tenant.id);
    for weak in ["x", "", " ", "0123456789abcde", "0123456789abcdef\u{a0}", "\u{feff}0123456789abcdef"] {
        let body = json!({"secret": weak, "grace_seconds": 0});
        world.admin.post(&rotate, &body).await.invalid("secret");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_prefix() {
    let world = World::open();
    let tenant = world.tenant().await;
    let path = format!("/v1/tenants/{}/keys", tenant.id);
    let body = |expires_at: &str| json!({"dialect": "nur", "expires_at": expires_at});
    for odd in ["9999-12-3garbage", "9999-12-31T23:59:59Z; x", "9999-12-31", "2030-01-01T00:00:00", "2030-01-01T00:00Z"]
    {
        world.admin.post(&path, &body(odd)).await.invalid("expires_at");
    }
    for good in ["9999-12-31T23:59:59Z", "2100-01-01T00:00:00.5+01:00", "2100-01-01t00:00:00z"] {
        world.admin.post(&path, &body(good)).await.ok(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv4_notation() {
    let world = World::open();
    let tenant = world.tenant().await;
    for url in ["https://0127.0.0.1/", "https://134744072/", "https://0x08080808/", "https://8.8/", "https://8.8.8.8./"]
    {
        tenant.api.post("/v1/webhooks/create", &with("url", json!(url))).await.invalid("url");
    }
    tenant.webhook("https://8.8.8.8/", &["*"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn url_fragment() {
    let world = World::open();
    let tenant = world.tenant().await;
    for url in ["https://your-app.invalid/#/hooks/1", "https://your-app.invalid/#", "https://your-app.invalid/a?b#c"] {
        tenant.api.post("/v1/webhooks/create", &with("url", json!(url))).await.invalid("url");
    }
    tenant.webhook("https://your-app.invalid/%23/hooks/1", &["*"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nur_secret_space() {
    let world = World::open();
    let tenant = world.tenant().await;
    for padded in ["abcdefgh ", "abcdefghijklmnopqrst ", " abcdefghijklmnopqrst", "abcdefghijklmnopqrst\n"] {
        tenant.api.post("/v1/webhooks/create", &with("secret", json!(padded))).await.invalid("secret");
    }
    tenant.create(&with("secret", json!("four words with blanks"))).await;
}

/// A header as HTTP/2 carries it has no white space around it, so none is taken.
#[tokio::test(flavor = "multi_thread")]
async fn header_padded_h2() {
    let world = World::open();
    let tenant = world.tenant().await;
    for padded in ["  v  ", "v ", "\tv", " "] {
        tenant.api.post("/v1/webhooks/create", &with("headers", json!({"X-A": padded}))).await.invalid("headers");
    }
    tenant.create(&with("headers", json!({"X-A": "v w", "X-Empty": ""}))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn query_dry_run() {
    let world = World::open();
    let tenant = world.tenant().await;
    let event = json!({"event": "dubbing.completed", "data": {}});
    for query in ["dry_run=true", "dry_run", "dry%5Frun=1"] {
        tenant.api.post(&format!("/v1/events?{query}"), &event).await.invalid("dry_run");
    }
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, 0, "nothing was published");
}

#[tokio::test(flavor = "multi_thread")]
async fn query_create() {
    let world = World::open();
    let tenant = world.tenant().await;
    let body = json!({"url": URL, "events": ["*"]});
    tenant.api.post("/v1/webhooks/create?validate_only=true", &body).await.invalid("validate_only");
    assert_eq!(tenant.api.get("/v1/webhooks").await.body, r#"{"webhooks":[]}"#);
}

/// Publishes a good event and this data after it; the second one's error.
async fn second_of_batch(world: &World, data: &str) -> Value {
    let tenant = world.tenant().await;
    let body = format!(
        r#"{{"events":[{{"event":"dubbing.completed","data":{{}}}},{{"event":"dubbing.failed","data":{data}}}]}}"#
    );
    let answer = tenant.api.post_text("/v1/events/batch", &body).await.ok(202);
    let results = answer["results"].as_array().expect("results");
    assert_eq!(results.len(), 2, "{answer}");
    assert!(text(&results[0], "id").starts_with("evt_"), "{answer}");
    let taken = 2 - usize::from(results[1].get("error").is_some());
    assert_eq!(world.aws.rows.all_events_of(&tenant.id).await, taken, "{answer}");
    let alone = tenant.api.post_text("/v1/events", &format!(r#"{{"event":"dubbing.failed","data":{data}}}"#)).await;
    let same = if results[1].get("error").is_some() { 400 } else { 202 };
    assert_eq!(alone.status, same, "the same verdict by both doors: {alone:?}");
    results[1]["error"].clone()
}

fn assert_names_data(error: &Value) {
    assert_eq!((&error["code"], &error["details"]["field"]), (&json!("invalid_request"), &json!("data")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_nul() {
    let world = World::open();
    assert_names_data(&second_of_batch(&world, r#"{"a":"\u0000"}"#).await);
    assert_names_data(&second_of_batch(&world, r#"{"a\u0000":1}"#).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_1e400() {
    let world = World::open();
    assert_names_data(&second_of_batch(&world, r#"{"a":1e400}"#).await);
    assert_names_data(&second_of_batch(&world, r#"{"a":{"b":[-1e999]}}"#).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_depth_62() {
    let world = World::open();
    assert_eq!(second_of_batch(&world, &nested(61)).await, Value::Null);
    assert_eq!(second_of_batch(&world, &nested(62)).await, Value::Null, "the deepest that is taken");
    assert_names_data(&second_of_batch(&world, &nested(63)).await);
    assert_names_data(&second_of_batch(&world, &nested(5000)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_doubles_and_lone_surrogates() {
    let world = World::open();
    assert_names_data(&second_of_batch(&world, r#"{"a":1,"a":1}"#).await);
    assert_names_data(&second_of_batch(&world, r#"{"a":"\udc00\ud800"}"#).await);
    let tenant = world.tenant().await;
    let good = r#"{"event":"dubbing.completed","data":{}}"#;
    for bad in ["7", "null", "[]", "\"x\"", r#"{"event":"dubbing.completed","event":"dubbing.failed","data":{}}"#] {
        let body = format!(r#"{{"events":[{good},{bad},{good}]}}"#);
        let results = tenant.api.post_text("/v1/events/batch", &body).await.ok(202)["results"].clone();
        assert_eq!(results[1]["error"]["details"]["field"], "events[1]", "{bad}: {results}");
        assert!(results[0]["id"].is_string() && results[2]["id"].is_string(), "{bad}: {results}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batch_limits() {
    const MOST: usize = 2560 * 1024;
    let world = World::open();
    let tenant = world.tenant().await;
    let batch = json!({"events": [{"event": "dubbing.completed", "data": {}}]});
    let call = tenant.api.call(Method::POST, "/v1/events/batch").header("Idempotency-Key", "order 1");
    call.json(&batch).send().await.invalid("Idempotency-Key");
    let item = |bytes: usize| format!(r#"{{"event":"dubbing.completed","data":{{"a":"{}"}}}}"#, "x".repeat(bytes));
    let whole = |items: usize, pad: usize| {
        let items = vec![item(250 * 1024); items].join(",");
        format!(r#"{{"events":[{items}]{}}}"#, " ".repeat(pad))
    };
    let room = MOST - whole(10, 0).len();
    let taken = tenant.api.post_text("/v1/events/batch", &whole(10, room)).await.ok(202);
    assert!(taken["results"].as_array().expect("results").iter().all(|one| one["id"].is_string()), "{taken}");
    tenant.api.post_text("/v1/events/batch", &whole(10, room + 1)).await.refused(413, "payload_too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn content_encoding() {
    let world = World::open();
    let tenant = world.tenant().await;
    let event = json!({"event": "dubbing.completed", "data": {}});
    let call = |encoding: &str| tenant.api.call(Method::POST, "/v1/events").header("Content-Encoding", encoding);
    for encoding in ["gzip", "br", "deflate", "identity, gzip", "x"] {
        call(encoding).json(&event).send().await.refused(415, "unsupported_media_type");
    }
    call("identity").json(&event).send().await.ok(202);
}
