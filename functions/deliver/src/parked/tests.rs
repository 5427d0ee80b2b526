use std::iter::repeat_with;

use jiff::SignedDuration;
use postrider_aws::queue::Queue;
use postrider_aws::sdk;
use postrider_domain::dialect::STANDARD;
use replay::{Caller, Said, Script, sample};
use serde_json::json;

use super::*;
use crate::noted::Noted;

fn parked(script: &Script) -> Parked {
    let sdk = script.sdk(sdk::over);
    let [retry, slow] = ["https://sqs.example/1/retry", "https://sqs.example/1/slow"].map(|url| Queue::at(&sdk, url));
    Parked {
        config: ConfigTable::of(&sdk, "config"),
        deliveries: DeliveriesTable::of(&sdk, "deliveries"),
        events: EventsTable::of(&sdk, "events"),
        lanes: Lanes::of(retry, slow),
        retention: Retention { seconds: 86_400 },
        times: Times::default(),
    }
}

/// A webhook at which nobody has answered for an hour.
fn down() -> Endpoint {
    let tenant = Caller::of_tenant(1, &STANDARD, &[]).tenant_id();
    let since = clock::now() - SignedDuration::from_hours(1);
    Endpoint { down_since: Some(since), failing_since: Some(since), ..sample::endpoint(tenant) }
}

#[tokio::test(start_paused = true)]
async fn whoever_dies_while_he_begins_leaves_a_ticket() {
    let script = Script::default()
        .saying("SendMessage", repeat_with(Said::done))
        .saying("TransactWriteItems", repeat_with(Said::lost));
    let (endpoint, noted) = (down(), Noted::default());
    assert!(!parked(&script).begin(&endpoint, &Outcome::TimedOut, &noted, clock::now()).await);
    let asked = script.operations();
    assert_eq!(asked.first().map(String::as_str), Some("SendMessage"), "before the outage is written: {asked:?}");
    let sent = &script.asked("SendMessage")[0];
    assert_eq!((&sent["QueueUrl"], &sent["DelaySeconds"]), (&json!("https://sqs.example/1/slow"), &json!(60)));
}
