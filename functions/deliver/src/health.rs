//! An endpoint's health: since when it fails, and when that is long enough to leave it alone.
//!
//! A healthy endpoint costs nothing here. Whether endpoints are disabled at all is the dialect's to say.

use jiff::Timestamp;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded};
use postrider_domain::attempt::{Outcome, Sign};
use postrider_domain::delivery::{Status, Transition};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::id::EndpointId;
use postrider_domain::own_event::{OwnEvent, POSTRIDER};
use postrider_host::entropy;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};

use crate::noted::Noted;

const GONE: &str = "the receiver answered 410 Gone";
const FAILING: &str = "it failed for five days without one success";

/// Notes how endpoints fare.
pub(crate) struct Health {
    config: ConfigTable,
    events: EventsTable,
    retention: Retention,
}

/// Something new about an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    Succeeding,
    /// Somebody answered, and took nothing.
    Answering,
    Failing,
    /// Nobody answered.
    Down,
    FailedTooLong,
    Gone,
}

impl Fact {
    /// What an attempt says that the endpoint's row does not.
    fn of(endpoint: &Endpoint, made: &Transition, outcome: &Outcome, now: Timestamp) -> Option<Self> {
        if made.disable_endpoint {
            return Some(Self::Gone);
        }
        if !endpoint.dialect.disables_failing && !endpoint.dialect.parks {
            return None;
        }
        let (is_failing, is_down) = (endpoint.failing_since.is_some(), endpoint.down_since.is_some());
        match outcome.sign() {
            _ if made.status == Status::Succeeded => (is_failing || is_down).then_some(Self::Succeeding),
            _ if endpoint.has_failed_too_long(now) => Some(Self::FailedTooLong),
            Sign::Alive => (is_down || !is_failing).then_some(Self::Answering),
            Sign::Down => (!is_down).then_some(Self::Down),
            Sign::Nothing => (!is_failing).then_some(Self::Failing),
        }
    }
}

impl Health {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            events: EventsTable::from_env(sdk)?,
            retention: env::retention()?,
        })
    }

    /// Whether an attempt is the last that is made at its endpoint, which is to be disabled.
    pub(crate) fn is_over(&self, endpoint: &Endpoint, made: &Transition, now: Timestamp) -> bool {
        made.disable_endpoint || (made.status != Status::Succeeded && endpoint.has_failed_too_long(now))
    }

    /// Takes in what an attempt that ended at `now` says about its endpoint.
    ///
    /// # Errors
    /// When a write failed; the endpoint's next batch says it again.
    pub(crate) async fn note(
        &self,
        endpoint: &Endpoint,
        (made, outcome): (&Transition, &Outcome),
        noted: &Noted<(Fact, EndpointId)>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(fact) = Fact::of(endpoint, made, outcome, now) else { return Ok(()) };
        if !noted.is_new((fact, endpoint.id.clone())) {
            return Ok(());
        }
        match fact {
            Fact::Succeeding => self.config.note_succeeding(endpoint).await.map(|_| ()),
            Fact::Answering => self.config.note_answering(endpoint, now).await.map(|_| ()),
            Fact::Down => self.config.note_down(endpoint, now).await.map(|_| ()),
            Fact::Failing => self.config.note_failing(endpoint, now).await.map(|_| ()),
            Fact::Gone => self.disable(endpoint, (GONE, None), now).await,
            Fact::FailedTooLong => self.disable(endpoint, (FAILING, endpoint.failing_since), now).await,
        }
    }

    async fn disable(
        &self,
        endpoint: &Endpoint,
        (reason, failing_since): (&str, Option<Timestamp>),
        now: Timestamp,
    ) -> Result<(), Failure> {
        let event = OwnEvent::webhook_disabled(endpoint, reason, POSTRIDER, now);
        let event = event.into_event(entropy::bits128(), now, now.as_second() + self.retention.seconds);
        let announcement = self.events.put_in_transaction(&event)?;
        if self.config.disable_endpoint(endpoint, (reason, failing_since), now, announcement).await? == Recorded::Yes {
            let (webhook_id, tenant_id) = (endpoint.id.as_str(), endpoint.tenant_id.as_str());
            tracing::warn!(webhook_id, tenant_id, reason, "webhook.disabled");
            metrics::count(Metric::AcceptedEvents, 1);
        }
        Ok(())
    }
}
