//! The stack from below: its schedules and queues, by which a test runs time forward, its rows and its functions.

use aws_sdk_scheduler::operation::get_schedule::GetScheduleOutput;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};

use super::functions::Functions;
use super::poll::{SOON, until};
use super::rows::Rows;
use super::stack::Stack;

/// Clients of what the stack is made of.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(super) stack: &'static Stack,
    scheduler: aws_sdk_scheduler::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(crate) rows: Rows,
    pub(crate) functions: Functions,
}

impl Aws {
    pub(crate) fn of(stack: &'static Stack) -> Self {
        let http = aws_smithy_http_client::Builder::new().build_http();
        let credentials = Credentials::new("test", "test", None, None, "postrider-tests");
        let region = Region::new(stack.region.clone());
        let scheduler = aws_sdk_scheduler::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&stack.endpoint_url)
            .credentials_provider(credentials.clone())
            .region(region.clone())
            .http_client(http.clone())
            .build();
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&stack.endpoint_url)
            .credentials_provider(credentials.clone())
            .region(region.clone())
            .http_client(http.clone())
            .build();
        let dynamodb = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&stack.endpoint_url)
            .credentials_provider(credentials)
            .region(region)
            .http_client(http)
            .build();
        Self {
            stack,
            scheduler: aws_sdk_scheduler::Client::from_conf(scheduler),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            rows: Rows::new(stack, aws_sdk_dynamodb::Client::from_conf(dynamodb)),
            functions: Functions::of(stack),
        }
    }

    /// The one-time schedule of a delivery's attempt, if there is one.
    pub(crate) async fn find_schedule(&self, delivery_id: &str, attempt: u32) -> Option<GetScheduleOutput> {
        let name = format!("{delivery_id}-{attempt}");
        let answer = self.scheduler.get_schedule().group_name(&self.stack.schedule_group).name(&name).send().await;
        match answer.map_err(aws_sdk_scheduler::Error::from) {
            Ok(schedule) => Some(schedule),
            Err(aws_sdk_scheduler::Error::ResourceNotFoundException(_)) => None,
            Err(error) => panic!("GetSchedule {name}: {error:?}"),
        }
    }

    /// The schedule that must come: it is made after the attempt's outcome is in the ledger.
    pub(crate) async fn schedule(&self, delivery_id: &str, attempt: u32) -> GetScheduleOutput {
        until(&format!("the schedule {delivery_id}-{attempt}"), SOON, || async {
            self.find_schedule(delivery_id, attempt).await.ok_or_else(|| "none".to_owned())
        })
        .await
    }

    /// Takes an attempt's schedule away, as if it had been lost.
    pub(crate) async fn delete_schedule(&self, delivery_id: &str, attempt: u32) {
        self.schedule(delivery_id, attempt).await;
        let name = format!("{delivery_id}-{attempt}");
        let deleted = self.scheduler.delete_schedule().group_name(&self.stack.schedule_group).name(&name).send().await;
        deleted.expect("a schedule that was seen can be deleted");
    }

    /// What the attempt's schedule will send to the retry queue when its time comes.
    pub(crate) async fn message(&self, delivery_id: &str, attempt: u32) -> String {
        let schedule = self.schedule(delivery_id, attempt).await;
        let target = schedule.target().expect("a schedule has a target");
        target.input().expect("the target should have an input").to_owned()
    }

    /// Makes an attempt due now, by sending what its schedule would send.
    pub(crate) async fn attempt_now(&self, delivery_id: &str, attempt: u32) {
        let message = self.message(delivery_id, attempt).await;
        self.send_retry(&message).await;
    }

    pub(crate) async fn send_retry(&self, message: &str) {
        self.send(&self.stack.queues.retry, message).await;
    }

    /// Sends up to ten messages to the retry queue at once, so that they reach a function as one batch: without a schedule's mark,
    /// for which each would be sent on first.
    pub(crate) async fn send_retry_batch(&self, messages: &[String]) {
        let entries = messages.iter().enumerate().map(|(index, message)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(sent_on(message));
            entry.build().expect("an entry with an id and a body is complete")
        });
        let request = self.sqs.send_message_batch().queue_url(&self.stack.queues.retry);
        let sent = request.set_entries(Some(entries.collect())).send().await.expect("the queue should take a batch");
        assert_eq!(sent.failed(), [], "some messages were not taken");
    }

    /// A queue's ARN.
    pub(crate) async fn queue_arn(&self, url: &str) -> String {
        let request = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::QueueArn);
        let answer = request.send().await.expect("the queue should tell its attributes");
        let attributes = answer.attributes().expect("the queue should have attributes");
        attributes[&QueueAttributeName::QueueArn].clone()
    }
}

/// What is sent on of a message that a schedule sent; any other as it is.
fn sent_on(message: &str) -> String {
    message.replace(r#","scheduled":true"#, "")
}
