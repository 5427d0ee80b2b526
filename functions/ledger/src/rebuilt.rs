//! The request of a delivery, made again: no record has one, since the event has what it says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use postrider_api::document::{JsonSchema, Names, NamesOf, UrlOfWebhook};
use postrider_aws::composer::Unsigned;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::jobs_table::JobsTable;
use postrider_aws::{Failure, event_row};
use postrider_domain::attempt::Attempt;
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::named;
use postrider_domain::portal::Reach;
use postrider_domain::tenant::Tenant;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// What every such request says of itself.
const ABOUT: &str = "Made again from the event and the webhook as they are now; what was sent may have differed where either has \
                     changed since. The signature is left out, and values of the webhook's own headers are shown as `***`.";

named! {
    /// Why a request cannot be made again, by its name in the API.
    pub(crate) enum Lacking {
        /// The event is no longer kept.
        EventExpired = "event_expired",
        /// What the event said was removed.
        EventExpunged = "event_expunged",
        /// The event tells of a webhook that this session is not for.
        OutOfReach = "out_of_reach",
        /// The webhook is deleted.
        WebhookDeleted = "webhook_deleted",
        /// The job whose own URL it went to is no longer kept.
        JobExpired = "job_expired",
        /// Something that it is made of cannot be read. That is Postrider's failure.
        Unreadable = "unreadable",
    }
}

impl NamesOf for Lacking {
    const SCHEMA: (&'static str, &'static str) = ("RequestLacking", "Why a delivery's request cannot be made again.");
}

impl Lacking {
    fn about(self) -> &'static str {
        match self {
            Self::EventExpired => "The event is no longer kept, so nobody knows what it said.",
            Self::EventExpunged => "What the event said was removed, so nobody knows it any more.",
            Self::OutOfReach => "The event tells of another of the tenant's webhooks, which this session is not for.",
            Self::WebhookDeleted => "The webhook is deleted, so nobody knows how it was sent to.",
            Self::JobExpired => "The job is no longer kept, so nobody knows where its end was told.",
            Self::Unreadable => "Something that it is made of cannot be read. That is Postrider's failure.",
        }
    }
}

/// A delivery's request, made again from what there is now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeliveryRequest", example = example())]
pub(crate) struct Rebuilt {
    /// What this is, in words; or why it cannot be made again.
    #[schemars(example = &ABOUT)]
    about: &'static str,
    /// Why it cannot be made again; left out where it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Names<Lacking>>")]
    lacking: Option<Lacking>,
    /// Where to; null where that is not known.
    #[schemars(with = "Option<UrlOfWebhook>")]
    url: Option<String>,
    /// The headers in the order in which they are sent, beside those that are left out, and `host` and `content-length`, which the
    /// connection adds; null where it cannot be made again. What tells an attempt's time tells that of the last one.
    #[schemars(example = example()["headers"].clone())]
    headers: Option<Headers>,
    /// The body as text; null where it cannot be made again.
    #[schemars(example = example()["body"].clone())]
    body: Option<String>,
    /// The names of the headers that are left out here, and are sent.
    #[schemars(example = example()["left_out"].clone())]
    left_out: Vec<String>,
}

/// Headers, each name once.
#[derive(Debug, JsonSchema)]
#[schemars(transparent, rename = "UnsignedHeaders")]
struct Headers(#[schemars(with = "BTreeMap<String, String>")] Vec<(String, String)>);

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Lacking {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// As the standard dialect's are.
fn example() -> Value {
    json!({
        "about": ABOUT,
        "url": "https://hooks.example.com/postrider",
        "headers": {
            "content-type": "application/json",
            "x-team": "***",
            "webhook-id": "evt_01JQ9Z1K3M5N7P9R2S4T",
            "webhook-timestamp": "1768487400",
            "accept": "*/*",
            "user-agent": "Postrider/0.2.0",
        },
        "body": r#"{"type":"invoice.paid","timestamp":"2026-01-15T14:30:00.000Z","data":{"invoice_id":"in_4711"}}"#,
        "left_out": ["webhook-signature"],
    })
}

impl Rebuilt {
    fn lacking(lacking: Lacking, url: Option<String>) -> Self {
        Self { about: lacking.about(), lacking: Some(lacking), url, headers: None, body: None, left_out: Vec::new() }
    }

    fn of(url: String, request: Unsigned) -> Self {
        Self {
            about: ABOUT,
            lacking: None,
            url: Some(url),
            headers: Some(Headers(request.headers)),
            body: Some(String::from_utf8_lossy(&request.body).into_owned()),
            left_out: request.left_out,
        }
    }
}

/// Makes requests again.
pub(crate) struct Rebuilder {
    config: ConfigTable,
    jobs: JobsTable,
    events: EventsTable,
    /// How the deployment's deliveries name their sender, where the operator says so.
    user_agent: Option<String>,
}

impl Rebuilder {
    pub(crate) fn new(config: ConfigTable, jobs: JobsTable, events: EventsTable, user_agent: Option<String>) -> Self {
        Self { config, jobs, events, user_agent }
    }

    /// The request of this tenant's delivery, which has been read with all its attempts.
    ///
    /// # Errors
    /// When a read failed. What is there and cannot be read is told in words: it hides nothing else of the delivery.
    pub(crate) async fn of(&self, (tenant, reach): (&Tenant, &Reach), row: &Delivery) -> Result<Rebuilt, Failure> {
        let endpoint = match self.endpoint(row).await? {
            Ok(endpoint) => endpoint,
            Err(lacking) => return Ok(Rebuilt::lacking(lacking, None)),
        };
        let event = match self.event(row).await? {
            Ok(event) if reach.sees(&event) => event,
            Ok(_) => return Ok(Rebuilt::lacking(Lacking::OutOfReach, Some(endpoint.url))),
            Err(lacking) => return Ok(Rebuilt::lacking(lacking, Some(endpoint.url))),
        };
        let request = Unsigned::of((tenant, &endpoint), &event, last_sent_at(row), self.user_agent.as_deref());
        Ok(match request {
            Ok(request) => Rebuilt::of(endpoint.url, request),
            Err(_) => Rebuilt::lacking(Lacking::Unreadable, Some(endpoint.url)),
        })
    }

    async fn endpoint(&self, row: &Delivery) -> Result<Result<Endpoint, Lacking>, Failure> {
        let (found, gone) = match &row.job_id {
            Some(job) => {
                let job = self.jobs.get(job).await;
                let job = job.map(|job| job.filter(|job| job.tenant_id == row.tenant_id));
                (job.map(|job| job.as_ref().and_then(Endpoint::of_job)), Lacking::JobExpired)
            }
            None => (
                self.config.endpoint_or_tombstone(&row.tenant_id, &row.endpoint_id).await,
                // It was not deleted, or there would be a tombstone.
                Lacking::Unreadable,
            ),
        };
        match found {
            Ok(Some(endpoint)) if endpoint.deleted_at.is_some() => Ok(Err(Lacking::WebhookDeleted)),
            Ok(found) => Ok(found.ok_or(gone)),
            Err(error) if error.is_unreadable() => Ok(Err(Lacking::Unreadable)),
            Err(error) => Err(error),
        }
    }

    async fn event(&self, row: &Delivery) -> Result<Result<Event, Lacking>, Failure> {
        let Some(item) = self.events.get_item(&row.tenant_id, &row.event_id).await? else {
            return Ok(Err(Lacking::EventExpired));
        };
        let row: event_row::Row = item.into();
        if event_row::expunged_at(&row).is_some() {
            return Ok(Err(Lacking::EventExpunged));
        }
        Ok(event_row::read(row).map_err(|_| Lacking::Unreadable))
    }
}

/// When the last attempt that went out began.
fn last_sent_at(row: &Delivery) -> Option<Timestamp> {
    let sent = |attempt: &&Attempt| attempt.was_sent();
    row.history().into_iter().filter(sent).map(|attempt| attempt.at).next_back()
}
