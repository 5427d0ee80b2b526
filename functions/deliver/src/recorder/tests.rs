use std::iter::repeat_with;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join;
use jiff::Timestamp;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::sdk;
use postrider_domain::attempt::Outcome;
use postrider_domain::dialect::STANDARD;
use postrider_domain::id::EndpointId;
use postrider_host::env::Retention;
use replay::{Caller, Said, Script, sample};
use serde_json::Value;
use tokio::time::Instant;

use super::*;

/// What a function has when its receiver answers at once.
const TIME: Duration = Duration::from_secs(55);
/// Calls that the SDK makes for one try.
const CALLS: usize = 3;

fn recorder(script: &Script) -> Recorder {
    let sdk = script.sdk(sdk::over);
    let (config, events) = (ConfigTable::of(&sdk, "config"), EventsTable::of(&sdk, "events"));
    let notices = Notices::of(config, events, Retention { seconds: 86_400 });
    Recorder { deliveries: DeliveriesTable::of(&sdk, "deliveries"), notices }
}

/// Puts a success on record.
async fn recorded(script: &Script) -> Result<Recorded, Failure> {
    recorded_within(TIME, script).await
}

async fn recorded_within(time: Duration, script: &Script) -> Result<Recorded, Failure> {
    let at = Timestamp::UNIX_EPOCH;
    let tenant = Caller::of_tenant(1, &STANDARD, &[]).tenant_id();
    let row = Delivery::pending(&sample::event(tenant), EndpointId::new(at, 1), at, 0);
    let transition = row.after(&STANDARD.retry, &Outcome::Responded { status: 200, retry_after: None }, at, 0.0);
    let attempt = Attempt::internal(1, entropy::mark(), at, "why");
    deadline::at_most(time, recorder(script).put_on_record(&row, &attempt, &transition)).await
}

/// The attempts' marks that were written.
fn marks(script: &Script) -> Vec<Value> {
    let marks = script.asked("UpdateItem").into_iter();
    marks.map(|asked| asked["ExpressionAttributeValues"][":mark"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_throttled_for_long_is_made_once_and_its_message_does_not_come_again() {
    let throttled = repeat_with(Said::throttled).take(8 * CALLS);
    let script = Script::default().saying("UpdateItem", throttled.chain([Said::done()]));
    assert_eq!(recorded(&script).await.unwrap(), Recorded::Yes);
    let marks = marks(&script);
    assert_eq!((marks.len(), marks.iter().all(|mark| *mark == marks[0])), (8 * CALLS + 1, true), "{marks:?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_throttled_until_the_deadline_is_given_up_in_time_for_what_follows() {
    let (begun, calls) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&calls);
    let script = Script::default().answering("UpdateItem", move |_| {
        noted.lock().unwrap().push(begun.elapsed());
        Some(Said::throttled())
    });
    assert!(recorded(&script).await.unwrap_err().is_busy());
    let last = calls.lock().unwrap().last().copied().unwrap();
    assert!(last < TIME - TO_FOLLOW, "a call after {last:?}");
    assert!(begun.elapsed() > TIME - Duration::from_secs(12), "given up after {:?}", begun.elapsed());
    assert!(begun.elapsed() <= TIME - TO_FOLLOW, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_hangs_leaves_time_for_what_follows() {
    for time in [TIME, TIME / 2, TIME / 5] {
        let begun = Instant::now();
        let script = Script::default().saying("UpdateItem", repeat_with(|| Said::done().after(600)));
        assert!(recorded_within(time, &script).await.unwrap_err().is_busy());
        assert!(begun.elapsed() <= time - TO_FOLLOW + Duration::from_millis(1), "{:?} of {time:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_record_keeps_no_batch_mate_from_its_own() {
    let begun = Instant::now();
    let busy = Script::default().saying("UpdateItem", repeat_with(Said::throttled));
    let free = Script::default().saying("UpdateItem", [Said::done()]);
    let mate = async { (recorded(&free).await.unwrap(), begun.elapsed()) };
    let (given_up, (made, after)) = join(recorded(&busy), mate).await;
    assert!(given_up.is_err());
    assert!(made == Recorded::Yes && after < Duration::from_secs(1), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_by_itself_holds_a_function_for_seconds() {
    let begun = Instant::now();
    let script = Script::default().saying("UpdateItem", repeat_with(Said::lost));
    assert!(!recorded(&script).await.unwrap_err().is_busy());
    // The SDK leaves its last call of a try out where the wait for it, which is of chance, would take the rest of the try's time.
    assert!(
        (4 * (CALLS - 1)..=4 * CALLS).contains(&script.asked("UpdateItem").len()),
        "{}",
        script.asked("UpdateItem").len()
    );
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
