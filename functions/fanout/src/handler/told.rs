//! What is put on the bus beside the rows, and what becomes of it where the bus, or a row, fails.

use std::iter::repeat_with;

use postrider_domain::event::{EventType, OwnType};
use replay::{Said, Script};
use serde_json::{Value, json};

use super::tests::{batch, event, fanout, sent, subscriptions, taking, tenant};
use super::*;
use crate::turn::ROWS_OF_MANY;
use crate::world::{World, webhook};

/// A notice of a tenant's of this number.
fn notice(number: u64) -> Event {
    Event { event_type: EventType::from(OwnType::WebhookDisabled), ours: true, ..event(number) }
}

fn entries(script: &Script) -> Vec<Vec<Value>> {
    script.asked("PutEvents").iter().map(|call| call["Entries"].as_array().unwrap().clone()).collect()
}

/// A bus that takes everything.
fn hearing(script: Script) -> Script {
    script.answering("PutEvents", |call| {
        let entries = call["Entries"].as_array()?.len();
        Some(Said::body(json!({"FailedEntryCount": 0, "Entries": vec![json!({}); entries]})))
    })
}

fn nobody_asks() -> Script {
    Script::default().saying("Query", repeat_with(|| Said::rows::<Value>(&[])))
}

#[tokio::test]
async fn a_notice_is_put_on_the_bus_and_goes_to_webhooks_too() {
    let script = taking(hearing(World::default().subscribed(&tenant(1), "webhook.*", [7]).aws()));
    let of_a_producer = Event { event_type: "invoice.paid".parse().unwrap(), ..event(2) };
    let notice = notice(1);
    fanout(&script).handle(&batch(&[notice.clone(), of_a_producer])).await.unwrap();
    let put = entries(&script);
    assert_eq!((put.len(), put[0].len()), (1, 1));
    assert_eq!(put[0][0]["DetailType"], "Postrider Notice");
    let detail: Value = serde_json::from_str(put[0][0]["Detail"].as_str().unwrap()).unwrap();
    assert_eq!((&detail["id"], &detail["tenant_id"]), (&json!(notice.id), &json!(notice.tenant_id)));
    let messages = sent(&script, "deliver");
    assert_eq!((messages.len(), &messages[0].0["endpoint_id"]), (1, &json!(webhook(7))));
}

#[tokio::test]
async fn notices_are_put_in_tens() {
    let script = taking(hearing(nobody_asks()));
    let notices: Vec<Event> = (0..25).map(notice).collect();
    fanout(&script).handle(&batch(&notices)).await.unwrap();
    let mut sizes: Vec<usize> = entries(&script).iter().map(Vec::len).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [5, 10, 10]);
}

#[tokio::test(start_paused = true)]
async fn what_the_bus_does_not_take_comes_again_and_no_other() {
    let partly = json!({"FailedEntryCount": 1, "Entries": [{}, {"ErrorCode": "InternalFailure"}]});
    let script = taking(hearing(nobody_asks().saying("PutEvents", [Said::body(partly)])));
    let fanout = fanout(&script);
    let both = batch(&[notice(1), notice(2)]);
    fanout.handle(&both).await.unwrap();
    let left = sent(&script, "unfinished");
    assert_eq!((left.len(), &left[0].0["keys"]["tenant_id"]), (1, &json!(tenant(2))));
    // The stream brings the batch again: only what was not taken is put again.
    fanout.handle(&both).await.unwrap();
    let again = entries(&script).remove(1);
    assert_eq!(again.len(), 1);
    assert!(again[0]["Detail"].as_str().unwrap().contains(tenant(2).as_str()), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_hangs_holds_up_no_webhook() {
    let world = World::default().subscribed(&tenant(1), "webhook.*", [7]);
    let hanging = Script::default().saying("PutEvents", repeat_with(|| Said::done().after(3_600)));
    let script = world.behind(hanging);
    let work = deadline::at_most(Duration::from_secs(20), async {
        let notice = notice(1);
        let left = fanout(&script).fan_out(&[Work::whole(&notice)], Turn::of_stream()).await;
        Ok::<_, Failure>(left)
    });
    let left = work.await.unwrap();
    assert!(left[0].failed.is_some(), "it is told again");
    assert_eq!(sent(&script, "deliver").len(), 1);
}

#[tokio::test]
async fn what_goes_on_is_not_told_again() {
    let many = u64::try_from(ROWS_OF_MANY).unwrap() + 5;
    let script = hearing(World::default().subscribed(&tenant(1), "webhook.*", 0..many).aws());
    let (fanout, notice) = (fanout(&script), notice(1));
    let first = fanout.fan_out(&[Work::whole(&notice)], Turn::of_stream()).await.remove(0);
    let rest = Work { stretch: first.rest.expect("it is for many"), ..Work::whole(&notice) };
    let second = fanout.fan_out(&[rest], Turn::going_on()).await.remove(0);
    assert!(second.failed.is_none() && second.rest.is_none());
    assert_eq!(entries(&script).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_fails_has_its_notice_told_by_the_same_process_once() {
    let unread = Script::default().saying_about(
        "Query",
        subscriptions(&tenant(1), "webhook.*"),
        repeat_with(Said::throttled).take(3),
    );
    let script = taking(hearing(unread.saying("Query", repeat_with(|| Said::rows::<Value>(&[])))));
    let fanout = fanout(&script);
    for _ in 0..2 {
        fanout.handle(&batch(&[notice(1)])).await.unwrap();
    }
    assert_eq!((sent(&script, "unfinished").len(), entries(&script).len()), (1, 1));
}
