//! Filters of webhooks: taken, changed, shown and tried.

use postrider_api::Fields;
use postrider_domain::filter::{Filter, MAX_BYTES, Seen, Verdict};
use proptest::prelude::*;

use super::*;

#[path = "../../../../../tests/vectors/filters.rs"]
mod made;

use made::{PAIRS, examples, pair};

const FILTER: &str = r#"{"data": {"amount": [ {"numeric": [">", 1.0e1]} ]}}"#;

/// A request with a filter as it stands there.
fn with_filter(call: Call, filter: &str, more: &str) -> Call {
    call.by(&owner()).saying_text(&format!(r#"{{"filter":{filter}{more}}}"#))
}

fn creation(filter: &str) -> Call {
    let more = r#","url":"https://hooks.example/","events":["invoice.paid","voice.*"]"#;
    with_filter(Call::new("POST", "/v1/webhooks/create"), filter, more)
}

fn change(filter: &str) -> Call {
    with_filter(Call::new("PATCH", &path()), filter, "")
}

fn trial(filter: &str, event: &made::Made) -> Call {
    let more = format!(r#","event":"{}","data":{},"tags":{}"#, event.event, event.data, json!(event.tags));
    with_filter(Call::new("POST", "/v1/webhooks/filter/test"), filter, &more)
}

fn an_event() -> made::Made {
    made::Made { event: "invoice.paid".to_owned(), data: r#"{"amount": 5}"#.to_owned(), tags: [].into() }
}

fn subscription(pattern: &str, more: &Value) -> Value {
    let mut row = keyed(
        format!("SUBSCRIPTION#{}#{pattern}", owner().tenant_id()),
        endpoint().id.to_string(),
        &json!({"dialect": "standard", "since": "2026-01-01T00:00:00.000Z"}),
    );
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

#[tokio::test]
async fn a_filter_stands_with_the_webhook_and_with_each_of_its_subscriptions() {
    let script = script(&[]).saying("TransactWriteItems", [Said::done()]);
    let answer = answered(&script, creation(FILTER)).await;
    assert_eq!((answer.status, &answer.body["filter"]["data"]["amount"][0]["numeric"][0]), (201, &json!(">")));
    let writes = written(&script);
    assert_eq!(writes[0]["Put"]["Item"]["filter"], FILTER);
    for subscription in &writes[1..3] {
        assert_eq!(subscription["Put"]["Item"]["filters"], json!({"now": FILTER}), "{subscription}");
    }
}

#[tokio::test]
async fn a_filter_is_shown_as_it_was_written() {
    let filtered = Endpoint { filter: Some(FILTER.to_owned()), ..endpoint() };
    let shown = serde_json::to_string(&view::whole(&filtered, Timestamp::UNIX_EPOCH)).unwrap();
    assert!(shown.contains(&format!(r#""filter":{FILTER}"#)), "{shown}");
    let answer = answered(&script(&[filtered]), Call::new("GET", &path()).by(&owner())).await;
    assert_eq!((answer.status, &answer.body["filter"]["data"]["amount"][0]["numeric"][1]), (200, &json!(10.0)));
}

#[tokio::test]
async fn a_changed_filter_is_written_to_every_subscription_and_the_earlier_one_is_kept() {
    let before = Endpoint {
        filter: Some(FILTER.to_owned()),
        events: ["invoice.paid", "voice.*", "gone"].map(|name| name.parse().unwrap()).into(),
        ..endpoint()
    };
    let filtered = json!({"filters": {"now": FILTER}});
    let ended = json!({"until": "2026-01-02T00:00:00.000Z"});
    let holding = || {
        script(std::slice::from_ref(&before))
            .holding("config", [subscription("invoice.paid", &filtered), subscription("voice.*", &filtered)])
            .holding("config", [subscription("new", &ended)])
            .saying("TransactWriteItems", [Said::done()])
    };
    let script = holding();
    let answer = answered(&script, change("null")).await;
    assert!(answer.status == 200 && answer.body.get("filter").is_none(), "{answer:?}");
    let writes = written(&script);
    assert!(writes[0]["Put"]["Item"].get("filter").is_none());
    assert_eq!(writes.len(), 5, "the webhook, all of its subscriptions, and what tells of it");
    for write in &writes[1..4] {
        let item = &write["Put"]["Item"];
        let is_lost = item["pk"].as_str().unwrap().ends_with("#gone");
        assert_eq!(item["since"].is_null(), is_lost, "what it took before, it goes on having taken: {item}");
        let filters = &item["filters"];
        assert!(is_lost || (filters["now"].is_null() && filters["earlier"][0]["filter"] == FILTER), "{item}");
        assert!(is_lost || filters["earlier"][0]["until"].is_string());
    }

    let script = holding();
    let more = r#","events":["voice.*","new"]"#;
    let call = with_filter(Call::new("PATCH", &path()), r#"{"event":["a"]}"#, more);
    assert_eq!(answered(&script, call).await.status, 200);
    let writes = written(&script);
    let of = |pattern: &str| {
        let is_of = |write: &&Value| write.to_string().contains(&format!("#{pattern}\""));
        writes.iter().find(is_of).unwrap().clone()
    };
    assert_eq!(of("voice.*")["Put"]["Item"]["filters"]["now"], r#"{"event":["a"]}"#);
    assert!(of("new")["Put"]["Item"]["filters"]["earlier"][0]["filter"].is_null(), "it had none when it held before");
    for ended in [of("invoice.paid"), of("gone")] {
        assert!(ended["Update"].is_object(), "it ends with the filter that it had: {ended}");
    }
    let script = holding();
    assert_eq!(answered(&script, change(FILTER)).await.status, 200);
    assert_eq!(written(&script).len(), 1, "nothing has changed");
}

#[tokio::test]
async fn the_largest_change_fits_a_transaction() {
    let patterns = |of: &str| (0..49).map(|n| format!("{of}.n{n}")).collect::<Vec<_>>();
    let filter = |letter: &str| format!(r#"{{"event":["{}"]}}"#, letter.repeat(MAX_BYTES - 14));
    let events = patterns("old").iter().map(|name| name.parse().unwrap()).collect();
    let before = Endpoint { events, filter: Some(filter("a")), ..endpoint() };
    let row = |pattern: &String| {
        let earlier = json!({"filter": filter("b"), "until": "2026-01-03T00:00:00.000Z"});
        subscription(pattern, &json!({"filters": {"now": filter("a"), "earlier": [earlier]}}))
    };
    let script = script(std::slice::from_ref(&before))
        .holding("config", patterns("old").iter().chain(&patterns("new")).map(row))
        .saying("TransactWriteItems", [Said::done(), Said::done()])
        // A webhook of before has one pattern more, so what tells of the second change has no room beside it.
        .saying("PutItem", [Said::done()]);
    let other = format!(r#"{{"filter":{}}}"#, filter("c"));
    let call = || Call::new("PATCH", &path()).by(&owner());
    assert_eq!(answered(&script, call().saying_text(&other)).await.status, 200);
    let both = json!({"filter": serde_json::from_str::<Value>(&filter("c")).unwrap(), "events": patterns("new")[..48], "url": "https://a.example/"});
    assert_eq!(answered(&script, call().saying(&both)).await.status, 200);
    for (asked, actions) in script.asked("TransactWriteItems").iter().zip([51, 100]) {
        let all = asked["TransactItems"].as_array().unwrap();
        assert_eq!(all.len(), actions);
        assert!(asked.to_string().len() < 4_000_000, "{}", asked.to_string().len());
        for item in all.iter().map(|write| write["Put"]["Item"].to_string()) {
            assert!(item.len() < 10_000, "a row keeps a filter beside the one that stands: {}", item.len());
        }
    }
}

#[tokio::test]
async fn what_is_no_filter_is_refused_alike_wherever_it_is_sent() {
    for example in examples("refused") {
        let filter = example["filter"].to_string();
        for call in [creation(&filter), change(&filter), trial(&filter, &an_event())] {
            let answer = answered(&script(&[endpoint()]), call).await;
            let (code, field) = (&answer.body["error"]["code"], &answer.body["error"]["details"]["field"]);
            assert_eq!((answer.status, code, field), (400, &json!("invalid_request"), &example["field"]), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn every_dialect_whose_webhooks_are_registered_takes_a_filter() {
    for dialect in [&STANDARD, &NUR] {
        let someone = Someone::of_tenant(1, dialect, &Scope::of_a_tenant());
        let script = Script::default()
            .holding("config", someone.rows())
            .holding("config", [keyed(format!("TENANT#{}", someone.tenant_id()), "WEBHOOKS", &counted(0))])
            .saying("GetSecretValue", repeat_with(|| Said::secret(r#"{"current":"k1","k1":"some generated text"}"#)))
            .saying("TransactWriteItems", [Said::done()]);
        let events = json!([if dialect.name == "nur" { "dubbing.completed" } else { "a" }]);
        let body = json!({"url": "https://hooks.example/", "events": events, "filter": {"data": {"a": [1]}}});
        let answer = answered(&script, Call::new("POST", "/v1/webhooks/create").by(&someone).saying(&body)).await;
        assert_eq!((answer.status, &answer.body["filter"]), (201, &body["filter"]), "{answer:?}");
    }
}

#[tokio::test]
async fn a_filter_is_tried_on_an_event_that_never_happened() {
    let script = script(&[]);
    let answer = answered(&script, trial(FILTER, &an_event())).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({"matches": false, "why": "data.amount: 5 is not > 10.0"})));
    let more = made::Made { data: r#"{"amount": 11}"#.to_owned(), ..an_event() };
    assert_eq!(answered(&script, trial(FILTER, &more)).await.body, json!({"matches": true}));
    let too_long = made::Made { data: format!(r#"{{"a":"{}"}}"#, "x".repeat(256 * 1024)), ..an_event() };
    assert_eq!(answered(&script, trial(FILTER, &too_long)).await.status, 413);
    for (body, field) in [
        (json!({"event": "a", "data": {}}), "filter"),
        (json!({"filter": null, "event": "a", "data": {}}), "filter"),
        (json!({"filter": {"event": ["a"]}, "data": {}}), "event"),
        (json!({"filter": {"event": ["a"]}, "event": "a..b", "data": {}}), "event"),
        (json!({"filter": {"event": ["a"]}, "event": "a"}), "data"),
        (json!({"filter": {"event": ["a"]}, "event": "a", "data": []}), "data"),
        (json!({"filter": {"event": ["a"]}, "event": "a", "data": {}, "tags": {"a": 1}}), "tags"),
        (json!({"filter": {"event": ["a"]}, "event": "a", "data": {}, "id": "x"}), "id"),
    ] {
        let call = Call::new("POST", "/v1/webhooks/filter/test").by(&owner()).saying(&body);
        let answer = answered(&script, call).await;
        assert_eq!(
            (answer.status, &answer.body["error"]["details"]["field"]),
            (400, &json!(field)),
            "{body} {answer:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: PAIRS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_that_is_tried_says_what_it_says_of_an_event((filter, event) in pair()) {
        let Ok(read) = Filter::parse(&filter) else { return Ok(()) };
        let seen = Seen::read(&event.event, &event.data, &event.tags).unwrap();
        let expected = match read.judge(&seen) {
            Verdict::Matches => json!({"matches": true}),
            Verdict::Not(why) => json!({"matches": false, "why": why}),
        };
        let asked: Value = json!({
            "filter": serde_json::from_str::<Value>(&filter).unwrap(),
            "event": event.event,
            "data": serde_json::from_str::<Value>(&event.data).unwrap(),
            "tags": event.tags,
        });
        let said = Fields::read(asked.to_string().as_bytes()).and_then(filter_test::said).map_err(|error| error.message().to_owned());
        prop_assert_eq!(said.map(|said| json!(said)), Ok(expected), "{} {:?}", filter, event);
    }
}
