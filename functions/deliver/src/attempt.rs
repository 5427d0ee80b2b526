//! One attempt, from its message to its record and what follows.
//!
//! An endpoint that fails is an outcome and is recorded. An error means that we failed: the message comes back, and if the
//! POST was made before we failed, it is made again under the same id. It is never counted twice.

use std::sync::Arc;

use deliver::sender::{Post, Sender, Sent};
use jiff::Timestamp;
use lambda_runtime::Error;
use postrider_aws::chance;
use postrider_aws::deliveries_table::{DeliveriesTable, Recorded};
use postrider_aws::deployment_secret::DeploymentSecret;
use postrider_aws::env;
use postrider_aws::keyring::Keyring;
use postrider_aws::metrics::{self, Unit};
use postrider_aws::resolve::Resolver;
use postrider_aws::retries::Retries;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::attempt::{Attempt, EXCERPT_BYTES, LAST_EXCERPT_BYTES, excerpt};
use postrider_domain::delivery::{Delivery, Gate, Reason, Status, Transition};
use postrider_domain::dialect::SecretOf;
use postrider_domain::endpoint::{Endpoint, Missing, StoredSecret, obstacle, secrets_at};
use postrider_domain::event::Event;
use postrider_domain::id::{EndpointId, JobId};
use postrider_domain::message::Message;
use postrider_domain::secret::Secret;
use postrider_domain::tenant::Tenant;
use postrider_domain::{payload, signature, time};

use crate::batch::Batch;
use crate::crew::Crew;
use crate::health::Health;
use crate::slow::Slow;

/// A recorded attempt, for the metrics.
pub(crate) struct Made {
    pub(crate) endpoint_id: EndpointId,
    pub(crate) dialect: &'static str,
    /// The outcome's class.
    pub(crate) outcome: &'static str,
    /// From event to success.
    pub(crate) latency_ms: Option<i64>,
}

/// Makes attempts.
pub(crate) struct Attempts {
    health: Health,
    deliveries: DeliveriesTable,
    retries: Retries,
    keyring: Keyring,
    deployment_secret: DeploymentSecret,
    sender: Arc<Sender>,
    crew: Crew,
    pub(crate) slow: Slow,
}

impl Attempts {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self {
            health: Health::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            retries: Retries::from_env(sdk)?,
            keyring: Keyring::from_env(sdk)?,
            deployment_secret: DeploymentSecret::from_env(sdk)?,
            sender: Arc::new(Sender::new(Resolver::new(env::egress()?))),
            crew: Crew::default(),
            slow: Slow::from_env(sdk)?,
        })
    }

    /// Does what this message asks for, if it still is to be done.
    ///
    /// # Errors
    /// When we failed, or too little time is left: the message is to come again.
    pub(crate) async fn make(&self, message: &Message, batch: &Batch) -> Result<Option<Made>, Error> {
        let briefing = &batch.briefing;
        if briefing.is_broken_for(message) {
            return Err("a row of it cannot be read".into());
        }
        let Some(row) = briefing.deliveries.get(&message.delivery_id) else {
            tracing::warn!(delivery_id = message.delivery_id.as_str(), "delivery.unknown");
            return Ok(None);
        };
        match row.gate(message.attempt, chance::now()) {
            Gate::Stale => {
                tracing::debug!(delivery_id = row.id.as_str(), attempt = message.attempt, "delivery.stale_message");
                Ok(None)
            }
            Gate::Reschedule { attempt, at } => {
                self.bring_back(row, attempt, at).await;
                Ok(None)
            }
            Gate::Attempt => self.attempt(row, batch).await,
        }
    }

    async fn attempt(&self, row: &Delivery, batch: &Batch) -> Result<Option<Made>, Error> {
        let briefing = &batch.briefing;
        let tenant = briefing.tenants.get(&row.tenant_id);
        let endpoint = briefing.endpoint_of(row);
        let endpoint = endpoint.as_ref();
        let event = briefing.events.get(&row.event_id);
        match obstacle(tenant, endpoint) {
            Ok(None) => {}
            Ok(Some(reason)) => return self.cancel(row, reason).await,
            // Once the event has expired, the rows around it may have, too.
            Err(Missing) if event.is_some() => return Err(missing(row)),
            Err(Missing) => return self.cancel(row, Reason::EventExpired).await,
        }
        let (Some(endpoint), Some(tenant), Some(event)) = (endpoint, tenant, event) else {
            return self.cancel(row, Reason::EventExpired).await;
        };
        let started = chance::now();
        if !Batch::has_time_for(endpoint.timeout()) {
            return Err("too little time is left for its time-out".into());
        }
        let post = self.post(tenant, endpoint, event, started).await?;
        let sent = self.slow.watch(row, batch, self.send(post)).await?;
        let ended = time::plus_millis(started, i64::try_from(sent.duration.as_millis())?);
        let transition = row.after(&endpoint.retry_policy(), &sent.outcome, ended, chance::jitter());
        let attempt = record_of(row, started, &sent, transition.status);
        let recorded = self.deliveries.record(row, &attempt, &transition).await?;
        log(row, endpoint, &attempt, &transition, recorded);
        if recorded == Recorded::Overtaken {
            self.catch_up(row).await?;
            return Ok(None);
        }
        self.follow_up(row, endpoint, (&transition, ended), batch).await;
        let succeeded = transition.status == Status::Succeeded;
        let latency_ms = succeeded.then(|| ended.as_millisecond() - event.timestamp.as_millisecond());
        let (dialect, outcome) = (endpoint.dialect.name, sent.outcome.class());
        Ok(Some(Made { endpoint_id: row.endpoint_id.clone(), dialect, outcome, latency_ms }))
    }

    /// Who overtook us may have been ourselves: the update was made, its answer lost, and the SDK's second try refused. Then
    /// nobody has scheduled what comes next.
    async fn catch_up(&self, row: &Delivery) -> Result<(), Error> {
        let now = self.deliveries.get(&row.id).await?;
        if let Some(now) = now
            && let Gate::Reschedule { attempt, at } = now.gate(row.attempts_made + 1, chance::now())
        {
            self.bring_back(&now, attempt, at).await;
        }
        Ok(())
    }

    async fn send(&self, post: Post) -> Result<Sent, Error> {
        let sender = Arc::clone(&self.sender);
        self.crew.run(async move { sender.send(&post).await }).await?
    }

    async fn post(&self, tenant: &Tenant, endpoint: &Endpoint, event: &Event, at: Timestamp) -> Result<Post, Error> {
        let body = payload::body(endpoint.dialect.body, event, &endpoint.id)?;
        let secrets = match endpoint.dialect.secret_of {
            SecretOf::Endpoint => self.open(&endpoint.secret_owner(), &endpoint.secrets, at).await?,
            SecretOf::Tenant => self.open(tenant.id.as_str(), &tenant.secrets, at).await?,
            SecretOf::Deployment => vec![self.deployment_secret.get().await?],
        };
        let signed = signature::headers(&endpoint.dialect.signing, &secrets, event.id.as_str(), at, &body);
        let own = endpoint.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let signed = signed.into_iter().map(|(name, value)| (name.to_owned(), value));
        let headers = own.chain(signed).collect();
        Ok(Post { url: endpoint.url.clone(), headers, body, timeout: endpoint.timeout() })
    }

    async fn open(&self, owner: &str, sealed: &[StoredSecret], at: Timestamp) -> Result<Vec<Secret>, Error> {
        let mut secrets = Vec::new();
        for stored in secrets_at(sealed, at) {
            secrets.push(self.keyring.open(owner, &stored.sealed).await?);
        }
        Ok(secrets)
    }

    /// What is worth doing after a record, but not worth sending again for: the sweep makes good what fails here.
    async fn follow_up(
        &self,
        row: &Delivery,
        endpoint: &Endpoint,
        (transition, ended): (&Transition, Timestamp),
        batch: &Batch,
    ) {
        if let Some(at) = transition.next_attempt_at {
            self.bring_back(row, row.attempts_made + 1 + 1, at).await;
        }
        if let Err(error) = self.health.note(endpoint, transition, &batch.health, ended).await {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "webhook.health_not_noted");
        }
    }

    async fn bring_back(&self, row: &Delivery, attempt: u32, at: Timestamp) {
        let message = Message::new(row, attempt);
        if let Err(error) = self.retries.bring_back(&message, at, chance::now()).await {
            tracing::warn!(delivery_id = row.id.as_str(), attempt, error = %error, "retry.left_to_the_sweep");
        }
    }

    async fn cancel(&self, row: &Delivery, reason: Reason) -> Result<Option<Made>, Error> {
        let recorded = self.deliveries.cancel(row, reason).await?;
        let (delivery_id, reason) = (row.id.as_str(), reason.as_str());
        tracing::info!(delivery_id, reason, recorded = recorded == Recorded::Yes, "delivery.cancelled");
        Ok(None)
    }
}

/// A webhook's, tenant's or job's row that is not there and was not deleted: the message comes back until it is.
fn missing(row: &Delivery) -> Error {
    tracing::error!(
        delivery_id = row.id.as_str(),
        webhook_id = row.endpoint_id.as_str(),
        tenant_id = row.tenant_id.as_str(),
        job_id = row.job_id.as_ref().map(JobId::as_str),
        "delivery.row_missing"
    );
    metrics::emit("MissingRows", Unit::Count, &[], &[1.0]);
    "a row of it is missing".into()
}

fn record_of(row: &Delivery, started: Timestamp, sent: &Sent, status: Status) -> Attempt {
    let limit = if status == Status::Retrying { EXCERPT_BYTES } else { LAST_EXCERPT_BYTES };
    let excerpt = if status == Status::Succeeded { None } else { excerpt(&sent.answer, limit) };
    Attempt {
        number: row.attempts_made + 1,
        at: started,
        duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
        outcome: sent.outcome.code(),
        status_code: sent.outcome.status(),
        error: sent.error.clone(),
        response_excerpt: excerpt,
    }
}

/// The one wide line of an attempt.
fn log(row: &Delivery, endpoint: &Endpoint, attempt: &Attempt, transition: &Transition, recorded: Recorded) {
    tracing::info!(
        delivery_id = row.id.as_str(),
        event_id = row.event_id.as_str(),
        webhook_id = endpoint.id.as_str(),
        tenant_id = row.tenant_id.as_str(),
        event = row.event_type.as_str(),
        dialect = endpoint.dialect.name,
        attempt = attempt.number,
        outcome = attempt.outcome,
        status_code = attempt.status_code,
        duration_ms = attempt.duration_ms,
        status = transition.status.as_str(),
        next_attempt_at = transition.next_attempt_at.map(time::wire),
        overtaken = recorded == Recorded::Overtaken,
        "delivery.attempted"
    );
}
