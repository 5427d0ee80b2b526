//! What is judged by what was read when, and how often it is read.

use std::iter::repeat_with;

use postrider_domain::catalogue::{About, CataloguedType};
use replay::{Said, Script};
use serde_json::Value;
use tokio::time::{Instant, advance};

use super::*;
use crate::sdk;

const STRICT: &str = r#"{"required":["a"]}"#;

fn catalogue(script: &Script, openness: Openness) -> Catalogue {
    Catalogue::new(ConfigTable::of(&script.sdk(sdk::over), "config"), openness)
}

fn name(text: &str) -> EventType {
    text.parse().unwrap()
}

fn about(schema: &str) -> About {
    About { schema: Some(schema.to_owned()), example: Some(r#"{"a":1}"#.to_owned()), ..About::default() }
}

fn made(name: &str, schema: &str, at: Timestamp) -> CataloguedType {
    CataloguedType::new(self::name(name), about(schema), None, at)
}

fn row(one: &CataloguedType) -> Value {
    replay::keyed("EVENT_TYPES", format!("TYPE#{}", one.name), one)
}

fn holding(types: &[CataloguedType]) -> Script {
    Script::default().holding("config", types.iter().map(row))
}

/// What was said: the field that was amiss and its faults' places; or that we failed.
fn told(judged: Result<(), NotTaken>) -> Result<(), String> {
    judged.map_err(|not_taken| match not_taken {
        NotTaken::Refused(refusal) => {
            let places: Vec<_> = refusal.faults().iter().map(|fault| fault.path.as_str()).collect();
            format!("{} {}", refusal.invalid().field, places.join(" ")).trim_end().to_owned()
        }
        NotTaken::Failed(failure) => format!("failed, busy: {}", failure.is_busy()),
    })
}

fn some_time_ago(seconds: i64) -> Timestamp {
    clock::now() - SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn data_is_held_to_its_types_schema() {
    let script = holding(&[made("invoice.paid", r#"{"properties":{"a":{"type":"integer"}}}"#, some_time_ago(500))]);
    let catalogue = catalogue(&script, Openness::Open);
    for _ in 0..3 {
        assert_eq!(told(catalogue.judge(&name("invoice.paid"), r#"{"a":1}"#).await), Ok(()));
        let judged = catalogue.judge(&name("invoice.paid"), r#"{"a":"1"}"#).await;
        assert_eq!(told(judged), Err("data /a".to_owned()));
        assert_eq!(told(catalogue.judge(&name("unknown"), "{}").await), Ok(()));
    }
    assert_eq!(script.asked("GetItem").len(), 2, "once for each name, also for the one that is no type");
    assert_eq!(catalogue.example(&name("invoice.paid")).await.unwrap().as_deref(), Some(r#"{"a":1}"#));
}

#[tokio::test]
async fn where_it_is_closed_what_is_unknown_is_refused() {
    let gone = made("gone", STRICT, some_time_ago(500)).deleted(some_time_ago(400));
    let catalogue = catalogue(&holding(&[made("known", "{}", some_time_ago(500)), gone]), Openness::Closed);
    for (event_type, taken) in
        [("known", true), ("unknown", false), ("gone", false), ("dubbing.failed", true), ("job.completed", true)]
    {
        let expected = if taken { Ok(()) } else { Err("event".to_owned()) };
        assert_eq!(told(catalogue.judge(&name(event_type), "{}").await), expected, "{event_type}");
        assert_eq!(
            told(catalogue.judge_row(&name(event_type), "{}", some_time_ago(10)).await),
            expected,
            "{event_type}"
        );
    }
}

#[tokio::test]
async fn our_own_types_are_judged_without_a_call() {
    let script = Script::default();
    let catalogue = catalogue(&script, Openness::Closed);
    let own = name("webhook.disabled");
    let example = catalogue.example(&own).await.unwrap().unwrap();
    assert_eq!(told(catalogue.judge(&own, &example).await), Ok(()));
    assert_eq!(told(catalogue.judge(&own, "{}").await), Err("data".to_owned()));
    assert!(script.operations().is_empty());
}

#[tokio::test]
async fn many_who_ask_at_once_cost_one_read() {
    let script = holding(&[made("invoice.paid", STRICT, some_time_ago(500))]);
    let (catalogue, paid) = (catalogue(&script, Openness::Open), name("invoice.paid"));
    let judged = futures::future::join_all((0..25).map(|_| catalogue.judge(&paid, "{}"))).await;
    assert!(judged.into_iter().all(|judged| told(judged) == Err("data".to_owned())));
    assert_eq!(script.asked("GetItem").len(), 1);
}

/// What was read a while ago, in a catalogue whose table says something else, or nothing, since.
fn read_before(since: Script, seconds: i64) -> Catalogue {
    let catalogue = catalogue(&since, Openness::Open);
    let one = made("invoice.paid", STRICT, some_time_ago(5000));
    catalogue.shelf.put(&name("invoice.paid"), some_time_ago(seconds), Some(one));
    catalogue
}

#[tokio::test]
async fn a_change_counts_within_a_minute() {
    let changed = || {
        let one = made("invoice.paid", STRICT, some_time_ago(5000));
        holding(&[one.changed(About::default(), some_time_ago(1))])
    };
    let judged =
        |seconds| async move { told(read_before(changed(), seconds).judge(&name("invoice.paid"), "{}").await) };
    assert_eq!((judged(43).await, judged(46).await), (Err("data".to_owned()), Ok(())));
    assert_eq!(judged(-100).await, Ok(()), "a clock that was put back keeps nothing alive");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_anew_counts_for_ten_minutes_for_those_who_wait() {
    let silent = || Script::default().saying("GetItem", repeat_with(|| Said::done().after(100)));
    let paid = name("invoice.paid");
    for (seconds, expected) in [(46, "data"), (590, "data"), (610, "failed, busy: true")] {
        let catalogue = read_before(silent(), seconds);
        assert_eq!(told(catalogue.judge(&paid, "{}").await), Err(expected.to_owned()), "{seconds}");
    }
    let catalogue = read_before(silent(), 60);
    let judged = catalogue.judge_row(&paid, "{}", clock::now()).await;
    assert_eq!(
        told(judged),
        Err("failed, busy: true".to_owned()),
        "a row comes again: it is to be judged alike each time"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_stands_for_a_second() {
    let script = Script::default().saying("GetItem", repeat_with(|| Said::done().after(100)));
    let (catalogue, paid) = (catalogue(&script, Openness::Open), name("invoice.paid"));
    let started = Instant::now();
    for _ in 0..3 {
        assert!(told(catalogue.judge(&paid, "{}").await).unwrap_err().starts_with("failed"));
    }
    assert!(started.elapsed() < PATIENCE * 2, "{:?}", started.elapsed());
    advance(Duration::from_secs(1)).await;
    assert!(told(catalogue.judge(&paid, "{}").await).unwrap_err().starts_with("failed"));
    assert!(started.elapsed() > PATIENCE * 2);
}

#[tokio::test]
async fn a_row_is_judged_by_what_counted_when_it_was_written() {
    let strict = made("invoice.paid", STRICT, some_time_ago(5000));
    let changed = strict.changed(About::default(), some_time_ago(1000));
    let script = holding(&[changed]);
    let catalogue = catalogue(&script, Openness::Open);
    let judged = |seconds: i64| {
        let (catalogue, paid) = (&catalogue, name("invoice.paid"));
        async move { told(catalogue.judge_row(&paid, "{}", some_time_ago(seconds)).await) }
    };
    for (written, expected) in [(4950, Ok(())), (4900, Err("data")), (945, Err("data")), (935, Ok(())), (0, Ok(()))] {
        assert_eq!(judged(written).await, expected.map_err(str::to_owned), "{written}");
    }
    assert_eq!(script.asked("GetItem").len(), 1, "what is older was foreseen");
    assert_eq!(judged(KEPT_SECONDS + 10).await, Ok(()), "so long ago nothing is known");
}

#[tokio::test]
async fn a_row_is_judged_by_what_is_known_of_its_time_and_not_by_what_was_read_before() {
    let one = made("invoice.paid", STRICT, some_time_ago(5000));
    let changed = || holding(&[one.changed(About::default(), some_time_ago(100))]);
    let judged = |read: i64, written: i64| {
        let catalogue = read_before(changed(), read);
        async move { told(catalogue.judge_row(&name("invoice.paid"), "{}", some_time_ago(written)).await) }
    };
    assert_eq!(judged(200, 160).await, Err("data".to_owned()), "read before it, and nothing can have counted since");
    assert_eq!(judged(200, 30).await, Ok(()), "read too long before it: it is read again");
}

#[tokio::test]
async fn schemas_are_compiled_once_however_often_they_are_read() {
    let one = made("invoice.paid", STRICT, some_time_ago(5000));
    let catalogue =
        read_before(holding(&[one.changed(About { deprecated: true, ..one.about() }, some_time_ago(10))]), 100);
    let paid = name("invoice.paid");
    let schema = |known: Option<Arc<Known>>| known.and_then(|known| known.standings.now().schema.clone()).unwrap();
    let before = schema(catalogue.shelf.get(&paid, |_| true).unwrap());
    assert!(told(catalogue.judge(&paid, "{}").await).is_err());
    assert!(Arc::ptr_eq(&before, &schema(catalogue.shelf.get(&paid, |_| true).unwrap())));
    assert_eq!(catalogue.as_it_is(&paid).await.unwrap().unwrap().standings.schemas().count(), 1);
}

#[tokio::test]
async fn names_that_somebody_makes_up_push_out_no_type_and_have_a_bound() {
    let script = holding(&[made("invoice.paid", STRICT, some_time_ago(500))]);
    let (catalogue, paid) = (catalogue(&script, Openness::Open), name("invoice.paid"));
    assert!(told(catalogue.judge(&paid, "{}").await).is_err());
    for n in 0..2500 {
        catalogue.shelf.loading(&name(&format!("made.up{n}")));
        catalogue.shelf.put(&name(&format!("made.up{n}")), clock::now(), None);
        assert!(catalogue.shelf.len() <= 2000);
    }
    assert!(told(catalogue.judge(&paid, "{}").await).is_err());
    assert_eq!(script.asked("GetItem").len(), 1);
}

#[tokio::test]
async fn what_is_remembered_of_types_has_a_bound_in_bytes() {
    let catalogue = catalogue(&Script::default(), Openness::Open);
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(30_000));
    for n in 0..300 {
        let text = format!("t{n}");
        catalogue.shelf.put(&name(&text), clock::now(), Some(made(&text, &long, some_time_ago(1))));
        assert!(catalogue.shelf.len() * 30_000 <= 4 * 1024 * 1024 + 30_000);
    }
    assert!(catalogue.shelf.len() > 1);
}

#[tokio::test]
async fn a_schema_that_this_version_cannot_read_lets_nothing_through() {
    let mut one = made("invoice.paid", STRICT, some_time_ago(500));
    one = one.changed(about(r#"{"type":"of another version"}"#), some_time_ago(400));
    let catalogue = catalogue(&holding(&[one]), Openness::Open);
    assert_eq!(told(catalogue.judge(&name("invoice.paid"), "{}").await), Err("failed, busy: false".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_judged_that_could_outlast_its_time() {
    let catalogue = catalogue(&holding(&[made("invoice.paid", STRICT, some_time_ago(500))]), Openness::Open);
    let (paid, long) = (name("invoice.paid"), format!(r#"{{"a":"{}"}}"#, "x".repeat(250_000)));
    let judged = async |seconds, data: &str| {
        deadline::at_most(Duration::from_secs(seconds), async { told(catalogue.judge(&paid, data).await) }).await
    };
    assert_eq!(
        (judged(3, "{}").await, judged(3, &long).await),
        (Err("data".to_owned()), Err("failed, busy: true".to_owned()))
    );
    assert_eq!(judged(10, &long).await, Ok(()));
}

#[test]
fn the_longest_that_may_be_judged_leaves_time_for_the_rest() {
    assert!(
        longest(&"x".repeat(postrider_domain::event::MAX_DATA_BYTES)) < Duration::from_secs(8),
        "of fifteen seconds"
    );
    assert!(longest("{}") < Duration::from_secs(2));
}
