//! How many webhooks a tenant has and how long their plain list is, and what a change makes of that.

use serde::{Deserialize, Serialize};

use super::{Exceeded, Quota, Quotas};

/// What a tenant has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookCount {
    /// Its webhooks.
    pub webhooks: u64,
    /// The bytes of their plain list.
    pub list_bytes: u64,
}

/// By how much a change moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Webhooks more, or fewer.
    pub webhooks: i64,
    /// Bytes more, or fewer.
    pub list_bytes: i64,
}

/// What becomes of a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There is room for it, and as much to take away as it takes.
    Fits,
    /// It takes away more than there is, which was not counted then: what is left of the count.
    Below(WebhookCount),
    /// There is no room.
    Exceeds(Exceeded),
}

impl Shift {
    /// A webhook more.
    pub fn made(bytes: u64) -> Self {
        Self { webhooks: 1, list_bytes: signed(bytes) }
    }

    /// One fewer.
    pub fn deleted(bytes: u64) -> Self {
        Self { webhooks: -1, list_bytes: -signed(bytes) }
    }

    /// One that is shown otherwise.
    pub fn changed(before: u64, after: u64) -> Self {
        Self { webhooks: 0, list_bytes: signed(after) - signed(before) }
    }

    /// Whether it moves nothing.
    pub fn is_none(self) -> bool {
        self == Self { webhooks: 0, list_bytes: 0 }
    }

    /// Judges it. Only what grows can be too much: who is over a quota that was lowered may make the list shorter, and delete.
    pub fn on(self, count: WebhookCount, quotas: Option<Quotas>) -> Outcome {
        let webhooks = count.webhooks.checked_add_signed(self.webhooks);
        let list_bytes = count.list_bytes.checked_add_signed(self.list_bytes);
        let (Some(new_webhooks), Some(new_bytes)) = (webhooks, list_bytes) else {
            return Outcome::Below(WebhookCount {
                webhooks: webhooks.unwrap_or_default(),
                list_bytes: list_bytes.unwrap_or_default(),
            });
        };
        match quotas {
            Some(quotas) if self.webhooks > 0 && new_webhooks > quotas.webhooks => {
                Outcome::Exceeds(Exceeded::until_given_back(Quota::Webhooks, quotas.webhooks))
            }
            Some(quotas) if self.list_bytes > 0 && new_bytes > quotas.list_bytes => {
                Outcome::Exceeds(Exceeded::until_given_back(Quota::ListBytes, quotas.list_bytes))
            }
            _ => Outcome::Fits,
        }
    }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a tenant's calls do, one after another.
    #[derive(Debug, Clone)]
    enum Call {
        Make(u64),
        Delete(usize),
        Change(usize, u64),
        Lower(u64, u64),
    }

    fn call() -> impl Strategy<Value = Call> {
        prop_oneof![
            (1..50_u64).prop_map(Call::Make),
            any::<usize>().prop_map(Call::Delete),
            (any::<usize>(), 1..50_u64).prop_map(|(which, bytes)| Call::Change(which, bytes)),
            (0..10_u64, 0..300_u64).prop_map(|(webhooks, bytes)| Call::Lower(webhooks, bytes)),
        ]
    }

    fn shifted(count: WebhookCount, shift: Shift) -> WebhookCount {
        WebhookCount {
            webhooks: count.webhooks.checked_add_signed(shift.webhooks).unwrap(),
            list_bytes: count.list_bytes.checked_add_signed(shift.list_bytes).unwrap(),
        }
    }

    proptest! {
        /// The count is what there is, nothing grows past a quota, and what does not grow is never refused.
        #[test]
        fn a_count_is_what_there_is_and_only_what_grows_is_refused(calls in prop::collection::vec(call(), 0..60)) {
            let mut quotas = Quotas { webhooks: 5, list_bytes: 150, events_per_second: 1, recoveries: 1 };
            let (mut count, mut there): (WebhookCount, Vec<u64>) = (WebhookCount::default(), Vec::new());
            for call in calls {
                let (shift, after) = match call {
                    Call::Make(bytes) => (Shift::made(bytes), [there.clone(), vec![bytes]].concat()),
                    Call::Delete(which) if !there.is_empty() => {
                        let mut after = there.clone();
                        let gone = after.remove(which % there.len());
                        (Shift::deleted(gone), after)
                    }
                    Call::Change(which, bytes) if !there.is_empty() => {
                        let mut after = there.clone();
                        let place = which % there.len();
                        after[place] = bytes;
                        (Shift::changed(there[place], bytes), after)
                    }
                    Call::Lower(webhooks, list_bytes) => {
                        quotas = Quotas { webhooks, list_bytes, ..quotas };
                        continue;
                    }
                    Call::Delete(_) | Call::Change(..) => continue,
                };
                match shift.on(count, Some(quotas)) {
                    Outcome::Fits => (count, there) = (shifted(count, shift), after),
                    Outcome::Exceeds(exceeded) => {
                        let (grows, total, limit) = match exceeded.quota {
                            Quota::Webhooks => (shift.webhooks > 0, after.len() as u64, quotas.webhooks),
                            _ => (shift.list_bytes > 0, after.iter().sum(), quotas.list_bytes),
                        };
                        prop_assert!(grows && total > limit && exceeded.limit == limit, "{exceeded:?} {after:?}");
                    }
                    Outcome::Below(left) => prop_assert!(false, "{left:?}"),
                }
                prop_assert_eq!(count.webhooks, there.len() as u64);
                prop_assert_eq!(count.list_bytes, there.iter().sum::<u64>());
            }
        }

        /// What was never counted takes no more than there is.
        #[test]
        fn a_count_never_goes_below_zero(webhooks in 0..3_u64, list_bytes in 0..100_u64, bytes in 0..100_u64) {
            let count = WebhookCount { webhooks, list_bytes };
            let left = match Shift::deleted(bytes).on(count, None) {
                Outcome::Below(left) => left,
                Outcome::Fits => shifted(count, Shift::deleted(bytes)),
                Outcome::Exceeds(exceeded) => panic!("{exceeded:?}"),
            };
            prop_assert_eq!(left.webhooks, webhooks.saturating_sub(1));
            prop_assert_eq!(left.list_bytes, list_bytes.saturating_sub(bytes));
        }
    }
}
