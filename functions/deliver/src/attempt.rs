//! One attempt, from its message to its record and what follows.
//!
//! An endpoint that fails is an outcome and is recorded. An error means that we failed: the message comes back, and if the
//! POST was made before we failed, it is made again under the same id. It is never counted twice.

use std::sync::Arc;

use jiff::Timestamp;
use lambda_runtime::Error;
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::composer::{Composed, Composer};
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::retries::Retries;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded, rows};
use postrider_domain::attempt::{Attempt, EXCERPT_BYTES, LAST_EXCERPT_BYTES, Outcome, excerpt};
use postrider_domain::delivery::{Delivery, Gate, Reason, Status, Transition};
use postrider_domain::dialect::STANDARD;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::Parking;
use postrider_domain::message::Message;
use postrider_domain::snapshot::{Consignment, Verdict};
use postrider_domain::time;
use postrider_host::metrics::{self, Metric};
use postrider_host::resolver::Resolver;
use postrider_host::traces::Traces;
use postrider_host::{clock, entropy, env};

use crate::batch::{Batch, Seen};
use crate::followed::Followed;
use crate::health::Health;
use crate::limits::Limits;
use crate::parked::Parked;
use crate::pauses::Pauses;
use crate::recorder::Recorder;
use crate::send_pool::SendPool;
use crate::sender::{Post, Sender, Sent};
use crate::slow::Slow;

/// A recorded attempt, for the metrics.
pub(crate) struct Made {
    pub(crate) dialect: &'static str,
    /// The outcome's class.
    pub(crate) outcome: &'static str,
    /// From event to success.
    pub(crate) latency_ms: Option<i64>,
}

/// How far a message was seen to.
enum Progress {
    Done(Option<Made>),
    /// Its rows are to be read again before anything is sent.
    TooOld,
}

/// Makes attempts.
pub(crate) struct Attempts {
    reader: BatchReader,
    health: Health,
    deliveries: DeliveriesTable,
    recorder: Recorder,
    retries: Retries,
    composer: Composer,
    sender: Arc<Sender>,
    send_pool: SendPool,
    pauses: Pauses,
    traces: Traces,
    pub(crate) slow: Slow,
    pub(crate) parked: Parked,
    pub(crate) limits: Limits,
}

impl Attempts {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, Error> {
        Ok(Self {
            reader: BatchReader::from_env(sdk)?,
            health: Health::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            recorder: Recorder::from_env(sdk)?,
            retries: Retries::from_env(sdk)?,
            composer: Composer::from_env(sdk)?,
            sender: Arc::new(Sender::new(Resolver::new(env::egress()?))),
            send_pool: SendPool::default(),
            pauses: Pauses::from_env(sdk)?,
            traces: Traces::from_env()?,
            slow: Slow::from_env(sdk)?,
            parked: Parked::from_env(sdk)?,
            limits: Limits::from_env(sdk)?,
        })
    }

    /// Does what this message asks for, if it still is to be done.
    ///
    /// What was read may be old by the time that all else is ready: a function can be frozen, and secrets can be slow to come.
    /// Then it is read again, since whoever called the delivery off meanwhile was told that no further POST starts.
    ///
    /// # Errors
    /// When we failed, or too little time is left: the message is to come again.
    pub(crate) async fn make(&self, message: &Message, batch: &Batch) -> Result<Option<Made>, Error> {
        match self.make_from(&batch.seen, message, batch).await? {
            Progress::Done(made) => Ok(made),
            Progress::TooOld => {
                let seen = Seen::anew(self.reader.read_anew(message).await?);
                match self.make_from(&seen, message, batch).await? {
                    Progress::Done(made) => Ok(made),
                    Progress::TooOld => Err("what was just read is too old".into()),
                }
            }
        }
    }

    /// Reads what these messages speak of.
    ///
    /// # Errors
    /// When a read failed; no POST was made.
    pub(crate) async fn look(&self, messages: &[Message]) -> Result<Seen, Failure> {
        let at = clock::now();
        Ok(Seen::since(at, self.reader.read(messages).await?))
    }

    async fn make_from(&self, seen: &Seen, message: &Message, batch: &Batch) -> Result<Progress, Error> {
        let snapshot = &seen.snapshot;
        if snapshot.is_broken_for(message) {
            return Err("a row of it cannot be read".into());
        }
        let Some(row) = snapshot.delivery(message) else {
            tracing::warn!(delivery_id = message.delivery_id.as_str(), "delivery.unknown");
            return Ok(Progress::Done(None));
        };
        match row.gate(message.attempt, message.round, clock::now()) {
            Gate::Stale => {
                tracing::debug!(delivery_id = row.id.as_str(), attempt = message.attempt, "delivery.stale_message");
            }
            Gate::Reschedule { attempt, at } => {
                let is_slow = snapshot.is_slow(message, clock::now());
                self.bring_back(&Message::new(row, attempt), is_slow, at).await;
            }
            Gate::Attempt => match snapshot.verdict(message, row) {
                Verdict::Send(consignment) if consignment.endpoint().holds_back(message) => {
                    self.parked.park(row, consignment.endpoint()).await?;
                }
                Verdict::Send(consignment) => return self.attempt((seen, message), &consignment, batch).await,
                Verdict::Cancel(reason) => self.cancel(row, reason).await?,
                Verdict::Mixed => self.refuse(row).await?,
                Verdict::Missing => return Err(missing(row)),
            },
        }
        Ok(Progress::Done(None))
    }

    async fn attempt(
        &self,
        (seen, message): (&Seen, &Message),
        consignment: &Consignment<'_>,
        batch: &Batch,
    ) -> Result<Progress, Error> {
        let started = clock::now();
        if !Batch::has_time_for(consignment.endpoint().timeout()) {
            return Err("too little time is left for its time-out".into());
        }
        let mut followed = Followed::of(&self.traces, message, consignment, started);
        let progress = self.carry_out(seen, consignment, batch, started, followed.as_mut()).await;
        // What is to be read again before anything is sent has not been attempted.
        if let Some(followed) = followed.filter(|_| !matches!(progress, Ok(Progress::TooOld))) {
            followed.end(&self.traces, consignment.delivery(), progress.is_err());
        }
        progress
    }

    async fn carry_out(
        &self,
        seen: &Seen,
        consignment: &Consignment<'_>,
        batch: &Batch,
        started: Timestamp,
        mut followed: Option<&mut Followed>,
    ) -> Result<Progress, Error> {
        let (row, endpoint) = (consignment.delivery(), consignment.endpoint());
        let mut post = self.post(consignment, started).await?;
        if let Some(followed) = &followed {
            followed.name_in(&mut post, consignment);
        }
        if seen.is_too_old(clock::now()) {
            return Ok(Progress::TooOld);
        }
        let sent = self.slow.watch(row, batch, self.send(post)).await?;
        let ended = time::plus_millis(started, i64::try_from(sent.duration.as_millis())?);
        if let Some(followed) = &mut followed {
            followed.note(&sent, (started, ended));
        }
        let (policy, jitter) = (endpoint.retry_policy(), entropy::jitter());
        // Most attempts ask for none of it.
        let waits_until = || row.would_wait_until(endpoint.horizon(), ended);
        let transition = if endpoint.parking.as_ref().is_some_and(Parking::holds_back) {
            row.after_probe((&policy, waits_until()), &sent.outcome, ended, jitter)
        } else if self.parked.begin(endpoint, &sent.outcome, &batch.parked, ended).await {
            row.after(&policy, &sent.outcome, ended, jitter).parked(waits_until())
        } else {
            row.after(&policy, &sent.outcome, ended, jitter)
        };
        let attempt = record_of(consignment, started, &sent, transition.status);
        let is_late = self.recorder.put_on_record(row, &attempt, &transition).await? == Recorded::Overtaken;
        log(consignment, &attempt, &transition, is_late);
        if let Some(at) = transition.next_attempt_at.filter(|_| !is_late) {
            let next = Message::after_next(row).following(followed.as_deref().map(Followed::before));
            self.bring_back(&next, batch.is_slow(row), at).await;
        }
        // Worth doing after a record, but not worth sending again for: the endpoint's next attempt says it again.
        if let Err(error) = self.note(endpoint, &transition, &sent.outcome, batch, ended).await {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "webhook.health_not_noted");
        }
        self.pauses.note(consignment, &sent.outcome, &batch.paused, ended).await;
        let latency_ms = attempt.succeeded().then(|| ended.as_millisecond() - row.created_at.as_millisecond());
        let (dialect, outcome) = (endpoint.dialect.name, sent.outcome.class());
        Ok(Progress::Done(Some(Made { dialect, outcome, latency_ms })))
    }

    /// Takes in what an attempt says of its endpoint.
    async fn note(
        &self,
        endpoint: &Endpoint,
        made: &Transition,
        outcome: &Outcome,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let is_over = self.health.is_over(endpoint, made, now);
        if is_over || !self.parked.note(endpoint, made.status, outcome, now).await? {
            self.health.note(endpoint, (made, outcome), &batch.health, now).await?;
        }
        Ok(())
    }

    /// Sends nothing where rows of more than one tenant, or of more than one delivery, came together.
    async fn refuse(&self, row: &Delivery) -> Result<(), Error> {
        let now = clock::now();
        tracing::error!(delivery_id = row.id.as_str(), tenant_id = row.tenant_id.as_str(), "delivery.mixed_rows");
        metrics::emit(Metric::MixedRows, &[], &[1.0]);
        let why = "its rows do not belong together, so nothing was sent; this is our failure";
        let attempt = Attempt::internal(row.next_attempt(), entropy::mark(), now, why);
        // Whose schedule it would have is just what cannot be known.
        let transition = row.after(&STANDARD.retry, &Outcome::Internal, now, entropy::jitter());
        let recorded = self.deliveries.record_apart(row, &attempt, &transition).await?;
        if let (Recorded::Yes, Some(at)) = (recorded, transition.next_attempt_at) {
            self.bring_back(&Message::after_next(row), false, at).await;
        }
        Ok(())
    }

    async fn send(&self, post: Post) -> Result<Sent, Error> {
        let sender = Arc::clone(&self.sender);
        self.send_pool.run(async move { sender.send(&post).await }).await?
    }

    async fn post(&self, consignment: &Consignment<'_>, at: Timestamp) -> Result<Post, Failure> {
        let (tenant, endpoint, event) = (consignment.tenant(), consignment.endpoint(), consignment.event());
        let is_last = consignment.delivery().is_last_attempt(&endpoint.retry_policy());
        let Composed { headers, body, hidden } = self.composer.compose((tenant, endpoint), event, at).await?;
        Ok(Post { url: endpoint.url.clone(), headers, body, hidden, timeout: endpoint.timeout(), is_last })
    }

    async fn bring_back(&self, message: &Message, is_slow: bool, at: Timestamp) {
        if let Err(error) = self.retries.bring_back(message, is_slow, at, clock::now()).await {
            let (delivery_id, attempt) = (message.delivery_id.as_str(), message.attempt);
            tracing::warn!(delivery_id, attempt, error = %error, "retry.left_to_the_sweep");
        }
    }

    async fn cancel(&self, row: &Delivery, reason: Reason) -> Result<(), Error> {
        let recorded = self.deliveries.cancel(row, reason, &entropy::mark()).await?;
        let (delivery_id, reason) = (row.id.as_str(), reason.as_str());
        tracing::info!(delivery_id, reason, recorded = recorded == Recorded::Yes, "delivery.cancelled");
        Ok(())
    }
}

/// A webhook's, tenant's or job's row that is not there and was not deleted: the message comes back until it is.
fn missing(row: &Delivery) -> Error {
    rows::missing_for(row);
    "a row of it is missing".into()
}

fn record_of(consignment: &Consignment<'_>, started: Timestamp, sent: &Sent, status: Status) -> Attempt {
    let limit = if status == Status::Retrying { EXCERPT_BYTES } else { LAST_EXCERPT_BYTES };
    let excerpt = if status == Status::Succeeded { None } else { excerpt(&sent.answer, limit) };
    Attempt {
        number: consignment.delivery().next_attempt(),
        mark: Some(entropy::mark()),
        url_version: consignment.endpoint().url_version,
        at: started,
        duration_ms: u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX),
        outcome: sent.outcome.code(),
        status_code: sent.outcome.status(),
        error: sent.error.clone(),
        response_excerpt: excerpt,
        redirect_to: sent.redirect_to.clone(),
        response_headers: sent.headers.clone(),
    }
}

/// The one wide line of an attempt.
fn log(consignment: &Consignment<'_>, attempt: &Attempt, transition: &Transition, late: bool) {
    let (row, endpoint) = (consignment.delivery(), consignment.endpoint());
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
        late,
        "delivery.attempted"
    );
}
