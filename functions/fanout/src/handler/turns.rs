//! What becomes of an event that many ask for: in how many turns, cut wherever, and whatever fails in between.

use std::collections::BTreeSet;

use postrider_domain::event::Announce;
use postrider_domain::id::EventId;
use proptest::prelude::*;
use replay::{Said, Script};
use serde_json::json;

use super::tests::{batch, event, fanout, sent, tenant};
use super::*;
use crate::chunks::LATER;
use crate::first_pages;
use crate::stretch::Stretch;
use crate::turn::{ROWS_GOING_ON, ROWS_OF_MANY};
use crate::world::{World, webhook};

fn ids(webhooks: impl IntoIterator<Item = u64>) -> BTreeSet<String> {
    webhooks.into_iter().map(|number| webhook(number).to_string()).collect()
}

/// One turn of so many rows; what it leaves.
async fn turn_of(rows: usize, fanout: &Fanout, event: &Event, stretch: Stretch) -> Left {
    fanout.fan_out(&[Work::part(event, stretch)], Turn::of_rows(rows)).await.remove(0)
}

fn invoice() -> Event {
    Event { event_type: "invoice.paid".parse().unwrap(), ..event(1) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_webhook_gets_its_row_and_message_wherever_turns_end_and_whatever_fails(
        asks in prop::collection::vec(0_u8..8, 1..50),
        page in 1_usize..9,
        turns in prop::collection::vec(1_usize..12, 1..6),
        refused in prop::collection::vec((0_usize..4, prop::bool::weighted(0.5)), 0..60),
        repeated in prop::collection::vec(any::<bool>(), 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let by = |bit: u8| (0_u64..).zip(&asks).filter(move |(_, asks)| **asks & bit != 0).map(|(number, _)| number);
            let world = World::default()
                .subscribed(&tenant(1), "*", by(1))
                .subscribed(&tenant(1), "invoice.*", by(2))
                .subscribed(&tenant(1), "invoice.paid", by(4));
            world.things().page = page;
            let operations = ["Query", "BatchExecuteStatement", "BatchGetItem", "SendMessageBatch"];
            for (operation, is_refused) in &refused {
                world.things().refuse.entry(operations[*operation]).or_default().push_back(*is_refused);
            }
            let (fanout, event) = (fanout(&world.aws()), invoice());
            let (mut turns, mut repeated) = (turns.into_iter().cycle(), repeated.into_iter());
            let mut open = vec![Stretch::default()];
            let mut made = 0;
            while let Some(stretch) = open.pop() {
                made += 1;
                assert!(made < 1_000, "it comes to an end");
                let left = turn_of(turns.next().unwrap(), &fanout, &event, stretch.clone()).await;
                // Some die once they have left it, so that it comes again beside that.
                open.extend(repeated.next().unwrap_or_default().then_some(stretch));
                open.extend(left.failed.map(|(part, _)| part));
                open.extend(left.rest);
            }
            let expected: BTreeSet<String> = ids(by(1).chain(by(2)).chain(by(4)));
            assert_eq!(world.served(), expected);
            let things = world.things();
            assert_eq!(things.rows.len(), expected.len(), "one row each");
            assert_eq!(things.announced.len(), expected.len(), "none without a message");
        });
    }

    #[test]
    fn where_nothing_fails_each_is_announced_once_and_a_turn_does_what_it_may(
        count in 1_u64..60,
        page in 1_usize..20,
        rows in 1_usize..25,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::default().subscribed(&tenant(1), "*", 0..count).subscribed(&tenant(1), "ping", 0..count / 2);
            world.things().page = page;
            let (fanout, event) = (fanout(&world.aws()), event(1));
            let mut stretch = Some(Stretch::default());
            let mut turns = 0;
            while let Some(part) = stretch {
                let left = turn_of(rows, &fanout, &event, part).await;
                assert!(left.failed.is_none());
                (stretch, turns) = (left.rest, turns + 1);
            }
            assert_eq!(turns, usize::try_from(count).unwrap().div_ceil(rows));
            assert_eq!(world.served(), ids(0..count));
            assert!(world.things().announced.values().all(|times| *times == 1));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_for_the_streams_turn_goes_on_from_where_it_stands() {
    let many = u64::try_from(ROWS_OF_MANY).unwrap();
    let world = World::default().subscribed(&tenant(1), "*", 0..many + 1).subscribed(&tenant(2), "*", 0..many);
    let script = world.aws();
    fanout(&script).handle(&batch(&[event(1)])).await.unwrap();
    assert_eq!(world.served(), ids(0..many));
    let left = sent(&script, "continuation");
    assert_eq!(left.len(), 1);
    let (note, delay) = &left[0];
    assert_eq!((&note["keys"]["tenant_id"], &note["after"]), (&json!(tenant(1)), &json!(webhook(many - 1))));
    assert!(note["through"].is_null() && delay == &json!(0), "{note}");
    assert!(note["written_at"].is_string() && note["since"].is_string(), "{note}");
    let sent_last = script.asked("SendMessageBatch").pop().unwrap();
    assert_eq!(sent_last["QueueUrl"], "continuation", "only when all before it is done");
    assert_eq!(sent_last["Entries"][0]["MessageGroupId"], json!(tenant(1)), "or one tenant's would hold up another's");

    let script = world.aws();
    fanout(&script).handle(&batch(&[event(2)])).await.unwrap();
    assert_eq!(sent(&script, "continuation"), [], "nothing is left of what just fits");
}

#[tokio::test]
async fn what_few_ask_for_goes_first_and_is_done_whatever_else_is_in_the_batch() {
    let many = u64::try_from(ROWS_OF_MANY).unwrap();
    let world = World::default()
        .subscribed(&tenant(1), "*", 0..2 * many)
        .subscribed(&tenant(2), "*", 5 * many..5 * many + 3)
        .subscribed(&tenant(3), "*", 6 * many..6 * many + 150);
    let script = world.aws();
    let giants = (10..14).map(|n| Event { id: EventId::fresh(n), ..event(1) });
    let events: Vec<Event> = giants.chain([event(2), event(3)]).collect();
    fanout(&script).handle(&batch(&events)).await.unwrap();
    let order: Vec<_> = sent(&script, "deliver").into_iter().map(|(message, _)| message["tenant_id"].clone()).collect();
    assert!(order[..3].iter().all(|first| *first == json!(tenant(2))), "the smallest first");
    assert!(order[3..153].iter().all(|next| *next == json!(tenant(3))), "one of 150 does not wait for thousands");
    assert_eq!(order.len(), 3 + ROWS_OF_MANY, "what many ask for is put as far as the turn goes");
    let left = sent(&script, "continuation");
    assert!(left.len() == 4 && left.iter().all(|(note, _)| note["keys"]["tenant_id"] == json!(tenant(1))));
    assert_eq!(left.iter().filter(|(note, _)| note["after"].is_null()).count(), 3, "of three none was begun");
}

#[tokio::test]
async fn no_page_is_read_before_the_one_before_it_is_put() {
    let count = 3 * first_pages::ROWS;
    let world = World::default().subscribed(&tenant(1), "*", 0..u64::try_from(count).unwrap());
    let (fanout, event) = (fanout(&world.aws()), event(1));
    let left = turn_of(ROWS_GOING_ON, &fanout, &event, Stretch::default()).await;
    assert!(left.failed.is_none() && left.rest.is_none());
    let things = world.things();
    assert_eq!(things.rows.len(), count);
    let pages: Vec<usize> = things.pages.iter().filter(|(after, _)| !after.is_empty()).map(|(_, rows)| *rows).collect();
    assert_eq!(pages.len(), 2);
    // What has been made of a page is at work, but for a chunk that is being filled.
    let held = (CHUNKS_AT_ONCE + 1) * LATER;
    for (page, put) in (1..).zip(pages) {
        assert!(put + held >= page * first_pages::ROWS, "page {page} was read when {put} rows were put");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_cannot_be_read_is_gone_through_again_and_whom_others_name_is_sent_to() {
    let world = World::default().subscribed(&tenant(1), "*", 0..9).subscribed(&tenant(1), "ping", [2, 20, 30]);
    world.things().page = 3;
    let unread = format!(r#""{}""#, webhook(5));
    let script = Script::default().saying_about("Query", unread, std::iter::repeat_with(Said::throttled).take(3));
    let script = world.behind(script);
    fanout(&script).handle(&batch(&[event(1)])).await.unwrap();
    assert_eq!(world.served(), ids((0..6).chain([20, 30])));
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["after"], &left[0].0["through"]), (1, &json!(webhook(5)), &json!(null)));
    assert_eq!(sent(&script, "continuation"), []);
    let part = Stretch::of(&left[0].0);
    let left = turn_of(9, &fanout(&world.aws()), &event(1), part).await;
    assert!(left.failed.is_none() && left.rest.is_none());
}

#[tokio::test(start_paused = true)]
async fn rows_that_cannot_be_put_wait_alone_and_the_rest_goes_on() {
    let world = World::default().subscribed(&tenant(1), "*", 0..40);
    let refused = format!(r#""{}""#, webhook(15));
    let script = Script::default().saying_about("BatchExecuteStatement", refused, std::iter::repeat_with(Said::lost));
    let fanout = fanout(&world.behind(script));
    let left = turn_of(30, &fanout, &event(1), Stretch::default()).await;
    let place = |number: u64| Some(webhook(number));
    let (failed, _) = left.failed.unwrap();
    assert_eq!(failed, Stretch { after: place(9), through: place(29) }, "from the first that was not put");
    assert_eq!(left.rest, Some(Stretch { after: place(29), through: None }));
    assert_eq!(world.served(), ids((0..10).chain(20..30)));
}

#[tokio::test]
async fn a_webhook_that_came_or_went_meanwhile_counts_by_when_it_asked() {
    let event = event(1);
    let (before, after) =
        (event.timestamp - jiff::SignedDuration::from_secs(9), event.timestamp + jiff::SignedDuration::from_secs(9));
    let wire = |at| json!(postrider_domain::time::wire(at));
    let world = World::default().subscribed(&tenant(1), "*", 0..4);
    let fanout = fanout(&world.aws());
    let left = turn_of(2, &fanout, &event, Stretch::default()).await;
    // Between the turns one goes, one had gone before the event, and two come: one before the place where it stands.
    let world = world
        .subscribed(&tenant(1), "*", [4, 5])
        .amended(&tenant(1), "*", 2, "until", wire(after))
        .amended(&tenant(1), "*", 3, "until", wire(before))
        .amended(&tenant(1), "*", 4, "since", wire(after));
    turn_of(9, &fanout, &event, left.rest.unwrap()).await;
    assert_eq!(world.served(), ids([0, 1, 2, 5]));
}

#[tokio::test]
async fn a_turn_whose_time_is_up_reads_no_more_and_leaves_what_it_has_not_begun() {
    let world = World::default().subscribed(&tenant(1), "*", 0..30).subscribed(&tenant(1), "ping", [3]);
    world.things().page = 10;
    let fanout = fanout(&world.aws());
    let left = fanout.fan_out(&[Work::whole(&event(1))], Turn::over()).await.remove(0);
    assert_eq!((left.failed.is_none(), left.rest), (true, Some(Stretch::default())));
    assert_eq!((world.served(), world.things().pages.len()), (ids([]), 2), "the first of each pattern");
}

/// The calls of all of an event's turns.
async fn calls(world: &World, event: &Event) -> usize {
    let script = world.aws();
    let fanout = fanout(&script);
    let mut left = turn_of(ROWS_OF_MANY, &fanout, event, Stretch::default()).await;
    while let Some(rest) = left.rest {
        left = turn_of(ROWS_GOING_ON, &fanout, event, rest).await;
    }
    assert!(left.failed.is_none());
    script.operations().len()
}

#[tokio::test(start_paused = true)]
async fn many_rows_take_few_calls_and_so_does_finding_them_again() {
    let (world, event) = (World::default().subscribed(&tenant(1), "*", 0..2_000), event(1));
    let fresh = calls(&world, &event).await;
    assert!(fresh < 320, "{fresh}: 25 rows a put, ten messages a call");
    let again = calls(&world, &event).await;
    assert!(again < 400, "{again}: the same, and fifty rows a read");
    assert_eq!(world.things().rows.len(), 2_000);
}

/// An answer that nobody waits for.
fn hanging() -> Said {
    Said::done().after(3_600)
}

#[tokio::test(start_paused = true)]
async fn what_hangs_before_the_first_row_takes_nobody_elses_turn() {
    let world = World::default()
        .subscribed(&tenant(1), "*", 0..3)
        .subscribed(&tenant(3), "*", 1_000..1_150)
        .subscribed(&tenant(5), "*", [2_000]);
    let script = Script::default()
        .saying("PutEvents", std::iter::repeat_with(hanging))
        .saying_about("Query", tenant(2).as_str(), std::iter::repeat_with(hanging))
        .saying_about("BatchGetItem", "SLOW", std::iter::repeat_with(hanging));
    let script = world.behind(script);
    let job = Event { ours: true, announce: Some(Announce::JobCreated), ..event(4) };
    let long = Event { event_type: vec!["a"; 60].join(".").parse().unwrap(), ..event(2) };
    let began = tokio::time::Instant::now();
    fanout(&script).handle(&batch(&[job, event(1), long, event(3), event(5)])).await.unwrap();
    let first_row = world.things().first_row.unwrap() - began;
    assert!(first_row <= Duration::from_secs(12), "{first_row:?}");
    assert_eq!(world.served(), ids((0..3).chain(1_000..1_150).chain([2_000])));
    assert_eq!(sent(&script, "continuation"), [], "none of it is too much");
    let left = sent(&script, "unfinished");
    let left: BTreeSet<&str> = left.iter().filter_map(|(note, _)| note["keys"]["tenant_id"].as_str()).collect();
    assert_eq!(left, BTreeSet::from([tenant(2).as_str(), tenant(4).as_str()]));
}

#[tokio::test(start_paused = true)]
async fn a_jobs_announcement_that_hangs_is_beside_the_rows() {
    let world = World::default().subscribed(&tenant(1), "*", 0..3);
    let script = world.behind(Script::default().saying("PutEvents", std::iter::repeat_with(hanging)));
    let job = Event { ours: true, announce: Some(Announce::JobCreated), ..event(4) };
    let began = tokio::time::Instant::now();
    fanout(&script).handle(&batch(&[job, event(1)])).await.unwrap();
    let first_row = world.things().first_row.unwrap() - began;
    assert!(first_row < Duration::from_secs(1), "{first_row:?}");
}

#[tokio::test]
async fn a_tenants_many_webhooks_do_not_make_anothers_few_many() {
    let types: Vec<String> = (0..30).map(|n| format!("type{n}")).collect();
    let world =
        types.iter().fold(World::default(), |world, event_type| world.subscribed(&tenant(1), event_type, 0..1_100));
    let world = world.subscribed(&tenant(2), "ping", [5_000]).subscribed(&tenant(3), "*", [6_000]);
    let script = world.aws();
    let of_giant = |(n, event_type): (u128, &String)| Event {
        id: EventId::fresh(10 + n),
        event_type: event_type.parse().unwrap(),
        ..event(1)
    };
    let events: Vec<Event> = (0..).zip(&types).map(of_giant).chain([event(2), event(3)]).collect();
    fanout(&script).handle(&batch(&events)).await.unwrap();
    let order: Vec<_> = sent(&script, "deliver").into_iter().map(|(message, _)| message["tenant_id"].clone()).collect();
    let first: Vec<&serde_json::Value> = order.iter().take(2).collect();
    assert_eq!(first, [&json!(tenant(2)), &json!(tenant(3))], "they are known to be few");
    let pages = world.things().pages.len();
    assert!(pages <= 2 * types.len() + 5, "{pages}: each pattern once, and none of the rest for a row");
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_on_before_what_failed_is_left() {
    let many = u64::try_from(ROWS_OF_MANY).unwrap();
    let world = World::default().subscribed(&tenant(1), "*", 0..many + 1);
    let refusing = Script::default()
        .saying_about("Query", tenant(2).as_str(), std::iter::repeat_with(Said::lost))
        .saying_about("SendMessageBatch", r#""unfinished""#, std::iter::repeat_with(Said::lost));
    let script = world.behind(refusing);
    assert!(fanout(&script).handle(&batch(&[event(1), event(2)])).await.is_err(), "the batch comes again");
    assert_eq!(sent(&script, "continuation"), [], "or each time sets one more walk going");
}
