//! Rows that are late because they wait for their turn: their webhook's owner limits requests, or its receiver asked to be left alone.
//! Their messages are in a queue, and a second one of each would take a second slot.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use postrider_aws::Failure;
use postrider_aws::config_table::{ConfigTable, EndpointKey};
use postrider_domain::delivery::Delivery;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::pause;
use postrider_domain::rate_limit::FURTHEST;
use postrider_host::clock;

use crate::pace::GRACE;

/// Slots that run further ahead than this keep rows waiting. Not more: once the last slots are near, the rows that still wait for them
/// have waited the longest, and would be taken for lost.
const AHEAD: Duration = Duration::from_secs(5);
/// So late, a row does not wait for a slot any more: none is given for so long ahead.
const LOST: Duration = Duration::from_secs(3600);
/// The same where slots run so far ahead that messages wait to be given one, for as long as the endpoint takes to catch up.
const LONG_LOST: Duration = Duration::from_secs(24 * 3600);

/// A webhook that may hold its rows back.
#[derive(Debug)]
pub(crate) struct Restrained {
    place: EndpointKey,
    is_limited: bool,
    paused: Option<Timestamp>,
}

impl Restrained {
    /// One that has a limit, or was paused.
    pub(crate) fn of(endpoint: &Endpoint) -> Option<Self> {
        let place = (endpoint.tenant_id.clone(), endpoint.id.clone());
        let (is_limited, paused) = (endpoint.rate_limit.is_some(), endpoint.paused_until);
        (is_limited || paused.is_some()).then_some(Self { place, is_limited, paused })
    }
}

/// What a webhook's rows wait for.
#[derive(Debug)]
struct Wait {
    /// Until when slots are given.
    slots: Option<Timestamp>,
    /// Until when it is paused.
    paused: Option<Timestamp>,
}

impl Wait {
    /// Whether a row of this webhook's that is due since then is to be left alone.
    fn keeps(&self, due: Timestamp, now: Timestamp) -> bool {
        let grace = now.saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
        if self.paused.is_some_and(|until| due <= until && !pause::is_over(until, grace)) {
            return true;
        }
        let ahead = self.slots.and_then(|until| Duration::try_from(until.duration_since(now)).ok()).unwrap_or_default();
        let late = Duration::try_from(now.duration_since(due)).unwrap_or_default();
        ahead > AHEAD && late < if ahead > FURTHEST / 2 { LONG_LOST } else { LOST }
    }
}

/// What a sweep has come to know of webhooks that hold their rows back.
#[derive(Debug, Default)]
pub(crate) struct Waits(HashMap<EndpointKey, Wait>);

impl Waits {
    /// Takes in what these webhooks' rows wait for; of those with a limit, until when slots are given. Where that cannot be read,
    /// their rows stay for the next sweep: if they wait, a second message of each would take a slot that others wait for.
    ///
    /// # Errors
    /// When that read failed.
    pub(crate) async fn look_up(&mut self, config: &ConfigTable, restrained: &[Restrained]) -> Result<(), Failure> {
        let limited: Vec<&EndpointKey> =
            restrained.iter().filter(|webhook| webhook.is_limited).map(|webhook| &webhook.place).collect();
        let read = if limited.is_empty() { Ok(HashMap::new()) } else { config.slots_given(limited).await };
        let (given, failed) = match read {
            Ok(given) => (Some(given), Ok(())),
            Err(error) => (None, Err(error)),
        };
        let unknown = clock::now().saturating_add(FURTHEST).ok();
        for Restrained { place, is_limited, paused } in restrained {
            let slots = given.as_ref().map_or(unknown.filter(|_| *is_limited), |given| given.get(place).copied());
            self.0.insert(place.clone(), Wait { slots, paused: *paused });
        }
        failed
    }

    /// Whether this row is late because it waits, as far as is known.
    pub(crate) fn keep(&self, row: &Delivery, now: Timestamp) -> bool {
        let place = || (row.tenant_id.clone(), row.endpoint_id.clone());
        let due = row.next_attempt_at.unwrap_or(now);
        !self.0.is_empty() && self.0.get(&place()).is_some_and(|wait| wait.keeps(due, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Whether a row that is so late is left alone.
    fn keeps(slots: Option<i64>, paused: Option<i64>, late: i64) -> bool {
        Wait { slots: slots.map(at), paused: paused.map(at) }.keeps(at(-late), at(0))
    }

    #[test]
    fn what_waits_for_its_slot_is_left_alone_and_what_is_lost_is_not() {
        assert!(!keeps(None, None, 3 * MINUTE));
        assert!(!keeps(Some(5), None, 3 * MINUTE), "the webhook is not behind");
        assert!(keeps(Some(6), None, 3 * MINUTE));
        assert!(keeps(Some(6), None, 60 * MINUTE - 1));
        assert!(!keeps(Some(6), None, 60 * MINUTE), "it would have been sent by now");
    }

    #[test]
    fn what_waits_to_be_given_a_slot_is_left_alone_for_a_day() {
        assert!(keeps(Some(14 * MINUTE), None, 5 * 60 * MINUTE));
        assert!(!keeps(Some(14 * MINUTE), None, 24 * 60 * MINUTE));
    }

    #[test]
    fn what_waits_for_the_end_of_a_pause_is_left_alone_until_it_has_come_back() {
        assert!(keeps(None, Some(600), 3 * MINUTE), "the pause lasts");
        assert!(keeps(None, Some(-100), 3 * MINUTE), "it is on its way");
        assert!(!keeps(None, Some(-MINUTE * 10), 30 * MINUTE), "it should have come by now");
        assert!(!keeps(None, Some(-200), 3 * MINUTE), "it was due when the pause was over");
    }
}
