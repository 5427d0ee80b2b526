//! The dialects that come with Postrider, in the words in which an operator writes down his own; and those words.

use std::error::Error;

use jiff::Timestamp;
use postrider_domain::dialect::{self, Catalogue, Dialect, JobKind, SecretOf, SecretWhenNone};
use postrider_domain::event::Event;
use postrider_domain::event::OwnType;
use postrider_domain::id::{EndpointId, EventId, TenantId};
use postrider_domain::payload::{self, BodyShape};
use postrider_domain::retry;
use postrider_domain::secret::KeyDerivation;
use postrider_domain::signature::{Content, Encoding, Signing};
use serde_json::{Map, Value, json};

pub(crate) fn built_in() -> Result<Vec<Value>, Box<dyn Error>> {
    dialect::all().map(of).collect()
}

fn of(dialect: &Dialect) -> Result<Value, Box<dyn Error>> {
    Ok(json!({
        "name": dialect.name,
        "key_prefix": dialect.key_prefix,
        "signature": signature(&dialect.signing),
        "secret_of": match dialect.secret_of {
            SecretOf::Endpoint => "endpoint",
            SecretOf::Tenant => "tenant",
            SecretOf::Deployment => "deployment",
        },
        "makes_secrets": dialect.secret_when_none == SecretWhenNone::Made,
        "registers": dialect.registers,
        "jobs": dialect.jobs.map(JobKind::as_str),
        "body": envelope(dialect.body)?,
        "events": match dialect.catalogue {
            Catalogue::Open(_) => None,
            Catalogue::Only(types) => Some(types),
        },
        "timeout_seconds": dialect.timeout.as_secs(),
        "retry_seconds": dialect.retry.delays,
        "jitter_percent": dialect.retry.jitter_percent,
        "horizon_seconds": retry::horizon_seconds(&dialect.retry),
        "honours_retry_after": dialect.retry.hints.retry_after,
        "gone_disables": dialect.retry.hints.gone,
        "disables_failing": dialect.disables_failing,
        "parks_outages": dialect.parks,
    }))
}

pub(crate) fn signature(signing: &Signing) -> Value {
    let (id, timestamp) = match signing.content {
        Content::Body => (None, None),
        Content::IdTimestampBody { id_header, timestamp_header } => (Some(id_header), Some(timestamp_header)),
    };
    json!({
        "header": signing.header,
        "prefix": signing.prefix,
        "encoding": match signing.encoding {
            Encoding::Hex => "hex",
            Encoding::Base64 => "base64",
        },
        "id_header": id,
        "timestamp_header": timestamp,
        "base64_after": match signing.key {
            KeyDerivation::WholeText => None,
            KeyDerivation::Base64After(prefix) => Some(prefix),
        },
    })
}

/// The fields that a body has around its event's data; none where the data is all of it.
fn envelope(shape: BodyShape) -> Result<Option<Vec<String>>, Box<dyn Error>> {
    if shape == BodyShape::DataAlone {
        return Ok(None);
    }
    let at = Timestamp::UNIX_EPOCH;
    let event = Event {
        tenant_id: TenantId::new(at, 0),
        id: EventId::fresh(0),
        event_type: OwnType::WebhookDisabled.into(),
        data: "{}".to_owned(),
        timestamp: at,
        expires_at: 0,
        ours: true,
        counted: false,
        job_id: None,
        test_of: None,
        announce: None,
        tags: std::collections::BTreeMap::new(),
        traceparent: None,
    };
    let body = payload::body(shape, &event, &EndpointId::new(at, 0))?;
    let fields: Map<String, Value> = serde_json::from_slice(&body)?;
    Ok(Some(fields.into_iter().map(|(name, _)| name).collect()))
}

/// What an operator may write: as he is told it who writes something else.
pub(crate) fn written() -> Value {
    json!({
        "fields": expected_instead_of(r#"[{"?": 0}]"#),
        "signature": expected_instead_of(r#"[{"signature": {"?": 0}}]"#),
        "encodings": expected_instead_of(r#"[{"signature": {"encoding": "?"}}]"#),
        "bodies": expected_instead_of(r#"[{"body": "?"}]"#),
    })
}

fn expected_instead_of(list: &str) -> Vec<String> {
    let told = dialect::extend(list).map_or_else(|invalid| invalid.expected, |()| String::new());
    // Words stand between backquotes, the wrong one first.
    told.split('`').skip(1).step_by(2).skip(1).map(str::to_owned).collect()
}
