//! What unit tests sweep.

use jiff::{SignedDuration, Timestamp};
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::notices::Notices;
use postrider_aws::sdk;
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::dialect::STANDARD;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::id::DeliveryId;
use postrider_host::clock;
use postrider_host::env::Retention;
use replay::{Caller, Script, keyed, sample};
use serde_json::json;

/// A reader of the tables that [`script`] holds.
pub(crate) fn reader(script: &Script) -> BatchReader {
    BatchReader::of(&script.sdk(sdk::over), ["config", "events", "deliveries", "jobs"].map(str::to_owned))
}

/// What makes notices, over the same tables.
pub(crate) fn notices(script: &Script) -> Notices {
    let sdk = script.sdk(sdk::over);
    let (config, events) = (ConfigTable::of(&sdk, "config"), EventsTable::of(&sdk, "events"));
    Notices::of(config, events, Retention { seconds: 60 })
}

/// An AWS that holds this delivery, and the tenant, the webhook and the event of those that are made here.
pub(crate) fn script(row: &Delivery) -> Script {
    holding(Script::default(), row)
}

/// The same beside what is said already.
pub(crate) fn holding(script: Script, row: &Delivery) -> Script {
    let endpoint = endpoint();
    let webhook = keyed(format!("TENANT#{}", endpoint.tenant_id), format!("WEBHOOK#{}", endpoint.id), &endpoint);
    script
        .holding("config", owner().rows())
        .holding("config", [webhook])
        .holding("events", [json!(event())])
        .holding("deliveries", [json!(row)])
        .holding("jobs", [])
}

/// A delivery that nobody has tried.
pub(crate) fn pending() -> Delivery {
    Delivery::pending(&event(), endpoint().id, Timestamp::UNIX_EPOCH, 0)
}

/// One whose next attempt was due so many seconds ago.
pub(crate) fn due(seconds_ago: i64) -> Delivery {
    let due = clock::now() - SignedDuration::from_secs(seconds_ago);
    Delivery { status: Status::Retrying, next_attempt_at: Some(due), attempts_made: 1, ..pending() }
}

/// The same under the id that follows from its webhook.
pub(crate) fn moved(row: &Delivery) -> Delivery {
    Delivery { id: DeliveryId::new(row.created_at, &row.endpoint_id, &row.event_id), ..row.clone() }
}

fn owner() -> Caller {
    Caller::of_tenant(1, &STANDARD, &[])
}

pub(crate) fn endpoint() -> Endpoint {
    sample::endpoint(owner().tenant_id())
}

fn event() -> Event {
    sample::event(owner().tenant_id())
}
