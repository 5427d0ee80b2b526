//! Writes whose answer is lost, and whose row somebody else has changed before the SDK tries again: what was done is known by
//! what stands there, since the mark is no longer ours.

use jiff::Timestamp;
use postrider_domain::dialect::{DialectRef, STANDARD};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::{Event, EventPattern, OwnType};
use postrider_domain::id::{EndpointId, EventId, TenantId};
use postrider_domain::quota::Quotas;
use postrider_domain::stored_secret::StoredSecret;
use postrider_domain::tenant::{Plan, Tenant};
use postrider_domain::time;
use postrider_host::deadline::{self, Waiting};
use replay::{Said, Script};
use serde_json::{Value, json};

use super::{ConfigTable, Made};
use crate::conditional::Recorded;
use crate::events_table::EventsTable;
use crate::sample::nothing_told;
use crate::{sample, sdk};

const OLD: &str = "k1.old";
const NEW: &str = "k1.new";

fn table(script: &Script) -> ConfigTable {
    ConfigTable::of(&script.sdk(sdk::over), "config")
}

fn endpoint() -> Endpoint {
    let at = Timestamp::UNIX_EPOCH;
    let (id, tenant) = (EndpointId::new(at, 1), TenantId::new(at, 1));
    Endpoint {
        events: vec!["*".parse::<EventPattern>().unwrap()],
        secrets: vec![StoredSecret::new(OLD.to_owned())],
        revision: 3,
        ..Endpoint::bare(id, tenant, "https://hooks.example/".to_owned(), DialectRef(&STANDARD), at)
    }
}

/// An AWS that has counted the tenant's webhooks, and says this of transactions.
fn counted<const N: usize>(said: [Said; N]) -> Script {
    let count = json!({"webhooks": 1, "list_bytes": 1000, "moves": 1, "counted_at": 0});
    let row = replay::keyed(format!("TENANT#{}", endpoint().tenant_id), "WEBHOOKS", &count);
    Script::default().holding("config", [row]).saying("TransactWriteItems", said)
}

fn secrets(of: &[&str]) -> Vec<StoredSecret> {
    of.iter().map(|sealed| StoredSecret::new((*sealed).to_owned())).collect()
}

/// A row that somebody else has written last, with these secrets.
fn theirs(sealed: &[&str]) -> Value {
    let secrets: Vec<_> = sealed.iter().map(|sealed| json!({"sealed": sealed})).collect();
    json!({"changed_by": "somebody", "revision": 5, "secrets": secrets})
}

async fn rotated(there: &Value) -> Recorded {
    let script = Script::new([Said::lost(), Said::cancelled(&[Ok(there.clone())])]);
    let after = Endpoint { secrets: secrets(&[NEW, OLD]), ..endpoint() };
    table(&script)
        .change_endpoint(&endpoint(), &after, Quotas::of(Plan::Pro), Timestamp::UNIX_EPOCH, &nothing_told(&script))
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_known_by_its_secret() {
    assert_eq!(rotated(&theirs(&[NEW, OLD])).await, Recorded::Yes);
    assert_eq!(rotated(&theirs(&["k1.theirs", NEW, OLD])).await, Recorded::Yes, "rotated again since");
    assert_eq!(rotated(&theirs(&["k1.theirs", OLD])).await, Recorded::Overtaken);
    assert_eq!(rotated(&theirs(&[])).await, Recorded::Overtaken);
}

#[tokio::test(start_paused = true)]
async fn a_change_without_a_secret_is_not_known_by_those_that_stay() {
    let script = Script::new([Said::lost(), Said::cancelled(&[Ok(theirs(&[OLD]))])]);
    let after = Endpoint { description: Some("mine".to_owned()), ..endpoint() };
    let changed = table(&script)
        .change_endpoint(&endpoint(), &after, Quotas::of(Plan::Pro), Timestamp::UNIX_EPOCH, &nothing_told(&script))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changed, Recorded::Overtaken, "it is made again from what stands there now");
}

#[tokio::test(start_paused = true)]
async fn a_rotation_of_a_tenants_secret_is_known_by_it() {
    let at = Timestamp::UNIX_EPOCH;
    let tenant =
        Tenant { secrets: secrets(&[OLD]), ..Tenant::bare(TenantId::new(at, 1), "a".to_owned(), Plan::Pro, at) };
    for (there, recorded) in [(&[NEW, OLD][..], Recorded::Yes), (&["k1.theirs", OLD], Recorded::Overtaken)] {
        let script = Script::new([Said::lost(), Said::refused(&theirs(there))]);
        let changed = table(&script).change_tenant_secrets(&tenant, &secrets(&[NEW, OLD])).await.unwrap();
        assert_eq!(changed, recorded, "{there:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_is_known_by_its_id_whatever_became_of_it_since() {
    let mut there = theirs(&[OLD]);
    there["id"] = json!(endpoint().id);
    let script = counted([Said::lost(), Said::cancelled(&[Ok(there), Err("None"), Err("None")])]);
    let quotas = Quotas::of(Plan::Pro);
    let made = table(&script).create_endpoint(&endpoint(), quotas, None, &nothing_told(&script)).await.unwrap();
    assert_eq!(made, Ok(Made::Now));
}

#[tokio::test(start_paused = true)]
async fn a_deletion_is_known_by_its_time() {
    let now = Timestamp::from_second(1_768_000_000).unwrap();
    for (at, changed) in [(now, Recorded::Yes), (Timestamp::UNIX_EPOCH, Recorded::Overtaken)] {
        let there = json!({"changed_by": "somebody", "deleted_at": time::wire(at)});
        let script = counted([Said::lost(), Said::cancelled(&[Ok(there), Err("None"), Err("None")])]);
        assert_eq!(table(&script).delete_endpoint(&endpoint(), now, 0, &nothing_told(&script)).await.unwrap(), changed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_disabling_is_known_by_the_event_that_tells_of_it() {
    let event = Event {
        tenant_id: endpoint().tenant_id,
        id: EventId::fresh(7),
        event_type: OwnType::WebhookDisabled.into(),
        ours: true,
        counted: false,
        ..sample::event()
    };
    for (id, changed) in [(7, Recorded::Yes), (8, Recorded::Overtaken)] {
        let there = json!({"id": EventId::fresh(id)});
        let script = Script::new([Said::lost(), Said::cancelled(&[Ok(theirs(&[])), Ok(there)])]);
        let announcement = EventsTable::of(&script.sdk(sdk::over), "events").put_in_transaction(&event).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let disabled = table(&script).disable_endpoint(&endpoint(), ("gone", None), now, announcement).await.unwrap();
        assert_eq!(disabled, changed);
    }
}

/// Lambda's deadline in so many seconds, in milliseconds since 1970.
fn in_seconds(seconds: i64) -> u64 {
    u64::try_from(Timestamp::now().as_millisecond() + seconds * 1000).unwrap()
}

#[tokio::test(start_paused = true)]
async fn no_second_try_replaces_a_secret_that_there_is_no_time_to_show() {
    let after = Endpoint { secrets: secrets(&[NEW, OLD]), ..endpoint() };
    let script = Script::new([Said::lost().after(3), Said::done()]);
    deadline::within(in_seconds(8), Waiting::Caller, async {
        let changed = table(&script)
            .change_endpoint(&endpoint(), &after, Quotas::of(Plan::Pro), Timestamp::UNIX_EPOCH, &nothing_told(&script))
            .await;
        assert!(changed.unwrap_err().is_busy());
        assert!(deadline::has_written(), "the first try may have been carried out, and its caller hears so");
    })
    .await;
    assert_eq!(script.asked("TransactWriteItems").len(), 1);
    // What brings nothing to show goes on to its end.
    let after = Endpoint { description: Some("mine".to_owned()), ..endpoint() };
    let script = Script::new([Said::lost().after(3), Said::done()]);
    deadline::within(in_seconds(8), Waiting::Caller, async {
        let changed = table(&script)
            .change_endpoint(&endpoint(), &after, Quotas::of(Plan::Pro), Timestamp::UNIX_EPOCH, &nothing_told(&script))
            .await;
        assert_eq!(changed.unwrap(), Ok(Recorded::Yes));
    })
    .await;
}
