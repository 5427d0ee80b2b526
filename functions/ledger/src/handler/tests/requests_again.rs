//! A delivery's request, made again: whole without its signature, and in words where it cannot be.

use std::collections::BTreeMap;

use super::*;
use postrider_domain::dialect::{DialectRef, NETRAFLOW, NUR};
use postrider_domain::id::JobId;
use postrider_domain::job::{Job, JobStatus};
use postrider_domain::stored_secret::StoredSecret;

fn get(query: &str) -> Call {
    Call::new("GET", &format!("/v1/deliveries/{}", pending().id)).by(&owner()).query(query)
}

/// A webhook of this dialect with a secret and two headers of its own.
fn signed(dialect: DialectRef) -> Endpoint {
    let secrets: Vec<StoredSecret> = vec![serde_json::from_value(json!({"sealed": "sealed-canary"})).unwrap()];
    let sealed_headers = BTreeMap::from([("x-token".to_owned(), "sealed-canary".to_owned())]);
    let headers = BTreeMap::from([("x-team".to_owned(), "value-canary".to_owned())]);
    Endpoint { dialect, secrets, sealed_headers, headers, ..endpoint() }
}

/// A delivery that was tried at the 7th second of 1970, and then not by our failure.
fn sent() -> Delivery {
    let attempt = |second: u32, outcome: &str| Attempt {
        outcome: outcome.to_owned(),
        ..Attempt::internal(second, Mark::new(second.into()), Timestamp::from_second(second.into()).unwrap(), "why")
    };
    Delivery { attempts: vec![attempt(7, "status_500"), attempt(9, "internal")], ..tried(Status::Retrying, None) }
}

#[tokio::test]
async fn a_request_is_whole_but_for_its_signature_and_what_is_masked() {
    let script = with(&signed(DialectRef(&STANDARD)), &[sent()]);
    let answer = answered(&script, get("include=request")).await;
    let request = &answer.body["request"];
    assert_eq!((answer.status, &request["url"]), (200, &json!("https://hooks.example/")), "{answer:?}");
    let agent = request["headers"]["user-agent"].as_str().unwrap();
    let headers = json!({
        "content-type": "application/json", "x-token": "***", "x-team": "***", "webhook-id": event().id,
        "webhook-timestamp": "7", "accept": "*/*", "user-agent": agent,
    });
    assert_eq!((&request["headers"], &request["left_out"]), (&headers, &json!(["webhook-signature"])));
    let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"type": "invoice.paid", "timestamp": "1970-01-01T00:00:00.000Z", "data": {}}));
    assert!(request["about"].as_str().unwrap().contains("as they are now") && request.get("lacking").is_none());
    assert!(!answer.body.to_string().contains("canary"), "{answer:?}");
    assert!(script.operations().iter().all(|operation| operation == "GetItem"), "no secret is opened for it");
    // What nobody has tried has no time yet.
    let answer = answered(&with(&signed(DialectRef(&STANDARD)), &[pending()]), get("include=request&limit=5")).await;
    assert_eq!(answer.body["request"]["left_out"], json!(["webhook-timestamp", "webhook-signature"]), "{answer:?}");
    assert_eq!(answer.body["pagination"]["has_more"], json!(false));
    let nur = answered(&with(&signed(DialectRef(&NUR)), &[sent()]), get("include=request")).await;
    assert_eq!(nur.body["request"]["left_out"], json!(["x-nur-signature"]));
    let unsigned = Endpoint { secrets: Vec::new(), ..signed(DialectRef(&NUR)) };
    let nur = answered(&with(&unsigned, &[sent()]), get("include=request")).await;
    assert_eq!(nur.body["request"]["left_out"], json!([]), "without a secret there is no signature");
}

#[tokio::test]
async fn only_who_asks_for_a_request_gets_it() {
    let answer = answered(&script(&[sent()]), get("")).await;
    assert_eq!((answer.status, answer.body.get("request")), (200, None));
    for query in
        ["include=", "include=event", "include=request,event", "include=request&include=request", "include=Request"]
    {
        let answer = answered(&script(&[sent()]), get(query)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (400, &json!("include")), "{query}");
    }
}

#[tokio::test]
async fn what_can_no_longer_be_made_again_is_told_in_words() {
    let deleted = Endpoint { deleted_at: Some(Timestamp::UNIX_EPOCH), ..endpoint() };
    let rows = |endpoint: Option<Value>, events: Vec<Value>| {
        let known = Script::default().holding("config", owner().rows()).holding("config", endpoint);
        known.holding("events", events).holding("deliveries", [json!(sent())])
    };
    let mut expunged = json!(event());
    expunged.as_object_mut().unwrap().remove("data");
    expunged["expunged_at"] = json!("1970-01-01T00:00:00.000Z");
    let mut broken = json!(event());
    broken["data"] = json!("no JSON");
    let ours = || Some(row(&endpoint()));
    let unreadable =
        keyed(format!("TENANT#{}", endpoint().tenant_id), format!("WEBHOOK#{}", endpoint().id), &json!({"url": 7}));
    for (script, lacking, url) in [
        (rows(ours(), vec![]), "event_expired", true),
        (rows(ours(), vec![expunged]), "event_expunged", true),
        (rows(ours(), vec![broken]), "unreadable", true),
        (rows(Some(row(&deleted)), vec![json!(event())]), "webhook_deleted", false),
        (rows(Some(unreadable), vec![json!(event())]), "unreadable", false),
        (rows(None, vec![json!(event())]), "unreadable", false),
    ] {
        let answer = answered(&script, get("include=request")).await;
        let request = &answer.body["request"];
        assert_eq!((answer.status, &request["lacking"]), (200, &json!(lacking)), "{answer:?}");
        assert_eq!(
            (&request["headers"], &request["body"], request["url"].is_string()),
            (&Value::Null, &Value::Null, url)
        );
        assert!(request["about"].as_str().is_some_and(|about| about.ends_with('.')), "{answer:?}");
    }
}

#[tokio::test]
async fn a_jobs_request_goes_to_its_own_url() {
    let job = Job {
        id: JobId::short(Timestamp::UNIX_EPOCH, 1),
        tenant_id: owner().tenant_id(),
        dialect: DialectRef(&NETRAFLOW),
        status: JobStatus::Completed,
        webhook_url: Some("https://jobs.example/".to_owned()),
        projects: Vec::new(),
        task: None,
        closing_event_id: None,
        revision: 1,
        created_at: Timestamp::UNIX_EPOCH,
        started_at: None,
        completed_at: None,
        expires_at: 0,
    };
    let row = Delivery { job_id: Some(job.id.clone()), ..sent() };
    let told = Event { data: r#"{"event":"job.completed"}"#.to_owned(), ..event() };
    let known = || {
        let known = Script::default().holding("config", owner().rows()).holding("events", [json!(told)]);
        known.holding("deliveries", [json!(row)])
    };
    let answer = answered(&known().holding("jobs", [json!(job)]), get("include=request")).await;
    let request = &answer.body["request"];
    assert_eq!(
        (&request["url"], &request["body"]),
        (&json!("https://jobs.example/"), &json!(r#"{"event":"job.completed"}"#)),
        "{answer:?}"
    );
    let theirs = Job { tenant_id: another(), ..job };
    for script in [known().holding("jobs", []), known().holding("jobs", [json!(theirs)])] {
        let answer = answered(&script, get("include=request")).await;
        assert_eq!((answer.status, &answer.body["request"]["lacking"]), (200, &json!("job_expired")), "{answer:?}");
    }
}

/// The largest that there can be: what one event holds, of characters that take most, with a page of the longest attempts.
#[tokio::test]
async fn the_longest_request_and_the_most_attempts_fit_an_answer() {
    let data = format!(r#"{{"a":"{}"}}"#, r#"\""#.repeat(131_000));
    assert!(data.len() <= 256 * 1024);
    let headers = BTreeMap::from([("x-quote".to_owned(), "\"".repeat(500))]);
    let attempt = |second: u32| Attempt {
        outcome: "status_500".to_owned(),
        response_excerpt: Some("\"".repeat(256)),
        redirect_to: Some(format!("https://hooks.example/{}", "x".repeat(230))),
        response_headers: headers.clone(),
        ..Attempt::internal(second, Mark::new(second.into()), Timestamp::from_second(second.into()).unwrap(), "why")
    };
    let row = Delivery { attempts: (1..=200).map(attempt).collect(), ..tried(Status::Failed, None) };
    let known = Script::default().holding("config", owner().rows()).holding("config", [self::row(&endpoint())]);
    let known = known.holding("events", [json!(Event { data, ..event() })]).holding("deliveries", [json!(row)]);
    let answer = answered(&known, get("include=request&limit=200")).await;
    assert_eq!((answer.status, numbers(&answer.body).len()), (200, 200));
    assert!(postrider_api::fits_an_answer(&answer.body));
}
