//! How a failed attempt comes back: at its interval, through a one-time schedule, or through the queue itself when the
//! wait is shorter than a schedule's precision.

use std::time::Duration;

use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use aws_types::SdkConfig;
use jiff::Timestamp;
use postrider_domain::message::Message;
use postrider_host::env::{self, BadSetting};

use crate::error::{Failure, failed, unwritable};
use crate::lanes::Lanes;

/// EventBridge Scheduler fires within a minute of the instant that it was given; shorter waits are the queue's.
const SCHEDULER_PRECISION: i64 = 60;
/// How long Scheduler itself tries to reach the retry queue before it gives up to the dead-letter queue.
const TARGET_PATIENCE_SECONDS: i32 = 24 * 3600;
const TARGET_RETRIES: i32 = 185;

/// Brings attempts back.
#[derive(Clone)]
pub struct Retries {
    client: Client,
    lanes: Lanes,
    schedules: Schedules,
}

/// Where schedules are made, and where they lead.
#[derive(Debug, Clone)]
pub struct Schedules {
    /// Their group's name.
    pub group: String,
    /// The ARN of the role by which they send.
    pub role: String,
    /// The retry queue's ARN.
    pub queue_arn: String,
    /// The ARN of the queue of those that cannot be sent.
    pub dead_arn: String,
}

impl Retries {
    /// From `SCHEDULE_GROUP`, `SCHEDULER_ROLE_ARN`, `RETRY_QUEUE_URL`, `SLOW_QUEUE_URL` and `DEAD_QUEUE_ARN`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        let (lanes, dead_arn) = (Lanes::from_env(sdk)?, env::var("DEAD_QUEUE_ARN")?);
        let schedules = Schedules {
            group: env::var("SCHEDULE_GROUP")?,
            role: env::var("SCHEDULER_ROLE_ARN")?,
            queue_arn: lanes.queue(false).arn_beside(&dead_arn),
            dead_arn,
        };
        Ok(Self::of(sdk, lanes, schedules))
    }

    /// Over these queues and these schedules.
    pub fn of(sdk: &SdkConfig, lanes: Lanes, schedules: Schedules) -> Self {
        Self { client: Client::new(sdk), lanes, schedules }
    }

    /// Lets `message` arrive at `at`, a short wait of a slow endpoint's in the queue of those. Doing it twice is harmless: a
    /// schedule's name is the attempt's, and a second message is stale.
    ///
    /// # Errors
    /// When neither took it; the row says when it is due, so the sweep will bring it.
    pub async fn bring_back(
        &self,
        message: &Message,
        is_slow: bool,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let wait = at.as_second() - now.as_second();
        if wait < SCHEDULER_PRECISION {
            return self.lanes.queue(is_slow).send(message, Duration::from_secs(wait.max(0).unsigned_abs())).await;
        }
        let created = self
            .client
            .create_schedule()
            .name(message.delivery_id.schedule_name(message.attempt))
            .group_name(&self.schedules.group)
            .schedule_expression(format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(window()?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(self.target(message)?)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            // Its name is this attempt's alone: it was made before.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            Err(error) => Err(failed("CreateSchedule")(error)),
        }
    }

    fn target(&self, message: &Message) -> Result<Target, Failure> {
        let input = serde_json::to_string(&message.scheduled()).map_err(unwritable("a schedule"))?;
        let patience = RetryPolicy::builder()
            .maximum_event_age_in_seconds(TARGET_PATIENCE_SECONDS)
            .maximum_retry_attempts(TARGET_RETRIES)
            .build();
        Target::builder()
            .arn(&self.schedules.queue_arn)
            .role_arn(&self.schedules.role)
            .input(input)
            .retry_policy(patience)
            .dead_letter_config(DeadLetterConfig::builder().arn(&self.schedules.dead_arn).build())
            .build()
            .map_err(unwritable("a schedule"))
    }
}

fn window() -> Result<FlexibleTimeWindow, Failure> {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().map_err(unwritable("a schedule"))
}
