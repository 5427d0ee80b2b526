//! An owner's headers: sealed before they are written, never shown, and kept, replaced or taken away by a change.

use std::collections::BTreeMap;

use postrider_aws::keyring::sealed_bytes;
use postrider_domain::own_header::MAX_BYTES;

use super::*;

const TOKEN: &str = "Bearer canary-0123456789";

fn change(body: &Value) -> Call {
    Call::new("PATCH", &path()).by(&owner()).saying(body)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The row that was written, and nothing of what was asked of AWS has the token in it.
fn row_written(script: &Script) -> Endpoint {
    let writes = script.asked("TransactWriteItems");
    assert!(!json!(writes).to_string().contains("canary"), "{writes:?}");
    let item = writes.last().unwrap()["TransactItems"][0]["Put"]["Item"].clone();
    serde_json::from_value(item).unwrap()
}

async fn opened(script: &Script, endpoint: &Endpoint, name: &str) -> String {
    let sealed = &endpoint.sealed_headers[name];
    keyring(script).open(&endpoint.header_owner(name), sealed).await.unwrap().expose().to_owned()
}

#[tokio::test]
async fn a_value_is_sealed_for_its_webhook_and_shown_to_nobody() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let headers = json!({"X-Token": TOKEN, "x-team": "canary"});
    let body = json!({"url": "https://hooks.example/", "events": ["*"], "headers": headers});
    let answer = answered(&script, create(&body)).await;
    assert_eq!((answer.status, &answer.body["headers"]), (201, &json!({"x-team": "***", "x-token": "***"})));
    let row = row_written(&script);
    assert_eq!((opened(&script, &row, "x-token").await, row.headers.len()), (TOKEN.to_owned(), 0));
    assert_eq!(opened(&script, &row, "x-team").await, "canary");
}

#[tokio::test]
async fn a_change_keeps_what_it_masks_replaces_what_it_gives_and_drops_what_it_leaves_out() {
    let sealed_headers = map(&[("x-kept", "k1.kept"), ("x-other", "k1.other"), ("x-gone", "k1.gone")]);
    let before = Endpoint { sealed_headers, ..endpoint() };
    let script = script(&[before]).saying("TransactWriteItems", [Said::done()]);
    let headers = json!({"X-Kept": "***", "x-other": TOKEN, "x-new": "canary"});
    let answer = answered(&script, change(&json!({"headers": headers}))).await;
    let masked = json!({"x-kept": "***", "x-new": "***", "x-other": "***"});
    assert_eq!((answer.status, &answer.body["headers"]), (200, &masked));
    let row = row_written(&script);
    assert_eq!((row.sealed_headers["x-kept"].as_str(), row.sealed_headers.len()), ("k1.kept", 3));
    assert_eq!(opened(&script, &row, "x-other").await, TOKEN);
}

#[tokio::test]
async fn null_takes_all_headers_away_and_what_is_not_named_stays() {
    let before = Endpoint { sealed_headers: map(&[("x-a", "k1.a")]), headers: map(&[("x-b", "b")]), ..endpoint() };
    for (body, left) in [(json!({"headers": null}), 0), (json!({"headers": {}}), 0), (json!({"description": "a"}), 2)] {
        let script = script(std::slice::from_ref(&before)).saying("TransactWriteItems", [Said::done()]);
        let answer = answered(&script, change(&body)).await;
        assert_eq!(answer.body.get("headers").map_or(0, |shown| shown.as_object().unwrap().len()), left, "{answer:?}");
        assert_eq!(row_written(&script).sealed_headers.len(), left);
    }
}

/// Whatever its owner does with it, and also if he keeps them by name.
#[tokio::test]
async fn a_row_of_before_is_sealed_with_its_next_change() {
    let headers = map(&[("X-Token", TOKEN), ("x-team", "canary")]);
    let of_before = Endpoint { headers, status: EndpointStatus::Disabled, ..endpoint() };
    let act = |act: &str| Call::new("POST", &format!("{}/{act}", path())).by(&owner());
    for call in [
        change(&json!({})),
        change(&json!({"headers": {"x-token": "***", "X-Team": "***"}})),
        act("enable"),
        act("disable"),
        act("secret/rotate"),
    ] {
        let script = script(std::slice::from_ref(&of_before)).saying("TransactWriteItems", [Said::done()]);
        assert_eq!(answered(&script, call.clone()).await.status, 200, "{call:?}");
        let row = row_written(&script);
        assert_eq!((row.headers.len(), row.sealed_headers.len()), (0, 2), "{call:?}");
        assert_eq!(opened(&script, &row, "x-token").await, TOKEN);
        assert_eq!(opened(&script, &row, "x-team").await, "canary");
    }
    let shown = answered(&script(&[of_before]), Call::new("GET", &path()).by(&owner())).await;
    assert_eq!(shown.body["headers"], json!({"X-Token": "***", "x-team": "***"}), "and it is masked before");
}

#[tokio::test]
async fn where_the_key_cannot_be_read_nothing_is_written() {
    let of_before = Endpoint { headers: map(&[("x-token", TOKEN)]), ..endpoint() };
    for (webhooks, call) in [
        (
            vec![],
            create(
                &json!({"url": "https://hooks.example/", "events": ["*"], "secret": SECRET, "headers": {"x-a": "b"}}),
            ),
        ),
        (vec![of_before], change(&json!({"description": "a"}))),
    ] {
        let without_key = Script::default()
            .saying("GetSecretValue", repeat_with(|| Said::secret("no keys")))
            .holding("config", owner().rows())
            .holding("config", webhooks.iter().map(row));
        let answer = answered(&without_key, call).await;
        assert!(answer.status == 500 && !answer.body.to_string().contains("canary"), "{answer:?}");
    }
}

#[tokio::test]
async fn three_stars_stand_for_a_value_only_where_there_is_one() {
    let body = |headers: Value| json!({"url": "https://hooks.example/", "events": ["*"], "headers": headers});
    let answer = answered(&script(&[]), create(&body(json!({"X-Token": "***"})))).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("headers.x-token")));
    let before = Endpoint { sealed_headers: map(&[("x-a", "k1.a")]), ..endpoint() };
    let answer = answered(&script(&[before]), change(&json!({"headers": {"x-a": "***", "x-b": "***"}}))).await;
    assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("headers.x-b")));
}

#[tokio::test]
async fn all_of_them_are_bounded_and_what_was_taken_before_may_stay_or_shrink() {
    let headers = |count: usize, chars: usize| -> BTreeMap<String, String> {
        (0..count).map(|n| (format!("x-{n}"), "v".repeat(chars))).collect()
    };
    let body =
        |count, chars| json!({"url": "https://hooks.example/", "events": ["*"], "headers": headers(count, chars)});
    // Three names of three, and three times 4,093.
    for (count, chars, status) in
        [(3, 4093, 201), (3, 4094, 400), (2, 4096, 201), (1, 4096, 201), (1, 4097, 400), (17, 1, 400)]
    {
        let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
        let answer = answered(&script, create(&body(count, chars))).await;
        assert_eq!(answer.status, status, "{count} of {chars}: {answer:?}");
        if status == 201 {
            let sealed: usize = row_written(&script).sealed_headers.values().map(|sealed| sealed_bytes(sealed)).sum();
            assert_eq!(sealed, count * chars);
        }
    }
    // Sixteen of a kibibyte each, as earlier versions took them.
    let of_before = Endpoint { headers: headers(16, 1024), ..endpoint() };
    assert!(of_before.headers.len() * 1024 > MAX_BYTES);
    let kept = |count: usize| -> BTreeMap<String, &str> { (0..count).map(|n| (format!("x-{n}"), "***")).collect() };
    for (body, status) in [
        (json!({"description": "a"}), 200),
        (json!({"headers": kept(16)}), 200),
        (json!({"headers": kept(15)}), 200),
        (json!({"headers": headers(16, 1025)}), 400),
    ] {
        let script = script(std::slice::from_ref(&of_before)).saying("TransactWriteItems", [Said::done()]);
        let answer = answered(&script, change(&body)).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
