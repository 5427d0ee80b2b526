//! What every retry's schedule must look like, held against the ledger.

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindowMode};
use serde_json::{Value, json};

use super::api::text;
use super::rows::webhook_in;
use super::time::{at_expression, instant};
use super::world::World;

/// Milliseconds by which the ledger's rounding of an attempt's start and duration may differ from its end.
const ROUNDING: i64 = 2;

/// Holds the schedule of attempt `number + 1` against the ledger's record of attempt `number`: its instant is the end
/// of the attempt plus the interval, rounded up to the second, and it leads to the retry queue and then disappears.
pub(crate) async fn assert_schedule(world: &World, delivery: &Value, number: u32, interval_seconds: i64) {
    let id = text(delivery, "id");
    let schedule = world.aws.schedule(id, number + 1).await;
    let attempt = &delivery["attempts"][number as usize - 1];
    assert_eq!(attempt["number"], number);

    let start = instant(text(attempt, "at")).as_millisecond();
    let end = start + attempt["duration_ms"].as_i64().expect("an attempt should have a duration");
    let at = at_expression(schedule.schedule_expression().expect("a schedule has an expression"));
    let late = at.as_millisecond() - (end + interval_seconds * 1000);
    assert!(
        (-ROUNDING..1000 + ROUNDING).contains(&late),
        "{at} is {late} ms off the end + {interval_seconds} s: {delivery}"
    );
    assert_eq!(instant(text(delivery, "next_attempt_at")), at, "the ledger and the schedule should agree");

    assert_shape(world, &schedule).await;
    let message: Value = input(&schedule);
    let mut expected = json!({
        "v": 2,
        "tenant_id": message["tenant_id"],
        "endpoint_id": webhook_in(id),
        "event_id": delivery["event_id"],
        "delivery_id": id,
        "attempt": number + 1,
        "round": 1,
        "scheduled": true,
    });
    if delivery["job_id"].is_string() {
        expected["job_id"] = delivery["job_id"].clone();
    } else {
        assert_eq!(delivery["webhook_id"], expected["endpoint_id"]);
    }
    assert_eq!(message, expected, "the message should name the delivery and its next attempt, and no more");
}

async fn assert_shape(world: &World, schedule: &GetScheduleOutput) {
    let queues = &world.stack.queues;
    assert_eq!(schedule.group_name(), Some(world.stack.schedule_group.as_str()));
    assert_eq!(schedule.action_after_completion(), Some(&ActionAfterCompletion::Delete));
    assert!(schedule.schedule_expression_timezone().is_none_or(|zone| zone == "UTC"), "the instant should be in UTC");
    let window = schedule.flexible_time_window().expect("a schedule has a window");
    assert_eq!(window.mode(), &FlexibleTimeWindowMode::Off);
    let target = schedule.target().expect("a schedule has a target");
    assert_eq!(target.arn(), world.aws.queue_arn(&queues.retry).await);
    let dead = target.dead_letter_config().and_then(|config| config.arn()).expect("a target has a dead-letter queue");
    assert_eq!(dead, world.aws.queue_arn(&queues.dead).await);
}

fn input(schedule: &GetScheduleOutput) -> Value {
    let input = schedule.target().and_then(|target| target.input()).expect("a target has an input");
    serde_json::from_str(input).expect("the input should be JSON")
}
