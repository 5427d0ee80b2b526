use serde_json::{Value, json};

use crate::stand_in::{StandIn, session};

fn tasks(tasks: &[Value], next: Option<&str>) -> Value {
    json!({"data": tasks, "pagination": {"has_more": next.is_some(), "next_cursor": next}, "meta": {"request_id": "r"}})
}

fn task(id: &str, status: &str, ended: Option<&str>) -> Value {
    json!({
        "job_id": id, "status": status, "url": "https://videos.example/<b>", "platform": "ex<i>ample", "capabilities": ["transcript"],
        "credits_estimated": 1, "credits_charged": 0, "created_at": "2026-01-15T14:30:00.000Z", "started_at": null, "completed_at": ended,
    })
}

fn generations(jobs: &[Value]) -> Value {
    json!({"jobs": jobs, "hasMore": false, "nextCursor": null})
}

fn generation() -> Value {
    json!({
        "jobId": "019d5337-95c8-7000-8000-000000000001", "status": "partial", "overallProgress": 50, "stage": "done", "totalProjects": 2,
        "completedProjects": 1, "failedProjects": 1, "createdAt": "2026-01-15T14:30:00.000Z", "completedAt": "2026-01-15T14:40:00.000Z",
        "projects": [{"id": "p0", "title": "A <b>", "status": "completed", "progress": 100}, {"id": "p1", "title": "B", "status": "failed", "progress": 0}],
        "completedDetails": [{"projectId": "p0", "title": "A", "finalOutputUrl": "https://cdn.example/0", "status": "completed"}],
    })
}

fn delivery(status: &str) -> Value {
    let delivery = json!({"id": "dlv_1", "event_id": "evt_1", "event": "job.completed", "status": status, "url": "https://hooks.example/<b>"});
    json!({"deliveries": [delivery], "pagination": {"has_more": false, "next_cursor": null}})
}

fn none() -> Value {
    json!({"deliveries": [], "pagination": {"has_more": false, "next_cursor": null}})
}

#[tokio::test]
async fn what_cannot_be_read_of_one_job_takes_nothing_else_away() {
    let ended = Some("2026-01-15T14:40:00.000Z");
    let of_tasks = tasks(&[task("job_2", "failed", ended), task("job_3", "completed", ended)], None);
    let api = StandIn::saying(vec![
        ("GET /v1/jobs?", 200, of_tasks),
        ("GET /v1/jobs/job_2", 200, json!({"data": task("job_2", "failed", ended)})),
        ("GET /api/v1/jobs?", 200, generations(&[])),
        ("GET /v1/deliveries?job_id=job_2", 503, Value::Null),
        ("GET /v1/deliveries?job_id=job_3", 200, delivery("succeeded")),
    ])
    .await;
    let page = api.visitor().opens("jobs").await;
    assert!(page.status == 200 && page.text.contains("It cannot be read just now."), "{}", page.text);
    assert!(page.text.contains("./deliveries/dlv_1"), "{}", page.text);
    let page = api.visitor().opens("jobs/job_2").await;
    assert!(page.status == 200 && page.text.contains("It cannot be read just now."), "{}", page.text);
}

#[tokio::test]
async fn jobs_are_looked_at_again_while_something_may_become_of_them() {
    let ended = Some("2026-01-15T14:40:00.000Z");
    for (told, answer, is_watched) in [
        (task("job_1", "processing", None), none(), true),
        (task("job_1", "completed", ended), delivery("retrying"), true),
        (task("job_1", "completed", ended), delivery("succeeded"), false),
        (task("job_1", "completed", ended), none(), false),
    ] {
        let api = StandIn::saying(vec![
            ("GET /v1/jobs?", 200, tasks(std::slice::from_ref(&told), Some("n"))),
            ("GET /v1/jobs/job_1", 200, json!({"data": told})),
            ("GET /api/v1/jobs?", 200, generations(&[])),
            ("GET /v1/deliveries?job_id=job_1", 200, answer),
        ])
        .await;
        let visitor = api.visitor();
        let page = visitor.opens("jobs/job_1").await.text;
        assert_eq!(page.contains("data-load=\"../jobs/job_1\" data-reload"), is_watched, "{page}");
        assert_eq!(page.contains("data-final"), !is_watched, "{page}");
        let call = replay::Call::new("GET", "/portal/jobs/job_1").header("x-part", "1");
        let part = visitor.sends(call).await.text;
        assert!(part.starts_with("<dl class=\"facts\"") && page.contains(&part), "{part}");
        let page = visitor.opens("jobs").await.text;
        assert!(page.contains("data-load=\"./jobs\" data-reload=\"10\""), "{page}");
        let part = visitor.sends(replay::Call::new("GET", "/portal/jobs").header("x-part", "1")).await.text;
        assert!(part.contains("job_1") && !part.contains("<html") && page.contains(&part), "{part}");
        assert!(!visitor.opens("jobs?kind=tasks&cursor=n").await.text.contains("data-reload"), "it stays as it is");
    }
}

#[tokio::test]
async fn jobs_of_both_kinds_stand_with_whether_their_ends_were_told() {
    let ended = Some("2026-01-15T14:40:00.000Z");
    let of_tasks = tasks(
        &[task("job_1", "processing", None), task("job_2", "failed", ended), task("job_3", "completed", ended)],
        Some("n"),
    );
    let api = StandIn::saying(vec![
        ("GET /v1/jobs?", 200, of_tasks),
        ("GET /api/v1/jobs?", 200, generations(&[generation()])),
        ("GET /v1/deliveries?job_id=job_2", 200, delivery("failed")),
        ("GET /v1/deliveries?job_id=job_3", 200, none()),
        ("GET /v1/deliveries?job_id=019d", 200, delivery("succeeded")),
    ])
    .await;
    let page = api.visitor().opens("jobs").await;
    assert_eq!(page.status, 200);
    let row = |with: &str| {
        page.text.split("<tr>").find(|row| row.contains(with)).unwrap_or_else(|| panic!("{with}: {}", page.text))
    };
    assert!(row("job_1").contains("running") && row("job_1").contains("once it has ended"), "{}", row("job_1"));
    assert!(
        row("job_2").contains("href=\"./deliveries/dlv_1\"") && row("job_2").contains("failed"),
        "{}",
        row("job_2")
    );
    assert!(row("job_3").contains("nobody"), "{}", row("job_3"));
    assert!(
        row("019d").contains("completed in part")
            && row("019d").contains("1 of 2 done")
            && row("019d").contains("delivered"),
        "{}",
        row("019d")
    );
    assert!(
        page.text.contains("href=\"./jobs?kind=tasks&amp;cursor=n\"")
            && page.text.contains("href=\"./jobs/generations/recover\""),
        "{}",
        page.text
    );
    assert!(api.asked().iter().all(|asked| !asked.line.contains("job_id=job_1")), "what goes on has told nobody");
}

#[tokio::test]
async fn where_there_is_none_or_none_to_see_the_page_says_so_plainly() {
    let answers = |sees: Value| {
        vec![
            ("GET /v1/portal/session", 200, sees),
            ("GET /v1/jobs?", 200, tasks(&[], None)),
            ("GET /api/v1/jobs?", 200, generations(&[])),
        ]
    };
    assert!(
        StandIn::saying(answers(session(&["view"])))
            .await
            .visitor()
            .opens("jobs")
            .await
            .text
            .contains("There is no job")
    );
    let mut limited = session(&["view"]);
    limited["webhook_ids"] = json!(["wh_1"]);
    let api = StandIn::saying(answers(limited)).await;
    assert!(api.visitor().opens("jobs").await.text.contains("There is no job") && api.asked().is_empty());
}

#[tokio::test]
async fn one_job_shows_what_it_does_and_who_was_told() {
    let ended = Some("2026-01-15T14:40:00.000Z");
    let api = StandIn::saying(vec![
        ("GET /v1/jobs/job_1", 200, json!({"data": task("job_1", "completed", ended), "meta": {}})),
        ("GET /api/v1/jobs/019d", 200, generation()),
        ("GET /v1/deliveries?job_id=", 200, delivery("failed")),
    ])
    .await;
    let visitor = api.visitor();
    let page = visitor.opens("jobs/job_1").await.text;
    for expected in [
        "https://videos.example/&lt;b&gt;",
        "ex&lt;i&gt;ample",
        "0 charged, 1 expected",
        "https://hooks.example/&lt;b&gt;",
        "href=\"../deliveries/dlv_1\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert!(!page.contains("<b>") && !page.contains("<i>"), "{page}");
    let page = visitor.opens("jobs/019d5337-95c8-7000-8000-000000000001").await.text;
    for expected in ["50 %", "A &lt;b&gt;", "href=\"https://cdn.example/0\"", "100 %"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    assert_eq!(visitor.opens("jobs/job_9").await.status, 404);
}

#[tokio::test]
async fn ends_are_counted_before_they_are_told_again() {
    let count = vec![("POST /v1/jobs/recover", 200, json!({"data": {"found": 7, "complete": true}, "meta": {}}))];
    let api = StandIn::saying(count).await;
    let typed = [("since", "2026-01-15T14:30"), ("until", "")];
    let page = api.visitor().posts("jobs/tasks/recover", &typed).await;
    assert!(
        page.status == 200 && page.text.contains("ends of 7 jobs") && page.text.contains("Resend all 7"),
        "{}",
        page.text
    );
    assert!(page.text.contains("value=\"2026-01-15T14:30\""), "{}", page.text);
    assert_eq!(api.asked()[0].body, json!({"since": "2026-01-15T14:30:00Z", "count_only": true}));
    let api = StandIn::saying(vec![("POST /api/v1/jobs/recover", 202, json!({"recovery_id": "rec_1"}))]).await;
    let begun =
        api.visitor().posts("jobs/generations/recover", &[("since", "2026-01-15T14:30"), ("begin", "true")]).await;
    assert_eq!((begun.status, &begun.headers["location"]), (303, &"../../jobs/generations/recover/rec_1".into()));
    assert_eq!(api.asked()[0].body, json!({"since": "2026-01-15T14:30:00Z"}));
}

#[tokio::test]
async fn a_span_that_makes_no_sense_is_told_at_its_field() {
    // The two kinds have errors of their own shape, neither of which names the field but in words.
    let told = "`since`: expected a time before `until`";
    let api = StandIn::saying(vec![
        ("POST /v1/jobs/recover", 422, json!({"error": {"code": "unprocessable", "message": told}, "meta": {}})),
        ("POST /api/v1/jobs/recover", 422, json!({"error": told, "reason": "unprocessable"})),
    ])
    .await;
    let visitor = api.visitor();
    for typed in [[("since", ""), ("until", "")], [("since", "yesterday"), ("until", "")]] {
        let page = visitor.posts("jobs/tasks/recover", &typed).await;
        assert!(page.status == 422 && page.text.contains("id=\"since-wrong\""), "{}", page.text);
    }
    assert_eq!(api.asked().len(), 0);
    for kind in ["tasks", "generations"] {
        let typed = [("since", "2026-01-15T14:30"), ("until", "2026-01-14T14:30")];
        let page = visitor.posts(&format!("jobs/{kind}/recover"), &typed).await;
        assert!(
            page.status == 422
                && page.text.contains("<code>since</code>: expected a time before <code>until</code>")
                && page.text.contains("value=\"2026-01-14T14:30\""),
            "{}",
            page.text
        );
    }
    assert_eq!(visitor.opens("jobs/cakes/recover").await.status, 404);
}

#[tokio::test]
async fn how_far_it_has_come_is_shown_until_it_is_done() {
    let recovery = |status: &str| json!({"recovery_id": "rec_1", "status": status, "since": "2026-01-15T14:30:00.000Z", "until": "2026-01-15T15:30:00.000Z", "found": 7, "requeued": 5});
    let running = StandIn::saying(vec![("GET /api/v1/jobs/recover/rec_1", 200, recovery("running"))]).await;
    let page = running.visitor().opens("jobs/generations/recover/rec_1").await.text;
    assert!(page.contains("data-reload=\"2\"") && page.contains("<dd>5</dd>"), "{page}");
    let done =
        StandIn::saying(vec![("GET /v1/jobs/recover/rec_1", 200, json!({"data": recovery("done"), "meta": {}}))]).await;
    let page = done.visitor().opens("jobs/tasks/recover/rec_1").await.text;
    assert!(page.contains("It is done.") && !page.contains("data-reload"), "{page}");
}
