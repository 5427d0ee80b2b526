//! Recoveries that are asked for less, for more, for a count, or for jobs.

use postrider_domain::dialect::{NETRAFLOW, NOUVEL};
use postrider_domain::id::JobId;

use super::*;

const EVER: &str = "1970-01-01T00:00:00Z";

fn done() -> [Said; 2] {
    [Said::done(), Said::done()]
}

#[tokio::test]
async fn what_makes_no_sense_is_told_by_its_field_and_writes_nothing() {
    for (body, status, field) in [
        (json!({"since": EVER, "events": []}), 400, "events"),
        (json!({"since": EVER, "events": "invoice.paid"}), 400, "events"),
        (json!({"since": EVER, "events": ["invoice.paid", "no type"]}), 400, "events[1]"),
        (json!({"since": EVER, "events": vec!["a"; 49]}), 400, "events"),
        (json!({"since": EVER, "statuses": []}), 400, "statuses"),
        (json!({"since": EVER, "statuses": "failed"}), 400, "statuses"),
        (json!({"since": EVER, "statuses": ["failed", "succeeded"]}), 400, "statuses[1]"),
        (json!({"since": EVER, "statuses": null}), 400, "statuses"),
        (json!({"since": EVER, "count_only": "yes"}), 400, "count_only"),
        (json!({"since": EVER, "never_matched": 1}), 400, "never_matched"),
        (json!({"since": EVER, "never_matched": true, "statuses": ["failed"]}), 422, "statuses"),
    ] {
        let answer = answered(&script(&[]), recover(&body)).await;
        assert_eq!((answer.status, &answer.body["error"]["details"]["field"]), (status, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn a_count_reads_the_span_and_writes_nothing() {
    let later = clock::now() + SignedDuration::from_hours(1);
    let failed = |event: &str| Delivery { event_type: event.parse().unwrap(), ..tried(Status::Failed, None) };
    let (paid, ordered) = (failed("invoice.paid"), failed("order.paid"));
    let others = [tried(Status::Retrying, Some(later)), tried(Status::Retrying, Some(later))];
    for (asked, found) in [
        (json!({}), 2),
        (json!({"events": ["invoice.*"]}), 1),
        (json!({"events": ["invoice.*", "order.paid", "order.*"]}), 2),
        (json!({"statuses": ["retrying"]}), 2),
        (json!({"statuses": ["retrying", "failed"], "until": "2020-01-01T00:00:00Z"}), 4),
    ] {
        let first = [paid.clone(), ordered.clone()];
        let script = script(&[]).saying("Query", [page(&first), Said::rows(&others)]);
        let mut body = asked.clone();
        body["since"] = json!(EVER);
        body["count_only"] = json!(true);
        let answer = answered(&script, recover(&body)).await;
        assert_eq!((answer.status, &answer.body), (200, &json!({"found": found, "complete": true})), "{asked}");
        let query = script.asked("Query").remove(0);
        assert_eq!((&query["ConsistentRead"], &query["Limit"]), (&json!(true), &json!(1000)));
    }
}

#[tokio::test]
async fn a_count_of_more_than_a_call_reads_says_so() {
    let row = tried(Status::Failed, None);
    let script = script(&[]).saying("Query", repeat_with(move || page(std::slice::from_ref(&row))));
    let answer = answered(&script, recover(&json!({"since": EVER, "count_only": true}))).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({"found": 10, "complete": false})));
    assert_eq!(script.asked("Query").len(), 10);
}

#[tokio::test]
async fn what_a_disabled_webhook_missed_is_counted_and_not_sent() {
    let disabled = Endpoint { status: EndpointStatus::Disabled, ..endpoint() };
    let missed = Delivery { reason: Some(Reason::WebhookDisabled), ..tried(Status::Cancelled, None) };
    let script = with(&disabled, &[]).saying("Query", [Said::rows(&[missed])]);
    let counted = answered(&script, recover(&json!({"since": EVER, "count_only": true}))).await;
    assert_eq!((counted.status, &counted.body["found"]), (200, &json!(1)));
    assert_eq!(answered(&with(&disabled, &[]), recover(&json!({"since": EVER}))).await.status, 409);
}

#[tokio::test]
async fn who_asks_for_less_has_a_row_that_an_earlier_version_does_not_take_up() {
    for (asked, name) in [
        (json!({}), "RECOVERY#"),
        (json!({"events": ["*"]}), "RECOVERY_OF_SOME#"),
        (json!({"statuses": ["failed"]}), "RECOVERY_OF_SOME#"),
        (json!({"count_only": false, "never_matched": false}), "RECOVERY#"),
    ] {
        let script = script(&[]).saying("TransactWriteItems", done()).saying("Query", [Said::rows::<Value>(&[])]);
        let mut body = asked.clone();
        body["since"] = json!(EVER);
        let answer = answered(&script, recover(&body)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let sort = format!("{name}{}", answer.body["recovery_id"].as_str().unwrap());
        for (number, write) in script.asked("TransactWriteItems").iter().enumerate() {
            let writes = &write["TransactItems"];
            assert_eq!(writes[0]["Put"]["Item"]["sk"], sort);
            let listed = if number == 0 { &writes[1]["Put"]["Item"]["sk"] } else { &writes[1]["Delete"]["Key"]["sk"] };
            assert_eq!(*listed, sort);
        }
    }
}

#[tokio::test]
async fn what_waits_is_hastened_where_it_is_asked_for() {
    let later = clock::now() + SignedDuration::from_hours(1);
    let waiting = tried(Status::Retrying, Some(later));
    let script = script(&[])
        .saying("TransactWriteItems", done())
        .saying("Query", [Said::rows(std::slice::from_ref(&waiting))])
        .saying("UpdateItem", [Said::done()])
        .saying("SendMessageBatch", [Said::done()]);
    let answer = answered(&script, recover(&json!({"since": EVER, "statuses": ["retrying", "retrying"]}))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let query = script.asked("Query").remove(0);
    let wanted = r#"(status IN ("retrying") AND attribute_not_exists(expunged))"#;
    let mine = format!("{wanted} OR recovered_by = {}", answer.body["recovery_id"]);
    assert_eq!(expression(&query, "FilterExpression"), mine);
    let update = updates(&script).remove(0);
    assert_eq!(
        expression(&update, "ConditionExpression"),
        format!(r#"{AS_READ}status = "retrying" AND attribute_not_exists(expunged)"#)
    );
    assert!(expression(&update, "UpdateExpression").contains("round = 3, round_from = 2"));
    let item = &script.asked("TransactWriteItems")[1]["TransactItems"][0]["Put"]["Item"];
    assert_eq!(
        (&item["found"], &item["requeued"], &item["chosen"]),
        (&json!(1), &json!(1), &json!({"statuses": ["retrying"]}))
    );
}

#[tokio::test]
async fn of_what_is_parked_one_is_a_probe_and_the_others_stay() {
    use postrider_domain::endpoint::parking::{Cause, Parking, State};
    let now = clock::now();
    let parking = Parking {
        since: now,
        step: 1,
        state: State::Down,
        cause: Cause::EndpointOutage,
        next_at: now,
        probes: 0,
        after: None,
        page: 0,
        drained: 0,
        sent_at: None,
        answered: false,
        told: true,
    };
    let down = Endpoint { parking: Some(parking), ..endpoint() };
    let parked = Delivery { waits_until: Some(now + SignedDuration::from_hours(1)), ..tried(Status::Retrying, None) };
    let script = with(&down, &[])
        .saying("TransactWriteItems", done())
        .saying("Query", [Said::rows(&[parked.clone(), parked.clone(), parked])])
        .saying("UpdateItem", [Said::done()])
        .saying("SendMessageBatch", [Said::done()]);
    assert_eq!(answered(&script, recover(&json!({"since": EVER, "statuses": ["retrying"]}))).await.status, 202);
    let entries = script.asked("SendMessageBatch")[0]["Entries"].as_array().unwrap().clone();
    let message: Value = serde_json::from_str(entries[0]["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!((entries.len(), &message["probe"]), (1, &json!(true)));
    let item = &script.asked("TransactWriteItems")[1]["TransactItems"][0]["Put"]["Item"];
    assert_eq!((&item["found"], &item["requeued"], &item["probed"]), (&json!(3), &json!(1), &json!(true)));
}

#[tokio::test]
async fn a_recovery_of_a_suspended_tenant_ends() {
    // The key is remembered as it was; the recovery looks anew.
    let active = owner().rows().into_iter().find(|row| row["sk"] == "TENANT").unwrap();
    let mut tenant = active.clone();
    tenant["status"] = json!("suspended");
    let script = Script::default()
        .saying_about("GetItem", r#""sk":"TENANT""#, [Said::row(&active), Said::row(&tenant)])
        .holding("config", owner().rows())
        .holding("config", [row(&endpoint())])
        .saying("TransactWriteItems", done());
    let answer = answered(&script, recover(&json!({"since": EVER}))).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let item = &script.asked("TransactWriteItems")[1]["TransactItems"][0]["Put"]["Item"];
    assert_eq!((&item["status"], &item["found"]), (&json!("done"), &json!(0)));
}

fn netraflow() -> Someone {
    Someone::of_tenant(1, &NETRAFLOW, &Scope::of_a_tenant())
}

fn nouvel() -> Someone {
    Someone::of_tenant(1, &NOUVEL, &Scope::of_a_tenant())
}

/// What a job's URL was not told.
fn of_job(job: JobId) -> Delivery {
    let failed = tried(Status::Failed, None);
    let endpoint_id = EndpointId::of_jobs(&failed.tenant_id);
    let id = DeliveryId::new(failed.created_at, &endpoint_id, &failed.event_id);
    Delivery { id, endpoint_id, job_id: Some(job), event_type: "job.completed".parse().unwrap(), ..failed }
}

#[tokio::test]
async fn each_kind_of_jobs_is_recovered_on_its_own_paths() {
    let rows = [of_job(JobId::short(Timestamp::UNIX_EPOCH, 1)), of_job(JobId::uuid(Timestamp::UNIX_EPOCH, 1))];
    for (by, path, kind) in [(netraflow(), "/v1/jobs/recover", "task"), (nouvel(), "/api/v1/jobs/recover", "projects")]
    {
        let script = Script::default()
            .holding("config", by.rows())
            .saying("TransactWriteItems", done())
            .saying("Query", [Said::rows(&rows)])
            .saying("UpdateItem", [Said::done()])
            .saying("SendMessageBatch", [Said::done()]);
        let answer = answered(&script, Call::new("POST", path).by(&by).saying(&json!({"since": EVER}))).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let item = script.asked("TransactWriteItems")[1]["TransactItems"][0]["Put"]["Item"].clone();
        assert_eq!(
            (&item["found"], &item["status"], &item["chosen"]),
            (&json!(1), &json!("done"), &json!({"jobs": kind}))
        );
        let (body, id) = (&answer.body, item["id"].clone());
        let told = if kind == "task" { &body["data"]["recovery_id"] } else { &body["recovery_id"] };
        assert_eq!((told, body["meta"].is_object()), (&id, kind == "task"));
        let shown = Script::default().holding("config", by.rows()).holding("config", [item]);
        let path_of = |path: &str| format!("{path}/{}", id.as_str().unwrap());
        let progress = answered(&shown, Call::new("GET", &path_of(path)).by(&by)).await;
        let of = if kind == "task" { &progress.body["data"] } else { &progress.body };
        assert_eq!((progress.status, &of["found"], &of["requeued"]), (200, &json!(1), &json!(1)), "{progress:?}");
        let elsewhere = path_of(&format!("/v1/webhooks/{}/recover", EndpointId::of_jobs(&by.tenant_id())));
        assert_eq!(answered(&shown, Call::new("GET", &elsewhere).by(&by)).await.status, 404);
    }
}

#[tokio::test]
async fn jobs_are_counted_in_their_own_words() {
    let rows = [of_job(JobId::short(Timestamp::UNIX_EPOCH, 1)), of_job(JobId::uuid(Timestamp::UNIX_EPOCH, 1))];
    let counting = json!({"since": EVER, "count_only": true});
    for (by, path) in [(netraflow(), "/v1/jobs/recover"), (nouvel(), "/api/v1/jobs/recover")] {
        let script = Script::default().holding("config", by.rows()).saying("Query", [Said::rows(&rows)]);
        let answer = answered(&script, Call::new("POST", path).by(&by).saying(&counting)).await;
        let counted = if path.starts_with("/v1") { &answer.body["data"] } else { &answer.body };
        assert_eq!((answer.status, counted), (200, &json!({"found": 1, "complete": true})), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_refused_of_jobs_is_told_in_the_paths_own_shape() {
    let asked = |path: &str, by: &Someone, body: Value| Call::new("POST", path).by(by).saying(&body);
    let answer_to =
        async |by: &Someone, call: Call| answered(&Script::default().holding("config", by.rows()), call).await;
    let (tasks, generations) = ("/v1/jobs/recover", "/api/v1/jobs/recover");
    let never = json!({"since": EVER, "never_matched": true});
    let answer = answer_to(&netraflow(), asked(tasks, &netraflow(), never.clone())).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (422, &json!("unprocessable")));
    let message = answer.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("`never_matched`") && answer.body["meta"]["request_id"].is_string(), "{answer:?}");
    let answer = answer_to(&nouvel(), asked(generations, &nouvel(), never)).await;
    assert_eq!((answer.status, &answer.body["reason"]), (422, &json!("unprocessable")));
    assert!(answer.body["error"].as_str().unwrap().starts_with("`never_matched`"), "{answer:?}");
    for (by, path) in [(owner(), tasks), (nouvel(), tasks), (owner(), generations), (netraflow(), generations)] {
        let answer = answer_to(&by, asked(path, &by, json!({"since": EVER}))).await;
        assert_eq!(answer.status, 403, "{path} {answer:?}");
    }
    let answer =
        answer_to(&netraflow(), asked(tasks, &netraflow(), json!({"since": EVER, "events": ["job.*", "x"]}))).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (400, &json!("invalid_request")), "{answer:?}");
}
