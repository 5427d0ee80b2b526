//! Whose turn it is: of recoveries that are long and short, that hang, and that the last sweep did not come to.

use std::iter::repeat_with;

use jiff::Timestamp;
use postrider_domain::delivery::Delivery;
use postrider_domain::dialect::{DialectRef, STANDARD};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::{CancellationId, DeliveryId, EndpointId, RecoveryId, TenantId};
use postrider_domain::recovery::Chosen;
use replay::{Said, Script, item, keyed};
use serde_json::{Value, json};

use super::*;
use crate::lanes::Lanes;
use crate::queue::Queue;
use crate::{sample, sdk};

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const A_PAGE_TAKES: u64 = 1;

/// A recovery of a tenant's own, the older the smaller its number.
fn recovery(number: u64) -> Recovery {
    Recovery {
        id: RecoveryId::new(Timestamp::from_second(i64::try_from(number).unwrap()).unwrap(), number),
        tenant_id: TenantId::new(AT, number),
        endpoint_id: EndpointId::new(AT, number),
        since: AT,
        until: Timestamp::from_second(1).unwrap(),
        chosen: Chosen::default(),
        status: Progress::Running,
        found: 0,
        requeued: 0,
        after: None,
        listed_after: None,
        probed: false,
        expires_at: 0,
    }
}

fn rows(recovery: &Recovery) -> [Value; 2] {
    let partition = format!("TENANT#{}", recovery.tenant_id);
    let url = "https://hooks.example/".to_owned();
    let endpoint =
        Endpoint::bare(recovery.endpoint_id.clone(), recovery.tenant_id.clone(), url, DialectRef(&STANDARD), AT);
    [
        keyed(partition.clone(), format!("RECOVERY#{}", recovery.id), recovery),
        keyed(partition, format!("WEBHOOK#{}", recovery.endpoint_id), &endpoint),
    ]
}

/// An AWS with these recoveries, of so many pages each, and the one whose turn was the last.
fn script(recoveries: &[(u64, usize)], served: Option<u64>) -> Script {
    also(Script::default(), recoveries, served)
}

/// The same AWS after what another says first.
fn also(first: Script, recoveries: &[(u64, usize)], served: Option<u64>) -> Script {
    let all: Vec<Recovery> = recoveries.iter().map(|(number, _)| recovery(*number)).collect();
    let served = served.map(|number| keyed("RECOVERIES", "SERVED", &json!({"recovery_id": recovery(number).id})));
    let mut script = first
        .holding("config", all.iter().flat_map(rows).chain(served))
        .saying_about("Query", "RECOVERY\"", [Said::rows(&all)])
        .saying_about("Query", "CANCELLATION#", [Said::rows::<Value>(&[])])
        .saying("TransactWriteItems", repeat_with(Said::done))
        .saying("PutItem", repeat_with(Said::done));
    for (recovery, (_, pages)) in all.iter().zip(recoveries) {
        let last = DeliveryId::new(AT, &recovery.endpoint_id, &sample::event().id);
        let more = json!({"Items": [], "LastEvaluatedKey": item(&json!({"id": last}))});
        let more = std::iter::repeat_n(Said::body(more), pages - 1).chain([Said::rows::<Value>(&[])]);
        let pages = more.map(|page| page.after(A_PAGE_TAKES));
        script = script.saying_about("Query", recovery.endpoint_id.as_str(), pages.collect::<Vec<_>>());
    }
    script
}

/// Whose pages a sweep of so many seconds reads, by their recoveries' numbers.
async fn swept(script: &Script, seconds: u64) -> (Result<usize, Failure>, Vec<u64>) {
    let sdk = script.sdk(sdk::over);
    let tables = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
    let lanes = Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow"));
    let recoverer = Recoverer::new(tables.0, tables.1, EventsTable::of(&sdk, "events"), lanes);
    let done = deadline::at_most(Duration::from_secs(seconds), recoverer.continue_all()).await;
    let whose = |query: Value| {
        let endpoint = query["ExpressionAttributeValues"][":endpoint"].as_str()?.to_owned();
        (1..10).find(|number| recovery(*number).endpoint_id.as_str() == endpoint)
    };
    (done, script.asked("Query").into_iter().filter_map(whose).collect())
}

fn noted(script: &Script) -> Vec<Value> {
    script.asked("PutItem").into_iter().map(|put| put["Item"]["recovery_id"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_small_recovery_is_done_in_the_first_round_beside_a_large_one() {
    let script = script(&[(1, 1000), (2, 1)], None);
    let (done, turns) = swept(&script, 60).await;
    assert_eq!((done.unwrap(), &turns[..3]), (2, &[1, 2, 1][..]));
    assert!(
        turns.len() > 40 && turns[3..].iter().all(|number| *number == 1),
        "all other time is the large one's: {turns:?}"
    );
    let ended = script
        .asked("TransactWriteItems")
        .into_iter()
        .filter(|noted| noted["TransactItems"].as_array().unwrap().len() > 1);
    assert_eq!(ended.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_next_sweep_begins_with_the_one_that_waited_longest() {
    let four = [(1, 1000), (2, 1000), (3, 1000), (4, 1000)];
    let first = script(&four, None);
    let (_, turns) = swept(&first, 11).await;
    let last = *turns.last().unwrap();
    assert_eq!(turns[..6], [1, 2, 3, 4, 1, 2]);
    assert_eq!(noted(&first), [json!(recovery(last).id)]);
    let (_, turns) = swept(&script(&four, Some(2)), 11).await;
    assert_eq!(turns[..4], [3, 4, 1, 2]);
    let (_, turns) = swept(&script(&four, Some(4)), 11).await;
    assert_eq!(turns[..4], [1, 2, 3, 4], "behind the newest comes the oldest");
    let (_, turns) = swept(&script(&[(1, 9), (4, 9)], Some(3)), 11).await;
    assert_eq!(turns[..2], [4, 1], "the one whose turn was the last may be done");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_knows_whose_turn_was_the_last_the_oldest_begins() {
    let throttled = Script::default().saying_about("GetItem", "SERVED", repeat_with(Said::throttled));
    let unreadable = Script::default().holding("config", [keyed("RECOVERIES", "SERVED", &json!({"recovery_id": 7}))]);
    for first in [throttled, unreadable] {
        let (done, turns) = swept(&also(first, &[(1, 2), (2, 2)], None), 60).await;
        assert_eq!((done.unwrap(), turns), (2, vec![1, 2, 1, 2]));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_takes_a_pages_time_and_has_no_further_turn() {
    let hanging = recovery(1).endpoint_id;
    let script = Script::default().saying_about("Query", hanging.as_str(), repeat_with(|| Said::done().after(3600)));
    let good = also(script, &[(1, 1000), (2, 5)], None);
    let began = tokio::time::Instant::now();
    let (done, turns) = swept(&good, 60).await;
    assert!(began.elapsed() <= FOR_A_PAGE + Duration::from_secs(5 * A_PAGE_TAKES + 1), "{:?}", began.elapsed());
    assert!(done.is_err(), "the sweep says so at its end");
    assert_eq!(turns.iter().filter(|number| **number == 2).count(), 5);
    assert!(noted(&good).is_empty(), "all had their turns");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_alone_notes_no_turn() {
    let script = script(&[(1, 1000)], None);
    let (done, turns) = swept(&script, 20).await;
    assert!(done.unwrap() == 1 && turns.len() > 5 && noted(&script).is_empty());
}

/// A cancellation of what waits for the webhook of this number.
fn cancellation(number: u64) -> Cancellation {
    let Recovery { tenant_id, endpoint_id, .. } = recovery(number);
    Cancellation {
        id: CancellationId::new(AT, number),
        tenant_id,
        endpoint_id,
        at: Timestamp::from_second(9).unwrap(),
        status: Progress::Running,
        found: 0,
        cancelled: 0,
        after: None,
        expires_at: 0,
    }
}

/// The list of what runs as functions find it: recoveries under their own name, and cancellations under theirs.
fn with_cancellation(of: &Cancellation, first: Script, recoveries: &[(u64, usize)]) -> Script {
    let row = keyed(format!("TENANT#{}", of.tenant_id), format!("CANCELLATION#{}", of.id), of);
    let first = first.holding("config", [row]).saying_about("Query", "CANCELLATION#", [Said::rows(&[of])]);
    also(first, recoveries, None)
}

/// A page without rows after which more follow, as where nothing of a page waits, and how long it takes.
fn nothing_waits(of: &Cancellation, number: u64, seconds: u64) -> Said {
    let last =
        DeliveryId::new(Timestamp::from_second(number.cast_signed()).unwrap(), &of.endpoint_id, &sample::event().id);
    Said::body(json!({"Items": [], "LastEvaluatedKey": item(&json!({"id": last}))})).after(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_has_its_turns_among_recoveries() {
    let all = cancellation(5);
    let waiting = Delivery::pending(&sample::event(), all.endpoint_id.clone(), AT, 0);
    let pages = (0..12).map(|number| nothing_waits(&all, number, 0)).chain([Said::rows(&[&waiting])]);
    let first = Script::default()
        .saying_about("Query", all.endpoint_id.as_str(), pages.collect::<Vec<_>>())
        .saying("UpdateItem", [Said::done()]);
    let script = with_cancellation(&all, first, &[(1, 3)]);
    let (done, turns) = swept(&script, 60).await;
    assert_eq!((done.unwrap(), turns[..11].to_vec(), turns[11]), (2, [vec![5; 10], vec![1]].concat(), 5), "{turns:?}");
    assert_eq!(turns.iter().filter(|number| **number == 5).count(), 13);
    let noted = script.asked("TransactWriteItems");
    let mut of_it = noted.iter().filter(|write| write["TransactItems"][0]["Put"]["Item"]["id"] == json!(all.id));
    let last = of_it.next_back().unwrap()["TransactItems"].clone();
    assert_eq!((&last[0]["Put"]["Item"]["status"], &last[0]["Put"]["Item"]["cancelled"]), (&json!("done"), &json!(1)));
    assert_eq!(last[1]["Delete"]["Key"]["sk"], format!("CANCELLATION#{}", all.id), "its place is given back");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_changes_all_the_while_is_seen_again_and_counted_by_nobody() {
    let all = cancellation(5);
    let waiting = Delivery::pending(&sample::event(), all.endpoint_id.clone(), AT, 0);
    let refused = waiting.clone();
    let first = Script::default()
        .holding("deliveries", [json!(waiting)])
        .saying_about("Query", all.endpoint_id.as_str(), [Said::rows(&[&waiting])])
        .saying("UpdateItem", repeat_with(move || Said::refused(&refused)));
    let script = with_cancellation(&all, first, &[]);
    let (done, _) = swept(&script, 60).await;
    assert!(done.is_err(), "the sweep says so at its end");
    assert_eq!((script.asked("UpdateItem").len(), script.asked("TransactWriteItems").len()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_slow_has_each_turn_note_how_far_it_came() {
    let all = cancellation(5);
    let pages: Vec<Said> =
        (0..6).map(|number| nothing_waits(&all, number, 3)).chain([Said::rows::<Value>(&[])]).collect();
    let first = Script::default().saying_about("Query", all.endpoint_id.as_str(), pages);
    let script = with_cancellation(&all, first, &[]);
    let (done, turns) = swept(&script, 60).await;
    assert_eq!((done.unwrap(), turns.len(), script.asked("TransactWriteItems").len()), (1, 7, 7));
}
