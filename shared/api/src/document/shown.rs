//! What answers are made of: instants, ids, and the names of the domain's own lists.

use std::borrow::Cow;
use std::marker::PhantomData;

use jiff::Timestamp;
use postrider_domain::deletion::Stage;
use postrider_domain::delivery::{Reason, Status};
use postrider_domain::dialect;
use postrider_domain::doctor;
use postrider_domain::endpoint::EndpointStatus;
use postrider_domain::endpoint::parking::{Cause, State};
use postrider_domain::id::{
    CancellationId, DeliveryId, EndpointId, EventId, JobId, KeyId, RecoveryId, SessionId, TenantId,
};
use postrider_domain::job::{JobStatus, ProjectStatus};
use postrider_domain::key::Scope;
use postrider_domain::named::Named;
use postrider_domain::portal::Capability;
use postrider_domain::quota::Quota;
use postrider_domain::recovery::Progress;
use postrider_domain::tenant::{Plan, TenantStatus};
use postrider_domain::time;
use postrider_domain::withheld::{NotDelivered, Withheld};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// An instant as every answer shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::as_wire::serialize(&self.0, serializer)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
            "description": "An instant: RFC 3339, UTC, with milliseconds and `Z`.",
            "examples": ["2026-01-15T14:30:00.000Z"],
        })
    }
}

/// The schema of an enum of the domain's: all its names, each with what it means.
pub struct Names<T>(PhantomData<T>);

/// An enum of the domain's that the API shows.
pub trait NamesOf: Named {
    /// What its schema is called, and what it tells of.
    const SCHEMA: (&'static str, &'static str);
}

macro_rules! names_of {
    ($($enum:ty = $name:literal, $about:literal;)+) => { $(
        impl NamesOf for $enum {
            const SCHEMA: (&'static str, &'static str) = ($name, $about);
        }
    )+ };
}
names_of! {
    Plan = "Plan", "What a tenant pays for.";
    Scope = "Scope", "One thing that a key may do.";
    Capability = "Capability", "One thing that a session in the portal may do.";
    Quota = "QuotaName", "What there is a quota of.";
    Status = "DeliveryStatus", "Where a delivery stands.";
    Reason = "DeliveryReason", "Why a delivery was given up or called off.";
    EndpointStatus = "WebhookStatus", "Whether a webhook is sent to.";
    TenantStatus = "TenantStatus", "Whether a tenant may use the API and is sent to.";
    Stage = "DeletionStage", "What a tenant's deletion takes away next.";
    Progress = "RecoveryStatus", "Whether a recovery goes on.";
    State = "ParkingState", "How a webhook's parking stands.";
    Cause = "ParkingCause", "Why deliveries are parked.";
    NotDelivered = "WhyNotDelivered", "Why a webhook did not get an event, judged by the webhook as it is now: the first that holds.";
    Withheld = "WhyNotSent", "Why a webhook would not be sent an event, the first that holds.";
    doctor::Cause = "VerifyCause", "What is wrong with a request that was received.";
    JobStatus = "JobStatus", "Where a job of projects stands.";
    ProjectStatus = "ProjectStatus", "Where a project of a job stands.";
}

impl<T: NamesOf> JsonSchema for Names<T> {
    fn schema_name() -> Cow<'static, str> {
        T::SCHEMA.0.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = T::ALL.iter().map(|one| one.as_str()).collect();
        let meanings: String = T::ALL.iter().map(|one| format!("\n- `{}`: {}", one.as_str(), one.meaning())).collect();
        let description = format!("{}\n{meanings}", T::SCHEMA.1);
        json_schema!({"type": "string", "enum": names, "description": description, "examples": [names[0]]})
    }
}

/// The schema of an id.
pub struct Id<T>(PhantomData<T>);

/// A kind of ids.
pub trait ShownId {
    /// What its schema is called, and what it tells of.
    const SCHEMA: (&'static str, &'static str);
    /// What every one of them looks like.
    const PATTERN: &'static str;
    /// One of them.
    const EXAMPLE: &'static str;
}

macro_rules! shown_ids {
    ($($id:ty = $name:literal, $about:literal, $pattern:literal, $example:literal;)+) => {
        $(
            impl ShownId for $id {
                const SCHEMA: (&'static str, &'static str) = ($name, $about);
                const PATTERN: &'static str = $pattern;
                const EXAMPLE: &'static str = $example;
            }
        )+

        #[cfg(test)]
        fn examples_that_are_none() -> Vec<&'static str> {
            let all = [$(($example, $example.parse::<$id>().is_ok())),+];
            all.into_iter().filter(|(_, is_one)| !is_one).map(|(example, _)| example).collect()
        }
    };
}
shown_ids! {
    TenantId = "TenantId", "A tenant's id.", "^ten_[0-9A-Za-z]{16}$", "ten_0Uj3xKq8mPz4RtVb";
    KeyId = "KeyId", "An API key's id, which is not the key.", "^key_[0-9A-Za-z]{16}$", "key_0Uj3xKq8aB2cD4eF";
    EndpointId = "WebhookId", "A webhook's id.", "^wh_[0-9A-Za-z]{16}$", "wh_0Uj3xKq8Zk1Yw9Xs";
    SessionId = "SessionId", "A session's id, which is not what the visitor sends.", "^ses_[0-9A-Za-z]{16}$", "ses_0Uj3xKq8Mn5Pq7Rs";
    RecoveryId = "RecoveryId", "A recovery's id.", "^rec_[0-9A-Za-z]{16}$", "rec_0Uj3xKq8Qr5St6Uv";
    CancellationId = "CancellationId", "A cancellation's id.", "^can_[0-9A-Za-z]{16}$", "can_0Uj3xKq8Wv7Xy8Za";
    EventId = "EventId", "An event's id, the same at every webhook and every attempt.", "^evt_[0-9A-Za-z_-]{1,64}$",
        "evt_4Qz7Lm2Np8Rs5Tv1Wx3Y";
    DeliveryId = "DeliveryId", "A delivery's id: one event at one webhook.", "^dlv_[0-9A-Za-z]{44}$",
        "dlv_0Uj3xKq80Uj3xKq8Zk1Yw9Xs4Qz7Lm2Np8Rs5Tv1Wx3Y";
    JobId = "JobId", "A job's id: a UUID under `/api/v1`, `job_` and 16 characters under `/v1/jobs`.",
        "^(job_[0-9A-Za-z]{16}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$", "job_0Uj3xKq8Hj7Kl9Mn";
}

impl<T: ShownId> JsonSchema for Id<T> {
    fn schema_name() -> Cow<'static, str> {
        T::SCHEMA.0.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": T::PATTERN, "description": T::SCHEMA.1, "examples": [T::EXAMPLE]})
    }
}

/// The schema of a dialect's name. No list: an operator may have dialects of his own.
pub struct DialectName;

impl JsonSchema for DialectName {
    fn schema_name() -> Cow<'static, str> {
        "Dialect".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = dialect::all().map(|dialect| dialect.name).collect();
        let description = format!(
            "How a key's webhooks are signed, timed and laid out. Postrider comes with {}; an operator may have more.",
            names.join(", ")
        );
        json_schema!({"type": "string", "description": description, "examples": names})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_of_an_id_is_one() {
        assert_eq!(examples_that_are_none(), Vec::<&str>::new());
    }

    #[test]
    fn an_instant_is_shown_as_everywhere() {
        let at: Timestamp = "2026-01-15T14:30:00Z".parse().unwrap();
        assert_eq!(serde_json::to_string(&Time::from(at)).unwrap(), "\"2026-01-15T14:30:00.000Z\"");
    }
}
