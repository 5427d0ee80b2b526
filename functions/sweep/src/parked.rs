//! Endpoints for which something is parked: whose ticket is lost gets another, what has waited for too long has failed, and what
//! somebody parked who did not know that it is over is sent.

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use postrider_aws::config_table::{ConfigTable, ParkedEndpoint};
use postrider_aws::deliveries_table::{DeliveriesTable, ParkedPage};
use postrider_aws::lanes::Lanes;
use postrider_aws::notices::Notices;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, Recorded, rows};
use postrider_domain::delivery::{Delivery, Reason};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::endpoint::parking::{LAST_PAGE, Parking, State};
use postrider_domain::message::Message;
use postrider_domain::ticket::Ticket;
use postrider_host::env::BadSetting;
use postrider_host::metrics::{self, Metric};
use postrider_host::{clock, deadline, entropy};

use crate::done::{Failures, Swept};

/// Parked deliveries of an endpoint that a sweep looks at, at a time.
const PAGE: u32 = 100;
/// What an endpoint's look takes at the most. With less left, none is begun.
pub(crate) const FOR_A_LOOK: Duration = Duration::from_secs(4);
/// What a further page takes at the most. With less left of a look, none is begun.
const FOR_A_PAGE: Duration = Duration::from_secs(1);
const LOOKS_AT_ONCE: usize = 8;
const WRITES_AT_ONCE: usize = 16;

/// Looks after parked deliveries.
pub(crate) struct Parked {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    lanes: Lanes,
    notices: Notices,
}

/// What was found and done.
#[derive(Debug, Default)]
pub(crate) struct LookedAfter {
    /// Endpoints that are down.
    pub(crate) down: usize,
    /// How long the delivery has waited that is parked for longest.
    pub(crate) oldest_seconds: i64,
    /// Deliveries that have waited for too long.
    pub(crate) failed: usize,
    /// Whether all of them were looked at.
    pub(crate) has_seen_all: bool,
}

impl LookedAfter {
    fn add(&mut self, other: &Self) {
        self.down += other.down;
        self.failed += other.failed;
        self.oldest_seconds = self.oldest_seconds.max(other.oldest_seconds);
        self.has_seen_all &= other.has_seen_all;
    }
}

impl Parked {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            lanes: Lanes::from_env(sdk)?,
            notices: Notices::from_env(sdk)?,
        })
    }

    /// Looks after every endpoint in the list, as far as the time goes, from another one on each time.
    pub(crate) async fn look_after_all(&self) -> Swept<LookedAfter> {
        let (mut all, mut failures) =
            (LookedAfter { has_seen_all: true, ..LookedAfter::default() }, Failures::default());
        let mut listed = match self.config.parked_endpoints().await {
            Ok(listed) => listed,
            Err(error) => {
                failures.add(error);
                all.has_seen_all = false;
                return failures.beside(all);
            }
        };
        if !listed.is_empty() {
            let first = usize::try_from(entropy::bits64() % listed.len() as u64).unwrap_or_default();
            listed.rotate_left(first);
        }
        let looks = stream::iter(&listed).map(|one| async move {
            if deadline::left() <= FOR_A_LOOK {
                return Ok(LookedAfter::default());
            }
            deadline::at_most(FOR_A_LOOK, self.look_after(one)).await.inspect_err(|error| {
                let (webhook_id, tenant_id) = (one.endpoint_id.as_str(), one.tenant_id.as_str());
                tracing::error!(webhook_id, tenant_id, error = %error, "sweep.parked_failed");
            })
        });
        for look in looks.buffer_unordered(LOOKS_AT_ONCE).collect::<Vec<_>>().await {
            match look {
                Ok(one) => all.add(&one),
                Err(error) => {
                    all.has_seen_all = false;
                    failures.add(error);
                }
            }
        }
        failures.beside(all)
    }

    async fn look_after(&self, listed: &ParkedEndpoint) -> Result<LookedAfter, Failure> {
        let Some(endpoint) = self.config.readable_endpoint(&listed.tenant_id, &listed.endpoint_id).await? else {
            // Its deliveries wait as all else does whose webhook is lost.
            rows::missing(&format!("{} {}", listed.tenant_id, listed.endpoint_id));
            return Ok(LookedAfter { has_seen_all: true, ..LookedAfter::default() });
        };
        let oldest = self.deliveries.parked(&endpoint.id, None, PAGE).await?;
        let mut found = LookedAfter { has_seen_all: true, ..LookedAfter::default() };
        // Not by the event's time, which is its producer's to choose.
        let left = oldest.rows.first().and_then(|row| row.waits_until).map(|until| until.duration_since(clock::now()));
        let horizon = i64::try_from(endpoint.horizon().as_secs()).unwrap_or(i64::MAX);
        found.oldest_seconds = left.map_or(0, |left| (horizon - left.as_secs()).max(0));
        match endpoint.parking.as_ref().filter(|parking| parking.since == listed.since) {
            None if oldest.is_empty() => self.config.unlist_parked(listed).await?,
            // Such as those of a webhook that was deleted, of which nothing more can be read.
            None => self.send(&endpoint, oldest).await?,
            Some(parking) => {
                found.down = usize::from(parking.state == State::Down);
                found.failed = self.go_on(&endpoint, (listed, parking), oldest).await?;
            }
        }
        Ok(found)
    }

    /// Goes on with an endpoint's parking where nobody else does; how many of its deliveries have failed.
    async fn go_on(
        &self,
        endpoint: &Endpoint,
        (listed, parking): (&ParkedEndpoint, &Parking),
        oldest: ParkedPage,
    ) -> Result<usize, Failure> {
        let now = clock::now();
        if parking.is_overdue(now) {
            let webhook_id = endpoint.id.as_str();
            tracing::warn!(webhook_id, step = parking.step, "parking.ticket_sent_again");
            let queue = self.lanes.queue(parking.state == State::Down);
            queue.send_ticket(&Ticket::of(endpoint, parking), Duration::ZERO).await?;
        }
        match parking.state {
            State::Draining => Ok(0),
            State::Down => self.fail_expired(endpoint, oldest).await,
            State::Closing if oldest.is_empty() => {
                if parking.is_over(endpoint, now) {
                    self.config.end_parking(endpoint, parking).await?;
                } else if parking.is_quiet(now) {
                    // Its owner is told by the first answer, whenever that comes; until then each sweep would look here for nothing.
                    self.config.unlist_parked(listed).await?;
                }
                Ok(0)
            }
            State::Closing => self.send(endpoint, oldest).await.map(|()| 0),
        }
    }

    /// Sends what is still parked although nothing is to be: by now its endpoint takes it, or it is called off.
    /// No more at once than the largest page that is drained: what is still on its way at the next sweep is sent once more.
    async fn send(&self, endpoint: &Endpoint, mut page: ParkedPage) -> Result<(), Failure> {
        let mut sent = 0;
        loop {
            let messages: Vec<Message> = page.rows.iter().map(Message::next).collect();
            if !messages.is_empty() {
                let (webhook_id, deliveries) = (endpoint.id.as_str(), messages.len());
                tracing::info!(webhook_id, deliveries, "parking.stragglers_sent");
                self.lanes.queue(false).send_all(&messages).await?;
                sent += deliveries;
            }
            let may_go_on = page.has_more && sent < LAST_PAGE as usize && deadline::left() > FOR_A_PAGE;
            match page.last.filter(|_| may_go_on) {
                Some(last) => page = self.deliveries.parked(&endpoint.id, Some(&last), PAGE).await?,
                None => return Ok(()),
            }
        }
    }

    async fn fail(&self, row: &Delivery, now: Timestamp) -> Result<Recorded, Failure> {
        let tell = self.notices.of_failure(row, None, Reason::EndpointDown, now).await;
        let recorded = self.deliveries.fail(row, Reason::EndpointDown, &entropy::mark(), &tell).await?;
        tracing::info!(delivery_id = row.id.as_str(), recorded = recorded == Recorded::Yes, "delivery.given_up");
        if recorded == Recorded::Yes {
            metrics::count(Metric::AcceptedEvents, tell.events());
        }
        Ok(recorded)
    }

    /// Gives up what has waited for as long as its schedule would have taken.
    async fn fail_expired(&self, endpoint: &Endpoint, mut page: ParkedPage) -> Result<usize, Failure> {
        let mut failed = 0;
        loop {
            let now = clock::now();
            let is_expired = |row: &&Delivery| row.waits_until.is_some_and(|until| until <= now);
            let expired: Vec<&Delivery> = page.rows.iter().filter(is_expired).collect();
            let number = expired.len();
            let writes = expired.into_iter().map(|row| self.fail(row, now));
            let written: Vec<_> = stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).collect().await;
            written.into_iter().collect::<Result<Vec<_>, Failure>>()?;
            failed += number;
            let (is_all, last) = (number == page.rows.len(), page.last);
            match last.filter(|_| is_all && page.has_more && deadline::left() > FOR_A_PAGE) {
                Some(last) => page = self.deliveries.parked(&endpoint.id, Some(&last), PAGE).await?,
                None => return Ok(failed),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::iter::repeat_with;

    use jiff::Timestamp;
    use postrider_aws::queue::Queue;
    use postrider_domain::delivery::Status;
    use postrider_domain::endpoint::parking::Cause;
    use postrider_domain::id::{DeliveryId, EventId, TenantId};
    use replay::{Said, Script, keyed};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    pub(crate) fn parked(script: &Script) -> Parked {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
        let lanes = Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow"));
        Parked { config, deliveries, lanes, notices: sample::notices(script) }
    }

    /// A look at an endpoint whose parking stands so, of which 250 deliveries are parked until this time; what it wrote and sent.
    async fn looked_after(state: State, waits_until: Timestamp) -> (usize, usize) {
        let (now, tenant) = (clock::now(), TenantId::new(Timestamp::UNIX_EPOCH, 1));
        let endpoint = replay::sample::endpoint(tenant.clone());
        let parking = json!({
            "since": "2026-01-15T12:00:00.000Z", "step": 3, "state": state, "cause": Cause::EndpointOutage, "told": true,
            "next_at": postrider_domain::time::wire(now),
        });
        let mut row = json!(endpoint);
        row["parking"] = parking;
        let webhook = keyed(format!("TENANT#{tenant}"), format!("WEBHOOK#{}", endpoint.id), &row);
        let event = replay::sample::event(tenant.clone());
        let rows: Vec<Value> = (0..250)
            .map(|number| {
                let id = DeliveryId::new(Timestamp::UNIX_EPOCH, &endpoint.id, &EventId::fresh(number));
                let row = Delivery::pending(&event, endpoint.id.clone(), now, 0);
                json!(Delivery { id, waits_until: Some(waits_until), status: Status::Retrying, ..row })
            })
            .collect();
        let told = json!({endpoint.id.as_str(): now.as_second()});
        let pages: Vec<Said> = rows
            .chunks(100)
            .map(|page| {
                let items: Vec<Value> = page.iter().map(replay::item).collect();
                let mut body = json!({"Items": items});
                if page.len() == 100 {
                    body["LastEvaluatedKey"] = items[99].clone();
                }
                Said::body(body)
            })
            .collect();
        let script = Script::default()
            .holding("config", [webhook])
            .holding("deliveries", rows)
            // Their webhook was told of just now, so they are counted.
            .holding(
                "config",
                [keyed(format!("TENANT#{tenant}"), "FAILURES", &json!({"told": told, "changed_by": "us"}))],
            )
            .saying_about(
                "UpdateItem",
                "FAILURES",
                [Said::body(json!({"Attributes": replay::item(&json!({"told": told}))}))],
            )
            .saying("PutItem", [Said::done()])
            .saying("Query", pages)
            .saying("SendMessageBatch", repeat_with(Said::done))
            .saying("UpdateItem", repeat_with(Said::done));
        let since = "2026-01-15T12:00:00Z".parse().unwrap();
        let listed = ParkedEndpoint { tenant_id: tenant, endpoint_id: endpoint.id, since };
        deadline::at_most(FOR_A_LOOK, parked(&script).look_after(&listed)).await.unwrap();
        let sent: usize =
            script.asked("SendMessageBatch").iter().map(|call| call["Entries"].as_array().unwrap().len()).sum();
        let rows = script.asked("UpdateItem").into_iter().filter(|update| update["TableName"] == "deliveries");
        (rows.count(), sent)
    }

    #[tokio::test]
    async fn a_look_goes_on_as_long_as_it_has_time() {
        let now = clock::now();
        assert_eq!(looked_after(State::Down, now).await, (250, 0), "what has waited for too long fails");
        assert_eq!(looked_after(State::Closing, now).await, (0, 250), "what was parked too late is sent");
        assert_eq!(looked_after(State::Draining, now).await, (0, 0));
    }
}
