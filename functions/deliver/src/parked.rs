//! What waits for an endpoint as a whole: parked while it is down, probed, and drained once it is back.
//!
//! A step is asked for by its ticket, which is sent before the step is written: whoever dies in between leaves a ticket for a step that
//! is made by the next one, or is stale. Should a ticket be lost, the sweep sends another.

use std::time::Duration;

use jiff::Timestamp;
use postrider_aws::config_table::{ConfigTable, Health};
use postrider_aws::deliveries_table::DeliveriesTable;
use postrider_aws::events_table::EventsTable;
use postrider_aws::lanes::Lanes;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded, TransactWriteItem};
use postrider_domain::attempt::{Outcome, Sign};
use postrider_domain::delivery::{Delivery, Status};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::{BEFORE_A_LIMITED_DRAIN, FIRST_PAGE, PROBED, Page, Parking, State, Times};
use postrider_domain::id::EndpointId;
use postrider_domain::message::Message;
use postrider_domain::own_event::OwnEvent;
use postrider_domain::slow::{ParkedHint, SlowByTenant, SlowEndpoints};
use postrider_domain::ticket::Ticket;
use postrider_host::env::{self, BadSetting, Retention};
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, deadline, entropy};

use crate::noted::Noted;

#[cfg(test)]
mod tests;

/// How often a change is made anew that others overtake.
const TRIES: usize = 3;
/// What the beginning of an outage takes at the most of the time in which an attempt is put on record.
const TO_BEGIN: Duration = Duration::from_secs(3);
/// Messages that wait in a queue beside which no more than a first page is drained.
const BACKLOG: u64 = 1_000;

/// Parks, probes and drains.
pub(crate) struct Parked {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    events: EventsTable,
    lanes: Lanes,
    retention: Retention,
    times: Times,
}

impl Parked {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            events: EventsTable::from_env(sdk)?,
            lanes: Lanes::from_env(sdk)?,
            retention: env::retention()?,
            times: env::parking_times()?,
        })
    }

    /// Parks a delivery, unless it is parked already.
    pub(crate) async fn park(&self, row: &Delivery, endpoint: &Endpoint) -> Result<(), Failure> {
        if row.is_parked() {
            return Ok(());
        }
        let waits_until = row.would_wait_until(endpoint.horizon(), clock::now());
        let recorded = self.deliveries.park(row, waits_until).await?;
        if recorded == Recorded::Yes {
            metrics::emit(Metric::ParkedDeliveries, &[], &[1.0]);
        }
        let (delivery_id, webhook_id) = (row.id.as_str(), endpoint.id.as_str());
        tracing::debug!(delivery_id, webhook_id, recorded = recorded == Recorded::Yes, "delivery.parked");
        Ok(())
    }

    /// Begins to park what is for an endpoint if an attempt that ended so at `now` is one too many; whether it did. Before that attempt
    /// is on record, since it is the first to be parked: one that is parked at an endpoint that is not would wait for nobody. Should this
    /// fail, the next attempt says it again.
    pub(crate) async fn begin(
        &self,
        endpoint: &Endpoint,
        outcome: &Outcome,
        noted: &Noted<EndpointId>,
        now: Timestamp,
    ) -> bool {
        let Some(parking) = Parking::begun_by(endpoint, outcome, now, &self.times) else { return false };
        if endpoint.has_failed_too_long(now) || !noted.is_new(endpoint.id.clone()) {
            return false;
        }
        // The attempt is still to be put on record, for which time must be left.
        let begun = deadline::at_most(TO_BEGIN, self.try_to_begin(endpoint, &parking, now)).await;
        begun.unwrap_or_else(|error| {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "webhook.not_parked");
            false
        })
    }

    /// Takes in what an attempt that ended so at `now` says of what is parked: that it may be drained, or that the owner can be told that
    /// it is over. Whether its health was noted along with that.
    pub(crate) async fn note(
        &self,
        endpoint: &Endpoint,
        status: Status,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        if outcome.sign() != Sign::Alive || endpoint.parking.is_none() {
            return Ok(false);
        }
        let health = if status == Status::Succeeded { Health::Took } else { Health::Answered };
        self.answered(endpoint, health, now).await
    }

    /// Parks a delivery for which its endpoint's rate limit has no room for as long as a queue can hold it back; whether it is parked now.
    ///
    /// # Errors
    /// When a write failed: the message is to come again.
    pub(crate) async fn park_for_limit(&self, row: &Delivery, endpoint: &Endpoint) -> Result<bool, Failure> {
        let now = clock::now();
        let is_parking = endpoint.parking.as_ref().is_some_and(Parking::parks_what_is_new);
        let free_at = now.saturating_add(BEFORE_A_LIMITED_DRAIN).unwrap_or(now);
        let begun = match Parking::begun_by_limit(endpoint.parking.as_ref(), now, free_at) {
            Some(parking) => self.try_to_begin(endpoint, &parking, now).await?,
            None => is_parking,
        };
        if begun {
            self.park(row, endpoint).await?;
        }
        Ok(begun)
    }

    async fn try_to_begin(&self, endpoint: &Endpoint, parking: &Parking, now: Timestamp) -> Result<bool, Failure> {
        let is_news = parking.is_news(endpoint.parking.as_ref());
        let event = is_news.then(|| OwnEvent::webhook_failing(endpoint, parking));
        let announcement = event.map(|event| self.announcement(event, now)).transpose()?;
        // Before it is written, as with every step: of many who begin at once, all but one leave a ticket that is stale.
        self.send_ticket(endpoint, parking, now).await;
        if self.config.begin_parking(endpoint, parking, announcement).await? == Recorded::Overtaken {
            return Ok(false);
        }
        let (webhook_id, tenant_id) = (endpoint.id.as_str(), endpoint.tenant_id.as_str());
        tracing::warn!(webhook_id, tenant_id, is_news, "webhook.parked");
        metrics::count(Metric::AcceptedEvents, usize::from(is_news));
        self.hint(endpoint, parking, &self.slow_of(endpoint).await, now).await;
        Ok(true)
    }

    /// Somebody answered at an endpoint: what is parked is drained, and once it is, the owner is told.
    async fn answered(&self, endpoint: &Endpoint, health: Health, now: Timestamp) -> Result<bool, Failure> {
        let mut there = endpoint.clone();
        for _ in 0..TRIES {
            let Some(before) = &there.parking else { return Ok(false) };
            let Some((after, tells)) = before.after_an_answer(now) else { return Ok(false) };
            let event = tells.then(|| OwnEvent::webhook_recovered(&there, &after, now));
            let announcement = event.map(|event| self.announcement(event, now)).transpose()?;
            if self.config.change_parking(&there, (before, &after), health, announcement).await? == Recorded::Yes {
                metrics::count(Metric::AcceptedEvents, usize::from(tells));
                let (webhook_id, tenant_id) = (there.id.as_str(), there.tenant_id.as_str());
                tracing::info!(webhook_id, tenant_id, state = ?after.state, "webhook.answers_again");
                if after.state == State::Draining {
                    self.send_ticket(&there, &after, now).await;
                }
                return Ok(true);
            }
            match self.config.readable_endpoint(&there.tenant_id, &there.id).await? {
                // What another URL answered says nothing about this one.
                Some(found) if found.url_version == endpoint.url_version => there = found,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Lets go what is parked at an endpoint where a probe was called off, such as that of a tenant who is suspended: so is all else then,
    /// at once and not probe by probe.
    ///
    /// # Errors
    /// When a call failed; the next probe does it again.
    pub(crate) async fn let_go(&self, ticket: &Ticket) -> Result<(), Failure> {
        let found = self.config.readable_endpoint(&ticket.tenant_id, &ticket.endpoint_id).await?;
        let Some(endpoint) = found else { return Ok(()) };
        let Some(before) = endpoint.parking.as_ref().filter(|parking| parking.holds_back()) else { return Ok(()) };
        // Forgotten how long nobody answered, it goes at full pace.
        let changed = self.begin_drain(&endpoint, before, Health::Answered, clock::now()).await?;
        let webhook_id = endpoint.id.as_str();
        tracing::info!(webhook_id, changed = changed == Recorded::Yes, "webhook.let_go");
        Ok(())
    }

    /// Begins to drain what is parked although nobody has answered.
    async fn begin_drain(
        &self,
        endpoint: &Endpoint,
        before: &Parking,
        health: Health,
        now: Timestamp,
    ) -> Result<Recorded, Failure> {
        let after = before.given_another_chance(now);
        let changed = self.config.change_parking(endpoint, (before, &after), health, None).await?;
        if changed == Recorded::Yes {
            self.send_ticket(endpoint, &after, now).await;
        }
        Ok(changed)
    }

    /// Makes the step that a ticket asks for, if it is still to be made; the probe that is to be sent for it.
    ///
    /// # Errors
    /// When something failed: the ticket is to come again.
    pub(crate) async fn take(&self, ticket: &Ticket) -> Result<Option<Message>, Failure> {
        let found = self.config.readable_endpoint(&ticket.tenant_id, &ticket.endpoint_id).await?;
        let Some((endpoint, parking)) = found.and_then(|endpoint| Some((endpoint.clone(), endpoint.parking?))) else {
            return Ok(None);
        };
        if !parking.awaits(ticket.since, ticket.step) {
            return Ok(None);
        }
        let now = clock::now();
        if parking.next_at.as_second() > now.as_second() + 1 {
            // It came before its time, such as one that somebody sent by hand.
            self.try_ticket(&endpoint, &parking, now).await?;
            return Ok(None);
        }
        if parking.state == State::Down && endpoint.paused_until.is_some_and(|until| until > now) {
            // Its receiver has said when it wants to be asked again.
            let then = Parking { next_at: endpoint.paused_until.unwrap_or(now), ..parking };
            self.try_ticket(&endpoint, &then, now).await?;
            return Ok(None);
        }
        match parking.state {
            State::Down => self.probe(&endpoint, &parking, now).await,
            State::Draining => self.drain(&endpoint, &parking, now).await.map(|()| None),
            State::Closing => Ok(None),
        }
    }

    async fn probe(&self, endpoint: &Endpoint, before: &Parking, now: Timestamp) -> Result<Option<Message>, Failure> {
        let after = before.probed(now, &self.times);
        self.try_ticket(endpoint, &after, now).await?;
        if self.config.change_parking(endpoint, (before, &after), Health::Same, None).await? == Recorded::Overtaken {
            return Ok(None);
        }
        self.hint(endpoint, &after, &self.slow_of(endpoint).await, now).await;
        let mut rows = self.deliveries.parked(&endpoint.id, None, PROBED).await?.rows;
        if rows.is_empty() {
            // Nothing is there to be probed with: real traffic decides.
            self.begin_drain(endpoint, &after, Health::Same, now).await?;
            return Ok(None);
        }
        let horizon = endpoint.horizon();
        rows.retain(|row| row.may_be_probed(horizon, now));
        if rows.is_empty() {
            // They have had their share of probes for now. Sent otherwise, each would use up its schedule at an endpoint that is down.
            return Ok(None);
        }
        let row = rows.swap_remove(before.probed_row(rows.len()));
        let (webhook_id, delivery_id) = (endpoint.id.as_str(), row.id.as_str());
        tracing::info!(webhook_id, delivery_id, probe = after.probes, "webhook.probed");
        Ok(Some(Message::next(&row).probing()))
    }

    /// Sends a page of what is parked, or ends where nothing is any more.
    async fn drain(&self, endpoint: &Endpoint, before: &Parking, now: Timestamp) -> Result<(), Failure> {
        let slow = self.slow_of(endpoint).await;
        let queue = self.lanes.queue(slow.has(&endpoint.tenant_id, &endpoint.id, now));
        let mut page = before.page(endpoint, &self.times, now);
        let waiting = queue.waiting().await.ok();
        if waiting.is_none_or(|waiting| waiting > BACKLOG) {
            page = Page { rows: page.rows.min(FIRST_PAGE), ..page };
        }
        let is_behind = waiting.is_some_and(|waiting| waiting > BACKLOG);
        let under_way = match &before.after {
            Some(after) => self.deliveries.parked_up_to(&endpoint.id, after, page.rows).await?,
            None => 0,
        };
        let rows = Parking::beside(page, under_way).rows;
        if rows == 0 {
            // Sent now, these would overtake those that wait longer.
            return self.wait(endpoint, before, is_behind, now).await;
        }
        let found = self.deliveries.parked(&endpoint.id, before.after.as_ref(), rows).await?;
        let Some(last) = found.last else { return self.drained(endpoint, before, is_behind, now).await };
        let messages: Vec<Message> = found.rows.iter().map(Message::next).collect();
        queue.send_all(&messages).await?;
        let after = before.page_sent(last, messages.len(), page, now);
        self.try_ticket(endpoint, &after, now).await?;
        self.config.change_parking(endpoint, (before, &after), Health::Same, None).await?;
        metrics::emit(Metric::DrainedDeliveries, &[], &[messages.len() as f64]);
        if found.has_more {
            self.hint(endpoint, &after, &slow, now).await;
        } else if let Err(error) = self.config.forget_parked(&endpoint.tenant_id, &endpoint.id).await {
            // Parked behind the last page, what is new would never let a busy webhook's drain come to its end. The hint ends by itself.
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "webhook.parking_not_hinted");
        }
        let (webhook_id, deliveries) = (endpoint.id.as_str(), messages.len());
        tracing::info!(webhook_id, deliveries, in_all = after.drained, "webhook.drained");
        Ok(())
    }

    /// Waits for what was sent to be on record.
    async fn wait(
        &self,
        endpoint: &Endpoint,
        before: &Parking,
        is_behind: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let after = before.waiting(endpoint, is_behind, now);
        self.try_ticket(endpoint, &after, now).await?;
        self.config.change_parking(endpoint, (before, &after), Health::Same, None).await.map(drop)
    }

    /// Nothing is parked behind the last page. Once all that was sent is on record too, what is new goes the ordinary way.
    async fn drained(
        &self,
        endpoint: &Endpoint,
        before: &Parking,
        is_behind: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if !self.deliveries.parked(&endpoint.id, None, PROBED).await?.is_empty() {
            return self.wait(endpoint, before, is_behind, now).await;
        }
        let (after, tells) = before.drained(endpoint, now);
        let event = tells.then(|| OwnEvent::webhook_recovered(endpoint, &after, now));
        let announcement = event.map(|event| self.announcement(event, now)).transpose()?;
        // Before that is written: who dies in between has what is new go the ordinary way a moment too early, and not never.
        self.config.forget_parked(&endpoint.tenant_id, &endpoint.id).await?;
        let changed = self.config.change_parking(endpoint, (before, &after), Health::Same, announcement).await?;
        let (webhook_id, tenant_id) = (endpoint.id.as_str(), endpoint.tenant_id.as_str());
        tracing::info!(webhook_id, tenant_id, tells, changed = changed == Recorded::Yes, "webhook.all_drained");
        metrics::count(Metric::AcceptedEvents, usize::from(tells && changed == Recorded::Yes));
        Ok(())
    }

    fn announcement(&self, event: OwnEvent, now: Timestamp) -> Result<TransactWriteItem, Failure> {
        let event = event.into_event(entropy::bits128(), now, now.as_second() + self.retention.seconds);
        self.events.put_in_transaction(&event)
    }

    /// Tells fan-out that what is new is parked, or is not said so: then its messages are parked one by one.
    async fn hint(&self, endpoint: &Endpoint, parking: &Parking, slow: &SlowByTenant, now: Timestamp) {
        let known = slow.of(&endpoint.tenant_id).cloned().unwrap_or_else(SlowEndpoints::default);
        let Some(over) = known.room_to_park(&endpoint.id, now) else { return };
        let horizon = i64::try_from(endpoint.horizon().as_secs()).unwrap_or(i64::MAX);
        let hint = ParkedHint { until: parking.hint_until().as_second(), horizon };
        let hinted = self.config.hint_parked(&endpoint.tenant_id, &endpoint.id, hint, &over).await;
        if let Err(error) = hinted {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "webhook.parking_not_hinted");
        }
    }

    async fn slow_of(&self, endpoint: &Endpoint) -> SlowByTenant {
        self.config.slow_endpoints([&endpoint.tenant_id]).await.unwrap_or_else(|error| {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "deliver.slow_unknown");
            SlowByTenant::default()
        })
    }

    async fn send_ticket(&self, endpoint: &Endpoint, parking: &Parking, now: Timestamp) {
        if let Err(error) = self.try_ticket(endpoint, parking, now).await {
            tracing::warn!(webhook_id = endpoint.id.as_str(), error = %error, "parking.left_to_the_sweep");
        }
    }

    /// Sends the ticket for a step. A probe may take its whole time-out, so it goes where slow endpoints' attempts go.
    async fn try_ticket(&self, endpoint: &Endpoint, parking: &Parking, now: Timestamp) -> Result<(), Failure> {
        let queue = self.lanes.queue(parking.state == State::Down);
        queue.send_ticket(&Ticket::of(endpoint, parking), parking.delay(now)).await
    }
}
