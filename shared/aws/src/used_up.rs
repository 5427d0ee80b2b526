//! Which webhooks have no retry by hand left for a moment, and so no test: a flood of them is refused by what this process knows,
//! without a call.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use postrider_domain::id::{EndpointId, TenantId};
use postrider_domain::quota::bucket::{RETRIES, wait};
use postrider_domain::quota::{Exceeded, Quota};
use postrider_host::clock;

use crate::config_table::ConfigTable;
use crate::error::Failure;

/// How many are remembered. Each is for a second at the most, so more of them at once come only where nothing is to be saved.
const MOST: usize = 1000;

/// The webhooks that were refused, until when. By the wall clock: while a function is frozen, the steady one may stand still.
#[derive(Default)]
pub struct UsedUp(Mutex<HashMap<(TenantId, EndpointId), i64>>);

impl UsedUp {
    /// Refuses one whose bucket is still empty.
    ///
    /// # Errors
    /// [`Exceeded`] with what is left of the wait.
    pub fn check(&self, tenant: &TenantId, endpoint: &EndpointId, now: Timestamp) -> Result<(), Exceeded> {
        let now = now.as_millisecond();
        match self.refused().get(&(tenant.clone(), endpoint.clone())) {
            Some(until) if counts(*until, now) => {
                Err(Exceeded { quota: Quota::Retries, limit: RETRIES.at_once, retry_after: wait(now, *until) })
            }
            _ => Ok(()),
        }
    }

    /// Takes a retry from a webhook's bucket, and remembers it if there was none.
    ///
    /// # Errors
    /// When the bucket could not be asked; [`Exceeded`] within where it is empty.
    pub async fn take(
        &self,
        config: &ConfigTable,
        tenant: &TenantId,
        endpoint: &EndpointId,
    ) -> Result<Result<(), Exceeded>, Failure> {
        let taken = config.take_retry(tenant, endpoint).await?;
        if let Err(exceeded) = taken {
            self.note(tenant, endpoint, exceeded, clock::now());
        }
        Ok(taken)
    }

    /// Remembers one that was refused.
    fn note(&self, tenant: &TenantId, endpoint: &EndpointId, exceeded: Exceeded, now: Timestamp) {
        let (now, mut refused) = (now.as_millisecond(), self.refused());
        if refused.len() >= MOST {
            refused.retain(|_, until| counts(*until, now));
        }
        if refused.len() < MOST {
            let wait = i64::try_from(exceeded.retry_after.as_millis()).unwrap_or(RETRIES.interval_millis);
            refused.insert((tenant.clone(), endpoint.clone()), now + wait);
        }
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<(TenantId, EndpointId), i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is still to come. A token comes back within an interval: what says more was noted by a clock that has been put right.
fn counts(until: i64, now: i64) -> bool {
    until > now && until - now <= RETRIES.interval_millis
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_768_000_000_000 + millis).unwrap()
    }

    fn exceeded(millis: u64) -> Exceeded {
        Exceeded { quota: Quota::Retries, limit: 60, retry_after: Duration::from_millis(millis) }
    }

    #[test]
    fn one_is_refused_until_its_moment_and_no_other_is() {
        let used_up = UsedUp::default();
        let (tenant, one, other) = (TenantId::new(at(0), 1), EndpointId::new(at(0), 1), EndpointId::new(at(0), 2));
        used_up.note(&tenant, &one, exceeded(700), at(0));
        assert_eq!(used_up.check(&tenant, &one, at(300)), Err(exceeded(400)));
        assert_eq!(used_up.check(&tenant, &other, at(300)), Ok(()));
        assert_eq!(used_up.check(&TenantId::new(at(0), 2), &one, at(300)), Ok(()), "another's delivery is his 404");
        assert_eq!(used_up.check(&tenant, &one, at(700)), Ok(()));
        assert_eq!(used_up.check(&tenant, &one, at(-60_000)), Ok(()), "a clock was put right");
    }

    #[test]
    fn what_is_remembered_stays_small() {
        let (tenant, used_up) = (TenantId::new(at(0), 1), UsedUp::default());
        (0..3000).for_each(|number| used_up.note(&tenant, &EndpointId::new(at(0), number), exceeded(1000), at(0)));
        assert_eq!(used_up.refused().len(), MOST);
        used_up.note(&tenant, &EndpointId::new(at(0), 1), exceeded(1000), at(2000));
        assert_eq!(used_up.refused().len(), 1);
    }
}
