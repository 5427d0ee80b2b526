//! How long a message waited for a function to be free.

use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use jiff::Timestamp;
use postrider_domain::message::Message;
use postrider_domain::snapshot::Snapshot;

/// How long a message waited for others: from when it could be received to when it first was, both by SQS's clock, so that neither
/// this machine's clock nor its start counts. One that leads to no POST waited for nothing, and one that was received before says
/// how long somebody failed, not how long it waited.
pub(crate) fn waited(record: &SqsMessage, message: &Message, snapshot: &Snapshot, now: Timestamp) -> Duration {
    if snapshot.is_to_be_sent(message, now) { lag(record, message) } else { Duration::ZERO }
}

/// The same of any message: how far its queue is behind.
pub(crate) fn lag(record: &SqsMessage, message: &Message) -> Duration {
    let attribute = |name: &str| record.attributes.get(name)?.parse::<i64>().ok();
    let times = ("ApproximateReceiveCount", "SentTimestamp", "ApproximateFirstReceiveTimestamp");
    let (Some(1), Some(sent), Some(received)) = (attribute(times.0), attribute(times.1), attribute(times.2)) else {
        return Duration::ZERO;
    };
    let visible = sent.saturating_add(i64::from(message.delay_seconds) * 1_000);
    Duration::from_millis(u64::try_from(received.saturating_sub(visible)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use postrider_aws::batch_reader::BatchReader;
    use postrider_aws::sdk;
    use postrider_domain::delivery::{Delivery, Status};
    use postrider_domain::dialect::STANDARD;
    use postrider_domain::endpoint::EndpointStatus;
    use postrider_host::clock;
    use replay::{Caller, Script, keyed, sample};
    use serde_json::json;

    use super::*;

    /// A delivery of a webhook's that stands like this, and what was read of it.
    async fn read(status: Status, webhook: EndpointStatus) -> (Message, Snapshot) {
        let owner = Caller::of_tenant(1, &STANDARD, &[]);
        let (event, mut endpoint) = (sample::event(owner.tenant_id()), sample::endpoint(owner.tenant_id()));
        endpoint.status = webhook;
        let row = Delivery::pending(&event, endpoint.id.clone(), Timestamp::UNIX_EPOCH, 0);
        let row = Delivery { status, ..row };
        let webhook = keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), &endpoint);
        let script = Script::default()
            .holding("config", owner.rows())
            .holding("config", [webhook])
            .holding("events", [json!(event)])
            .holding("deliveries", [json!(row)]);
        let tables = ["config", "events", "deliveries", "jobs"].map(str::to_owned);
        let message = Message::new(&row, 1);
        let snapshot = BatchReader::of(&script.sdk(sdk::over), tables).read(from_ref(&message)).await.unwrap();
        (message, snapshot)
    }

    /// As SQS hands it out for the so manieth time: sent and first received at these milliseconds by its clock.
    fn record(count: u32, sent: i64, received: i64) -> SqsMessage {
        let attributes = json!({
            "ApproximateReceiveCount": count.to_string(),
            "SentTimestamp": sent.to_string(),
            "ApproximateFirstReceiveTimestamp": received.to_string(),
        });
        serde_json::from_value(json!({"attributes": attributes, "messageAttributes": {}})).unwrap()
    }

    #[tokio::test]
    async fn only_sqss_clock_says_how_long_it_was() {
        let (message, snapshot) = read(Status::Pending, EndpointStatus::Active).await;
        for ours_is_ahead in [-30_000, 0, 30_000] {
            let sent = clock::now().as_millisecond() - ours_is_ahead;
            let waited =
                |received| super::waited(&record(1, sent, received), &message, &snapshot, clock::now()).as_millis();
            assert_eq!((waited(sent + 40), waited(sent + 3_000)), (40, 3_000), "{ours_is_ahead}");
        }
    }

    #[tokio::test]
    async fn a_delay_is_no_waiting_nor_is_what_follows_a_failure() {
        let (message, snapshot) = read(Status::Pending, EndpointStatus::Active).await;
        let waited = |count, message: &Message, received| {
            super::waited(&record(count, 1_000, received), message, &snapshot, clock::now()).as_millis()
        };
        assert_eq!(waited(1, &message.delayed(15), 15_900), 0, "it could not be received before");
        assert_eq!(waited(1, &message.delayed(15), 18_000), 2_000);
        assert_eq!(waited(2, &message, 18_000), 0, "it comes again since somebody failed");
        let untold: SqsMessage = serde_json::from_value(json!({"messageAttributes": {}})).unwrap();
        assert_eq!(super::waited(&untold, &message, &snapshot, clock::now()), Duration::ZERO);
    }

    #[tokio::test]
    async fn what_leads_to_no_post_waited_for_nothing() {
        for (status, webhook, millis) in [
            (Status::Pending, EndpointStatus::Active, 9_000),
            (Status::Succeeded, EndpointStatus::Active, 0),
            (Status::Pending, EndpointStatus::Disabled, 0),
        ] {
            let (message, snapshot) = read(status, webhook).await;
            let waited = waited(&record(1, 0, 9_000), &message, &snapshot, clock::now());
            assert_eq!(waited.as_millis(), millis, "{status:?} {webhook:?}");
        }
    }
}
