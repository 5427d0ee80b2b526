//! Many writers on one job: whatever the order, and however often, it ends once and is told of once.

use std::time::Duration;

use futures::future::join_all;
use rand::seq::SliceRandom as _;
use serde_json::{Value, json};

use crate::support::customer::project_report;
use crate::support::{Receiver, SOON, World};

/// As long as a second POST could take that some second event had caused.
const A_WHILE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn nine_projects_reported_out_of_order_and_twice_make_one_post() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(3, 3, &receiver.url("/")).await;
    assert_eq!(job.projects.len(), 9);
    let ending = |number: usize| if number % 3 == 2 { "failed" } else { "completed" };
    let mut reports: Vec<Value> = Vec::new();
    for (number, project) in job.projects.iter().enumerate() {
        reports.push(json!({"projects": [project_report(project, "running")]}));
        reports.push(json!({"projects": [project_report(project, ending(number))]}));
    }
    // Each of four writers reports everything, in an order of its own; so every end is reported four times.
    let writers = (0..4).map(|_| {
        let mut own = reports.clone();
        own.shuffle(&mut rand::rng());
        let customer = &customer;
        let id = &job.id;
        async move {
            let mut statuses = Vec::new();
            for report in own {
                statuses.push((customer.report(id, &report).await.status, report));
            }
            statuses
        }
    });
    for (status, report) in join_all(writers).await.into_iter().flatten() {
        let is_end = report["projects"][0]["status"] != "running";
        // Only a late `running` can find the job ended, which it would contradict.
        assert!(status == 200 || (status == 409 && !is_end), "{report} was answered with {status}");
    }

    let body = receiver.only(SOON).await.json();
    assert_eq!(body["status"], "partial");
    let counts = ["totalProjects", "completedProjects", "failedProjects"].map(|key| body[key].as_u64());
    assert_eq!(counts, [Some(9), Some(6), Some(3)]);
    let told: Vec<_> = body["projects"].as_array().expect("projects").iter().map(|p| p["status"].clone()).collect();
    assert_eq!(told, (0..9).map(|number| json!(ending(number))).collect::<Vec<_>>(), "in the order of creation");
    customer.settled(&job.id, "succeeded", 1).await;
    assert_eq!(world.aws.rows.events_of(&customer.tenant.id).await, 1);
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_report_sent_ten_times_at_once_makes_one_post() {
    let world = World::open();
    let customer = world.nouvel().await;
    let receiver = Receiver::start(world.stack).await;
    let job = customer.generate(1, 1, &receiver.url("/")).await;
    let report = json!({"projects": [project_report(&job.projects[0], "completed")]});
    for answer in join_all((0..10).map(|_| customer.report(&job.id, &report))).await {
        assert_eq!(answer.ok(200)["status"], "completed");
    }
    receiver.only(SOON).await;
    assert_eq!(world.aws.rows.events_of(&customer.tenant.id).await, 1);
    customer.settled(&job.id, "succeeded", 1).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(receiver.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_ends_that_race_one_wins_and_only_it_is_told() {
    let world = World::open();
    let customer = world.netraflow("pro").await;
    for _ in 0..4 {
        let receiver = Receiver::start(world.stack).await;
        let id = customer.start(&receiver.url("/")).await;
        let ends = [json!({"status": "completed", "credits_charged": 5}), json!({"status": "failed"})];
        let answers = join_all(ends.iter().map(|end| customer.report_task(&id, end))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| answer.status == 200 || answer.status == 409), "{answers:?}");
        let body = receiver.only(SOON).await.json();
        assert_eq!(body["status"], won[0].data(200)["status"]);
        assert_eq!(customer.task(&id).await["status"], body["status"]);
        customer.settled(&id, "succeeded", 1).await;
        assert_eq!(receiver.requests().len(), 1);
    }
}
