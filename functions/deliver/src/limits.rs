//! Endpoints that take only so many requests a second, or that asked to be left alone for a while: who is sent now, and who goes back
//! to a queue until it is his turn. That is no attempt: it has no number, and no row is written for it.
//!
//! Slots are taken before anything is sent. Who dies after that has lost them, which costs the endpoint as much time as they are, and
//! its messages ask anew when they come again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use futures::future::join_all;
use jiff::Timestamp;
use postrider_aws::Failure;
use postrider_aws::config_table::{ConfigTable, EndpointKey};
use postrider_aws::lanes::Lanes;
use postrider_aws::sdk::SdkConfig;
use postrider_domain::id::EndpointId;
use postrider_domain::message::Message;
use postrider_domain::pause;
use postrider_domain::rate_limit::{Begins, Claimed, Given, Restraint, Slot, Turn, in_reach};
use postrider_domain::snapshot::Snapshot;
use postrider_host::env::BadSetting;
use postrider_host::{clock, entropy};

use crate::records::{Received, those_at};
use crate::waiting::lag;

/// Endpoints of which a process remembers what it was given last.
const REMEMBERED: usize = 1_000;

/// Keeps to limits and pauses.
pub(crate) struct Limits {
    config: ConfigTable,
    lanes: Lanes,
    given: Mutex<HashMap<EndpointId, Given>>,
}

/// Which queue a batch came from, and what was read for it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) from: &'a str,
    pub(crate) snapshot: &'a Snapshot,
}

/// A message that something holds back.
pub(crate) struct Restrained {
    received: Received,
    by: Restraint,
}

/// What becomes of them.
#[derive(Default)]
pub(crate) struct Sorted {
    /// To be sent: their slots are now.
    pub(crate) now: Vec<Received>,
    /// To be seen again after so long.
    pub(crate) later: Vec<(SqsMessage, Message, Duration)>,
    /// To be parked: their slots would be further ahead than a queue can hold them back.
    pub(crate) too_far_ahead: Vec<Received>,
    /// Those that no slot could be taken for.
    pub(crate) handed_back: Vec<SqsMessage>,
}

/// Parts those that something holds back from those that nothing does, which are not to wait for what is asked for the others.
pub(crate) fn part(records: Vec<Received>, snapshot: &Snapshot) -> (Vec<Restrained>, Vec<Received>) {
    let (now, mut restrained, mut free) = (clock::now(), Vec::new(), Vec::new());
    for (record, message) in records {
        match snapshot.restraint(&message, now) {
            Some(by) => restrained.push(Restrained { received: (record, message), by }),
            // Its limit may be gone by now.
            None => free.push((record, message.with_slot(None))),
        }
    }
    (restrained, free)
}

/// Waits for a slot that is so close that no queue was asked to.
pub(crate) async fn wait_for(slot: Option<Slot>) {
    let left = slot.map_or(Duration::ZERO, |slot| slot.left(clock::now()).min(slot.early()));
    if !left.is_zero() {
        tokio::time::sleep(left).await;
    }
}

impl Limits {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self { config: ConfigTable::from_env(sdk)?, lanes: Lanes::from_env(sdk)?, given: Mutex::default() })
    }

    /// Decides about each. Of each endpoint slots are taken once, as many as it has messages without one. Where that fails its
    /// messages are handed back, as where a row cannot be read: sent without, they would break the limit, and a queue's delay would
    /// hide that something is wrong.
    pub(crate) async fn sort(&self, restrained: Vec<Restrained>, place: Place<'_>) -> Sorted {
        let (now, mut sorted) = (clock::now(), Sorted::default());
        let mut asking: BTreeMap<EndpointKey, (Restraint, Option<Duration>, Vec<Received>)> = BTreeMap::new();
        for Restrained { received, by } in restrained {
            match by.turn(received.1.slot, now) {
                Turn::Ask => {
                    let endpoint = (received.1.tenant_id.clone(), received.1.endpoint_id.clone());
                    let missed = received.1.slot.map(|_| lag(&received.0, &received.1));
                    let (_, late, records) = asking.entry(endpoint).or_insert_with(|| (by, None, Vec::new()));
                    *late = (*late).max(missed);
                    records.push(received);
                }
                turn => self.put(received, turn, place, &mut sorted),
            }
        }
        let claims = asking.into_iter().map(|(endpoint, (by, late, records))| async move {
            (self.claim(&endpoint, (by, late), records.len(), now).await, records)
        });
        for (claimed, records) in join_all(claims).await {
            match claimed {
                Ok(Claimed::Slots(slots)) => {
                    let given = records.into_iter().zip(slots);
                    given.for_each(|(received, slot)| self.put(received, slot.turn(now), place, &mut sorted));
                }
                Ok(Claimed::TooFarAhead) => sorted.too_far_ahead.extend(records),
                Err(error) => {
                    tracing::error!(error = %error, messages = records.len(), "deliver.no_slots");
                    sorted.handed_back.extend(records.into_iter().map(|(record, _)| record));
                }
            }
        }
        sorted
    }

    fn put(&self, (record, message): Received, turn: Turn, place: Place<'_>, sorted: &mut Sorted) {
        let now = clock::now();
        match turn {
            Turn::Now(slot) => sorted.now.push((record, message.with_slot(Some(slot)))),
            Turn::Later(slot) => {
                // How late a queue is says nothing of another.
                let queue = self.lanes.queue(place.snapshot.is_slow(&message, now));
                let lag = if queue.is_at(place.from) { lag(&record, &message) } else { Duration::ZERO };
                sorted.later.push((record, message.with_slot(Some(slot)), slot.delay(now, lag)));
            }
            Turn::Paused(until) => {
                let delay = pause::delay(until, now, entropy::jitter());
                sorted.later.push((record, message.with_slot(None), delay));
            }
            Turn::Ask => sorted.handed_back.push(record),
        }
    }

    /// Takes slots. What this process was given last tells where they most likely begin, so that most often one write will do.
    async fn claim(
        &self,
        endpoint: &EndpointKey,
        (by, late): (Restraint, Option<Duration>),
        messages: usize,
        now: Timestamp,
    ) -> Result<Claimed, Failure> {
        let Some(limit) = by.limit else { return Ok(Claimed::Slots(Vec::new())) };
        let given = self.remembered().get(&endpoint.1).copied();
        let claim = limit.claim(messages, now, by.paused_until.max(late.and_then(|lag| in_reach(given, lag, now))));
        let likely = match claim.begins(given) {
            Begins::Earliest => Begins::Earliest,
            Begins::Given | Begins::Nowhere => Begins::Given,
        };
        let claimed = self.config.claim_slots(endpoint, &claim, likely, now).await?;
        if let Claimed::Slots(slots) = &claimed
            && let Some(last) = slots.last()
        {
            let mut remembered = self.remembered();
            if remembered.len() >= REMEMBERED {
                remembered.clear();
            }
            remembered.insert(endpoint.1.clone(), Given { next_free: last.at.as_microsecond(), limit });
        }
        Ok(claimed)
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<EndpointId, Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends back what waits, to the queues where it belongs; what was not taken. Who dies between that and the acknowledgement
    /// leaves a double, which asks for a slot of its own when it comes again.
    pub(crate) async fn send_back(
        &self,
        later: Vec<(SqsMessage, Message, Duration)>,
        place: Place<'_>,
    ) -> Vec<SqsMessage> {
        if later.is_empty() {
            return Vec::new();
        }
        let now = clock::now();
        let longest = later.iter().map(|(.., delay)| delay.as_secs()).max().unwrap_or_default();
        let (records, messages): (Vec<SqsMessage>, Vec<_>) =
            later.into_iter().map(|(record, message, delay)| (record, (message, delay))).unzip();
        let left = self.lanes.send(messages, |message| place.snapshot.is_slow(message, now)).await;
        tracing::info!(messages = records.len() - left.places.len(), seconds = longest, "deliver.held_back");
        if let Some(error) = &left.why {
            tracing::error!(error = %error, messages = left.places.len(), "deliver.not_held_back");
        }
        those_at(&left.places, records)
    }
}

#[cfg(test)]
#[path = "limits/tests.rs"]
mod tests;
