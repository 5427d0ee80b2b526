//! Quotas: how much of anything one tenant may have or ask for, so that none costs the others or the bill more than its plan says.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event_rate::EventRate;
use crate::invalid::Invalid;
use crate::named;
use crate::plan::Plan;

pub mod bucket;
pub mod count;

named! {
    /// What there is a quota of.
    pub enum Quota {
        /// Webhooks that were not deleted.
        Webhooks = "webhooks",
        /// Bytes of the plain list of them.
        ListBytes = "list_bytes",
        /// Events that a tenant's keys publish.
        EventsPerSecond = "events_per_second",
        /// Recoveries that are running.
        Recoveries = "recoveries",
        /// Retries by hand of one webhook's deliveries.
        Retries = "retries",
        /// Sessions in the portal, and links to it that may still be used.
        PortalSessions = "portal_sessions",
    }
}

/// How many of a webhook's deliveries may be retried by hand at once; one a second comes after.
pub const RETRIES_AT_ONCE: u64 = 60;

/// How many sessions in the portal, and links to it that may still be used, a tenant may have at a time.
pub const PORTAL_SESSIONS: u64 = 1000;

/// The plain list of webhooks is one answer. Lambda's may have six megabytes, in which every quote takes two bytes: at the worst,
/// in a list of the shortest event types, half as much again.
pub const LIST_BYTES: u64 = 4 * 1024 * 1024;

/// The quotas of tenants that their plan and their operator say. Those of retries and of the portal are everybody's.
pub const OF_TENANTS: [Quota; 4] = [Quota::Webhooks, Quota::ListBytes, Quota::EventsPerSecond, Quota::Recoveries];

/// What counts for a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quotas {
    /// Of webhooks.
    pub webhooks: u64,
    /// Of the bytes of their plain list.
    pub list_bytes: u64,
    /// Of events a second.
    pub events_per_second: u64,
    /// Of recoveries at once.
    pub recoveries: u64,
}

impl Quotas {
    /// What a plan gives.
    pub const fn of(plan: Plan) -> Self {
        let (webhooks, events_per_second) = match plan {
            Plan::Free => (20, 10),
            Plan::Pro => (200, 100),
            Plan::Enterprise => (2000, 1000),
        };
        Self { webhooks, list_bytes: LIST_BYTES, events_per_second, recoveries: 2 }
    }

    /// How its events are counted.
    pub fn event_rate(&self) -> EventRate {
        EventRate::new(u32::try_from(self.events_per_second).unwrap_or(u32::MAX))
    }
}

/// What an operator has set for one tenant; what is `None` is as its plan has it. Each is an attribute of the tenant's row, so that
/// changes of two of them need not know of each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnQuotas {
    /// Of webhooks.
    #[serde(rename = "quota_webhooks", default, skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<u64>,
    /// Of the bytes of their plain list.
    #[serde(rename = "quota_list_bytes", default, skip_serializing_if = "Option::is_none")]
    pub list_bytes: Option<u64>,
    /// Of events a second.
    #[serde(rename = "quota_events_per_second", default, skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<u64>,
    /// Of recoveries at once.
    #[serde(rename = "quota_recoveries", default, skip_serializing_if = "Option::is_none")]
    pub recoveries: Option<u64>,
}

impl OwnQuotas {
    /// These, and the plan's where there is none.
    pub fn over(self, plan: Quotas) -> Quotas {
        Quotas {
            webhooks: self.webhooks.unwrap_or(plan.webhooks),
            list_bytes: self.list_bytes.unwrap_or(plan.list_bytes),
            events_per_second: self.events_per_second.unwrap_or(plan.events_per_second),
            recoveries: self.recoveries.unwrap_or(plan.recoveries),
        }
    }
}

/// What an operator changes in a tenant's quotas: what is `None` stays, and what is nothing within goes back to the plan's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaChange {
    /// Of webhooks.
    pub webhooks: Option<Option<u64>>,
    /// Of the bytes of their plain list.
    pub list_bytes: Option<Option<u64>>,
    /// Of events a second.
    pub events_per_second: Option<Option<u64>>,
    /// Of recoveries at once.
    pub recoveries: Option<Option<u64>>,
}

impl QuotaChange {
    /// What it makes of a tenant that had nothing of its own.
    pub fn of_nothing(self) -> OwnQuotas {
        OwnQuotas {
            webhooks: self.webhooks.flatten(),
            list_bytes: self.list_bytes.flatten(),
            events_per_second: self.events_per_second.flatten(),
            recoveries: self.recoveries.flatten(),
        }
    }

    /// Those that it sets anew or takes away.
    pub fn by_quota(self) -> impl Iterator<Item = (Quota, Option<u64>)> {
        let all = [self.webhooks, self.list_bytes, self.events_per_second, self.recoveries];
        OF_TENANTS.into_iter().zip(all).filter_map(|(quota, change)| Some((quota, change?)))
    }
}

impl Quota {
    /// What an operator may set. Nobody is kept from publishing by it, since suspending a tenant does that; the rest may be none.
    pub const fn bounds(self) -> RangeInclusive<u64> {
        match self {
            Self::Webhooks => 0..=100_000,
            Self::ListBytes => 0..=64 * 1024 * 1024,
            Self::EventsPerSecond => 1..=10_000,
            Self::Recoveries => 0..=100,
            Self::Retries => RETRIES_AT_ONCE..=RETRIES_AT_ONCE,
            Self::PortalSessions => PORTAL_SESSIONS..=PORTAL_SESSIONS,
        }
    }

    /// The most that an operator may set.
    pub const fn most(self) -> u64 {
        *self.bounds().end()
    }

    /// Takes what an operator sets.
    ///
    /// # Errors
    /// [`Invalid`] naming the quota where it is out of its bounds.
    pub fn check(self, limit: u64) -> Result<(), Invalid> {
        if self.bounds().contains(&limit) {
            return Ok(());
        }
        Err(Invalid::new(format!("quotas.{}", self.as_str()), self.expected()))
    }

    /// What an operator is told who sets something else.
    pub fn expected(self) -> String {
        let (least, most) = self.bounds().into_inner();
        format!("a whole number, {least} to {most}, or null for the plan's")
    }

    /// The attribute of a tenant's row in which an operator's own lies.
    pub fn attribute(self) -> String {
        format!("quota_{}", self.as_str())
    }
}

/// What was asked for is beyond a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Which one.
    pub quota: Quota,
    /// How much it allows.
    pub limit: u64,
    /// When it is worth another try.
    pub retry_after: Duration,
}

impl Exceeded {
    /// For what is given back when somebody deletes or ends something: nobody knows when, so it is a minute.
    pub fn until_given_back(quota: Quota, limit: u64) -> Self {
        Self { quota, limit, retry_after: Duration::from_secs(60) }
    }

    /// When it is worth another try, in whole seconds and no moment too early.
    pub fn retry_after_seconds(&self) -> u64 {
        let seconds = self.retry_after.as_secs() + u64::from(self.retry_after.subsec_nanos() > 0);
        seconds.max(1)
    }

    /// What the limit is, and what to do, in words for whoever is refused.
    pub fn message(&self) -> String {
        let limit = self.limit;
        match self.quota {
            Quota::Webhooks => {
                format!("this tenant may have {limit} webhooks; delete one, or ask the provider for a higher quota")
            }
            Quota::ListBytes => format!(
                "the list of this tenant's webhooks may have {limit} bytes; delete a webhook, shorten its URL or its \
                 events, or ask the provider for a higher quota"
            ),
            Quota::EventsPerSecond => format!(
                "this tenant may publish {limit} events a second; try again after the seconds in Retry-After, or ask the \
                 provider for a higher quota"
            ),
            Quota::Recoveries => format!(
                "this tenant may have {limit} recoveries running; try again when one is done, or ask the provider for a \
                 higher quota"
            ),
            Quota::Retries => format!(
                "a webhook may be tested, or its deliveries retried, {limit} times at once, and once a second after that; \
                 try again after the seconds in Retry-After, or recover the webhook"
            ),
            Quota::PortalSessions => format!(
                "a tenant may have {limit} sessions in the portal at a time, with the links that may still be used; end some, or \
                 give them shorter lives"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_own_count_and_the_rest_is_the_plans() {
        let own = OwnQuotas { webhooks: Some(7), ..OwnQuotas::default() };
        let quotas = own.over(Quotas::of(Plan::Free));
        assert_eq!(quotas, Quotas { webhooks: 7, ..Quotas::of(Plan::Free) });
        assert_eq!((quotas.events_per_second, quotas.recoveries, quotas.list_bytes), (10, 2, 4_194_304));
    }

    #[test]
    fn a_change_tells_what_is_set_and_what_goes() {
        let change = QuotaChange { webhooks: Some(Some(0)), recoveries: Some(None), ..QuotaChange::default() };
        assert!(change.by_quota().eq([(Quota::Webhooks, Some(0)), (Quota::Recoveries, None)]));
        assert_eq!(change.of_nothing(), OwnQuotas { webhooks: Some(0), ..OwnQuotas::default() });
    }

    #[test]
    fn an_own_quota_lies_under_its_name() {
        let all = OwnQuotas { webhooks: Some(1), list_bytes: Some(2), events_per_second: Some(3), recoveries: Some(4) };
        let row = serde_json::to_value(all).unwrap();
        let stored: Vec<_> = OF_TENANTS.iter().map(|quota| row[quota.attribute()].as_u64()).collect();
        assert_eq!(stored, [Some(1), Some(2), Some(3), Some(4)]);
        let shown = serde_json::to_value(all.over(Quotas::of(Plan::Pro))).unwrap();
        let shown: Vec<_> = OF_TENANTS.iter().map(|quota| shown[quota.as_str()].as_u64()).collect();
        assert_eq!(shown, stored);
    }

    #[test]
    fn what_may_be_set_includes_every_plans() {
        for plan in Plan::ALL {
            let quotas = Quotas::of(*plan);
            let all = [quotas.webhooks, quotas.list_bytes, quotas.events_per_second, quotas.recoveries];
            assert!(OF_TENANTS.into_iter().zip(all).all(|(quota, limit)| quota.check(limit).is_ok()), "{plan:?}");
        }
        assert_eq!(Quota::EventsPerSecond.check(0).unwrap_err().field, "quotas.events_per_second");
    }

    #[test]
    fn nobody_is_told_to_come_too_early() {
        for (millis, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            let exceeded = Exceeded { quota: Quota::Retries, limit: 60, retry_after: Duration::from_millis(millis) };
            assert_eq!(exceeded.retry_after_seconds(), seconds, "{millis}");
        }
    }

    #[test]
    fn every_refusal_says_the_limit() {
        for quota in Quota::ALL {
            assert!(Exceeded::until_given_back(*quota, 4711).message().contains("4711"), "{quota:?}");
        }
    }
}
