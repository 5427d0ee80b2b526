//! What becomes of an event where webhooks have filters: whatever is changed meanwhile, and however often it is fanned out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use postrider_domain::filter::{Filter, Seen};
use postrider_domain::id::DeliveryId;
use postrider_domain::subscribed::{Filters, Judgement, Span};
use postrider_domain::time;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{batch, event, fanout, sent, tenant};
use super::*;
use crate::judge::Judge;
use crate::stretch::Stretch;
use crate::world::{World, webhook};

#[path = "../../../../tests/vectors/filters.rs"]
mod made;

use made::{PAIRS, pair};

/// What lets the event of these tests through, and what does not.
const YES: &str = r#"{"data":{"amount":[{"numeric":[">",10]}]}}"#;
const NO: &str = r#"{"data":{"amount":[{"numeric":["<",10]}]}}"#;

fn paid() -> Event {
    Event { data: r#"{"amount": 11}"#.to_owned(), ..event(1) }
}

fn filtered(filter: &str) -> Value {
    json!(Filters::of(Some(filter.to_owned())))
}

/// So many webhooks of a tenant that ask for everything, each with the filter that its number gives.
fn world(count: u64, filter: impl Fn(u64) -> Value) -> World {
    let world = World::default().subscribed(&tenant(1), "*", 0..count);
    (0..count).fold(world, |world, number| world.amended(&tenant(1), "*", number, "filters", filter(number)))
}

fn ids(webhooks: impl IntoIterator<Item = u64>) -> BTreeSet<String> {
    webhooks.into_iter().map(|number| webhook(number).to_string()).collect()
}

#[tokio::test]
async fn a_webhook_is_sent_what_its_filter_lets_through_and_of_the_rest_there_is_no_row() {
    let world =
        world(9, |number| filtered(if number % 3 == 0 { YES } else { NO })).subscribed(&tenant(1), "ping", [1, 20]);
    let world = world.amended(&tenant(1), "ping", 1, "filters", filtered(NO));
    let script = world.aws();
    fanout(&script).handle(&batch(&[paid()])).await.unwrap();
    assert_eq!(world.served(), ids([0, 3, 6, 20]));
    assert_eq!((sent(&script, "deliver").len(), sent(&script, "unfinished").len()), (4, 0));
    assert!(script.asked("BatchGetItem").len() <= 1, "nothing more is read: {:?}", script.operations());
}

#[tokio::test]
async fn an_event_is_judged_by_its_tags_and_its_type_too() {
    let world = world(3, |number| {
        filtered(
            [r#"{"tags":{"tier":["gold"]}}"#, r#"{"event":["ping"]}"#, r#"{"tags":{"tier":["iron"]}}"#]
                [number as usize],
        )
    });
    let tags = BTreeMap::from([("tier".to_owned(), "gold".to_owned())]);
    fanout(&world.aws()).handle(&batch(&[Event { tags, ..paid() }])).await.unwrap();
    assert_eq!(world.served(), ids([0, 1]));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_whose_filter_nobody_can_read_waits_and_is_sent_nothing() {
    let unread = r#"{"data":{"amount":[{"from-a-version-to-come":1}]}}"#;
    let world = world(5, |number| filtered(if number == 2 { unread } else { YES }));
    let script = world.aws();
    fanout(&script).handle(&batch(&[paid()])).await.unwrap();
    assert_eq!(world.served(), ids([0, 1, 3, 4]), "others are sent to meanwhile");
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["after"]), (1, &json!(webhook(1))), "it comes again from there");
    let part = Stretch::of(&left[0].0);
    let world = world.amended(&tenant(1), "*", 2, "filters", filtered(YES));
    let again = fanout(&world.aws()).fan_out(&[Work::part(&paid(), part)], Turn::going_on()).await.remove(0);
    assert!(again.failed.is_none(), "once it can be read, it is judged");
}

/// The event is fanned out again and again, each time for as long as filters may be judged; how often, and who was served.
async fn turns(world: &World, judging: Duration) -> (usize, BTreeSet<String>) {
    let (fanout, event) = (fanout(&world.aws()), paid());
    let mut stretch = Some(Stretch::default());
    let mut turns = 0;
    while let Some(part) = stretch {
        let left = fanout.fan_out(&[Work::part(&event, part)], Turn::judging_for(judging)).await.remove(0);
        assert!(left.failed.is_none());
        (stretch, turns) = (left.rest, turns + 1);
    }
    (turns, world.served())
}

#[tokio::test]
async fn filters_that_let_nothing_through_end_a_turn_as_rows_do() {
    let world = world(40, |number| filtered(if number == 39 { YES } else { NO }));
    assert_eq!(turns(&world, Duration::from_secs(20)).await, (1, ids([39])));
    // Each judgement takes longer than that, and each turn makes one.
    let world = self::world(40, |number| filtered(if number == 39 { YES } else { NO }));
    assert_eq!(turns(&world, Duration::from_nanos(1)).await, (40, ids([39])));
}

#[tokio::test]
async fn no_filter_is_judged_in_a_turn_whose_time_for_it_is_over_and_the_others_are_sent_to() {
    let world = world(3, |number| if number == 1 { filtered(YES) } else { json!({}) });
    let script = world.aws();
    let left = fanout(&script).fan_out(&[Work::whole(&paid())], Turn::judging_for(Duration::ZERO)).await.remove(0);
    assert_eq!((left.failed.is_none(), left.rest.unwrap().after), (true, Some(webhook(0))));
    assert_eq!(world.served(), ids([0]));
}

/// A row that an earlier run has put.
fn there(event: &Event, number: u64, status: Status) -> (String, Value) {
    let id = DeliveryId::new(event.timestamp, &webhook(number), &event.id).to_string();
    let row = Delivery::pending(event, webhook(number), Timestamp::UNIX_EPOCH, 0);
    (id, json!(Delivery { status, ..row }))
}

#[tokio::test]
async fn what_nobody_can_know_makes_no_row_and_finds_one() {
    let event = paid();
    // Its filter was changed moments before the event, and lets it through no more.
    let moments_before = event.timestamp - SignedDuration::from_secs(30);
    let changed = json!(Filters::of(Some(YES.to_owned())).changed(Some(NO.to_owned()), moments_before));
    let world = world(3, |_| changed.clone());
    world.things().rows.extend([there(&event, 0, Status::Pending), there(&event, 1, Status::Succeeded)]);
    let script = world.aws();
    fanout(&script).handle(&batch(std::slice::from_ref(&event))).await.unwrap();
    let messages = sent(&script, "deliver");
    assert_eq!((messages.len(), &messages[0].0["endpoint_id"], &messages[0].1), (1, &json!(webhook(0)), &json!(15)));
    assert_eq!(world.things().rows.len(), 2, "none is made");
    assert_eq!(script.asked("BatchExecuteStatement").len(), 0);
}

#[tokio::test]
async fn an_event_of_a_time_to_come_is_judged_by_when_its_row_was_written() {
    let now = clock::now();
    let of_tomorrow = Event { timestamp: now + SignedDuration::from_hours(20), ..paid() };
    // The first run judged it before the filter was changed, five minutes after it was written.
    let changed = json!(Filters::of(Some(YES.to_owned())).changed(Some(NO.to_owned()), now));
    let world = world(1, |_| changed.clone());
    let written = now - SignedDuration::from_secs(300);
    let fanout = fanout(&world.aws());
    let left = fanout.fan_out(&[Work::whole(&of_tomorrow).written(Some(written))], Turn::going_on()).await.remove(0);
    assert!(left.failed.is_none());
    assert_eq!(world.served(), ids([0]));
}

/// Something that happens so many seconds after what happened before it.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody gives a webhook this filter. It is written so many seconds later.
    Filter(u64, Option<&'static str>, i64),
    /// Somebody turns a webhook's subscription off, or on again.
    Toggle(u64, i64),
    /// The event is fanned out, in turns of so many rows, where so many calls are refused.
    Run(usize, Vec<(usize, bool)>),
}

const WEBHOOKS: u64 = 3;

fn step() -> impl Strategy<Value = (i64, Step)> {
    let filter = prop::sample::select(vec![None, Some(YES), Some(NO)]);
    let refused = prop_oneof![
        prop::collection::vec((0_usize..4, prop::bool::weighted(0.6)), 0..12),
        // It dies between its rows and their messages.
        Just(vec![(3, true); 20]),
    ];
    let later = || prop_oneof![0_i64..30, 22_i64..30];
    let step = prop_oneof![
        3 => (0..WEBHOOKS, filter, later()).prop_map(|(number, filter, later)| Step::Filter(number, filter, later)),
        1 => (0..WEBHOOKS, later()).prop_map(|(number, later)| Step::Toggle(number, later)),
        2 => (1_usize..6, refused).prop_map(|(rows, refused)| Step::Run(rows, refused)),
    ];
    (prop_oneof![8 => 0_i64..9, 1 => 0_i64..400], step)
}

/// A subscription as its owner has it, in seconds from the event's time on.
#[derive(Clone, Default)]
struct Owned {
    filters: Filters,
    since: i64,
    until: Option<i64>,
    earlier: Vec<(i64, i64)>,
    /// When what was changed, and what stood until then: whether the event was let through.
    changes: Vec<i64>,
    stood: Vec<(i64, bool)>,
}

impl Owned {
    fn lets_through(filter: Option<&str>) -> bool {
        filter != Some(NO)
    }

    /// Whether it took the event; nothing where that is within a minute of a change.
    fn took(&self, now_lets_through: bool) -> Option<bool> {
        if self.changes.iter().any(|change| change.abs() <= 60) {
            return None;
        }
        let held = (self.since <= 0 && self.until.is_none_or(|until| until >= 0))
            || self.earlier.iter().any(|(since, until)| *since <= 0 && *until >= 0);
        let let_through = self.stood.iter().find(|(until, _)| *until > 0).map_or(now_lets_through, |(_, it)| *it);
        Some(held && let_through)
    }

    fn row(&self, at: impl Fn(i64) -> Timestamp) -> Value {
        let earlier: Vec<Span> =
            self.earlier.iter().map(|(since, until)| Span { since: Some(at(*since)), until: at(*until) }).collect();
        let mut row = json!({"since": time::wire(at(self.since)), "earlier": earlier, "filters": self.filters});
        if let Some(until) = self.until {
            row["until"] = json!(time::wire(at(until)));
        }
        row
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_changed_and_dies_meanwhile_no_row_waits_for_ever_and_none_is_made_that_was_not_asked_for(
        begins in prop_oneof![3 => 14_i64..30, 1 => 0_i64..500],
        steps in prop::collection::vec(step(), 1..18),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(model(begins, steps));
    }

    #[test]
    fn two_patterns_of_one_webhook_come_to_what_either_says(
        stars in prop::sample::select(vec![YES, NO]),
        pings in prop::sample::select(vec![YES, NO]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = world(1, |_| filtered(stars)).subscribed(&tenant(1), "ping", [0]);
            let world = world.amended(&tenant(1), "ping", 0, "filters", filtered(pings));
            fanout(&world.aws()).handle(&batch(&[paid()])).await.unwrap();
            assert_eq!(world.served().len(), usize::from(stars == YES || pings == YES));
        });
    }
}

/// Changes and runs one after another, the event among them at zero.
async fn model(begins: i64, steps: Vec<(i64, Step)>) {
    let event = paid();
    let at = |second: i64| event.timestamp + SignedDuration::from_secs(second);
    let mut owned: Vec<Owned> = vec![Owned { since: -10_000, ..Owned::default() }; WEBHOOKS as usize];
    let mut now_lets_through = vec![true; WEBHOOKS as usize];
    let mut world = World::default().subscribed(&tenant(1), "*", 0..WEBHOOKS);
    let mut written: Vec<(i64, u64, Value)> = Vec::new();
    let (mut now, mut runs) = (-begins, 0);
    // In the end it is fanned out when all is well.
    let last = (2_000, Step::Run(100, Vec::new()));
    for (pause, step) in steps.into_iter().chain([last]) {
        now += pause;
        match step {
            // Each change of a webhook is made from what the one before has written.
            Step::Filter(number, ..) | Step::Toggle(number, _)
                if written.iter().any(|(when, of, _)| *of == number && *when > now) => {}
            Step::Filter(number, filter, later) => {
                let (owned, lets_through) = (&mut owned[number as usize], &mut now_lets_through[number as usize]);
                let filters = owned.filters.clone().changed(filter.map(str::to_owned), at(now));
                if filters != owned.filters {
                    owned.changes.push(now);
                    owned.stood.push((now, *lets_through));
                    (owned.filters, *lets_through) = (filters, Owned::lets_through(filter));
                }
                written.push((now + later, number, owned.row(at)));
            }
            Step::Toggle(number, later) => {
                let owned = &mut owned[number as usize];
                owned.changes.push(now);
                match owned.until.take() {
                    Some(until) => {
                        owned.earlier.push((owned.since, until));
                        owned.since = now;
                    }
                    None => owned.until = Some(now),
                }
                written.push((now + later, number, owned.row(at)));
            }
            Step::Run(..) if now < 0 => {}
            Step::Run(rows, refused) => {
                for (_, number, row) in written.extract_if(.., |(when, ..)| *when <= now) {
                    world = world.amended(&tenant(1), "*", number, "until", Value::Null);
                    for (name, value) in row.as_object().unwrap() {
                        world = world.amended(&tenant(1), "*", number, name, value.clone());
                    }
                }
                run(&world, &event, rows, refused).await;
                runs += 1;
            }
        }
    }
    let (served, things) = (world.served(), world.things());
    for (number, (owned, now_lets_through)) in (0..).zip(owned.iter().zip(now_lets_through)) {
        let id = webhook(number).to_string();
        if let Some(took) = owned.took(now_lets_through) {
            assert_eq!(served.contains(&id), took, "webhook {number}: {:?}", owned.row(at));
        }
    }
    for (id, row) in &things.rows {
        let announced = things.announced.get(id).copied().unwrap_or_default();
        assert!((1..=runs).contains(&announced), "{announced} of {runs} runs: {row}");
    }
}

/// One run of the event, which dies wherever calls are refused.
async fn run(world: &World, event: &Event, rows: usize, refused: Vec<(usize, bool)>) {
    let operations = ["Query", "BatchExecuteStatement", "BatchGetItem", "SendMessageBatch"];
    for (operation, is_refused) in refused {
        // What is refused three times is not tried again.
        world.things().refuse.entry(operations[operation]).or_default().extend([is_refused; 3]);
    }
    let (fanout, mut stretch) = (fanout(&world.aws()), Some(Stretch::default()));
    while let Some(part) = stretch {
        let left = fanout.fan_out(&[Work::part(event, part)], Turn::of_rows(rows)).await.remove(0);
        stretch = left.rest.filter(|_| left.failed.is_none());
    }
    world.things().refuse.clear();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: PAIRS, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fan_out_judges_a_filter_as_whoever_tries_it((filter, made) in pair()) {
        let Ok(read) = Filter::parse(&filter) else { return Ok(()) };
        let expected = read.matches(&Seen::read(&made.event, &made.data, &made.tags).unwrap());
        let event = Event { event_type: made.event.parse().unwrap(), data: made.data, tags: made.tags, ..event(1) };
        let row = json!({"sk": webhook(1), "dialect": "standard", "filters": filtered(&filter)});
        let subscription: postrider_aws::config_table::Subscription = serde_json::from_value(row).unwrap();
        let mut judge = Judge::new(&event);
        let judged = subscription.judge(&event, event.timestamp, |filter| judge.matches(filter)).unwrap();
        prop_assert_eq!(judged == Judgement::Takes, expected, "{} {:?}", filter, event);
    }
}
