//! How much of what there is to do is done at once, and in which order. A tenant may have any number of webhooks; nobody else's
//! events wait until all of them have their rows.

use std::collections::HashMap;
use std::time::Duration;

use postrider_domain::id::TenantId;
use tokio::time::Instant;

/// What at most so many webhooks may have asked for goes in the stream's own turn, whatever else there is: to go on elsewhere would
/// cost it calls.
pub const FEW: usize = 100;
/// Rows of such events in one turn of the stream.
const ROWS_OF_FEW: usize = 4_000;
/// Rows of all other events together in it: what comes behind them in the stream waits a fraction of a second.
pub const ROWS_OF_MANY: usize = 500;
/// How long what many ask for is put in it, from its first row on: what was waited for before that is nobody's row, and what few ask
/// for goes as far as the invocation's own time.
const SECONDS: u64 = 10;
/// Rows of one turn of an event that goes on from its own queue. The next in the queue waits for as long.
pub const ROWS_GOING_ON: usize = 10_000;
const SECONDS_GOING_ON: u64 = 30;

/// How long filters are judged in a turn of the stream, all together and of one tenant: what many webhooks' filters or a few slow ones take
/// beyond that is no other's time. What is left goes on elsewhere.
const JUDGING: Duration = Duration::from_secs(4);
const JUDGING_OF_ONE: Duration = Duration::from_secs(1);
/// The same where an event goes on from its own queue.
const JUDGING_GOING_ON: Duration = Duration::from_secs(20);

/// What may still be begun.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    of_few: usize,
    of_many: usize,
    lasts: Duration,
    /// When its time is up, once it has begun.
    until: Option<Instant>,
    /// How long filters may still be judged.
    judging: Duration,
    /// How long those of one tenant may be, and how long they were.
    of_one: Duration,
    judged: HashMap<TenantId, Duration>,
}

impl Turn {
    /// Of what comes from the stream, or is tried again.
    pub(crate) fn of_stream() -> Self {
        let lasts = Duration::from_secs(SECONDS);
        Self {
            of_few: ROWS_OF_FEW,
            of_many: ROWS_OF_MANY,
            lasts,
            until: None,
            judging: JUDGING,
            of_one: JUDGING_OF_ONE,
            judged: HashMap::new(),
        }
    }

    /// Of what goes on.
    pub(crate) fn going_on() -> Self {
        let lasts = Duration::from_secs(SECONDS_GOING_ON);
        let (judging, of_one) = (JUDGING_GOING_ON, JUDGING_GOING_ON);
        let rows = ROWS_GOING_ON;
        Self { of_few: rows, of_many: rows, lasts, until: None, judging, of_one, judged: HashMap::new() }
    }

    /// Of so many rows of any kind.
    #[cfg(test)]
    pub(crate) fn of_rows(rows: usize) -> Self {
        Self { of_few: rows, of_many: rows, ..Self::going_on() }
    }

    /// In which filters are judged for so long.
    #[cfg(test)]
    pub(crate) fn judging_for(judging: Duration) -> Self {
        Self { judging, ..Self::going_on() }
    }

    /// Whose time is up.
    #[cfg(test)]
    pub(crate) fn over() -> Self {
        Self { lasts: Duration::ZERO, ..Self::going_on() }
    }

    /// Begins its time: now the first row can be put.
    pub(crate) fn begin(&mut self) {
        self.until = Some(Instant::now() + self.lasts);
    }

    pub(crate) fn has_time(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether a filter of this tenant's webhooks may still be judged.
    pub(crate) fn may_judge(&self, tenant: &TenantId) -> bool {
        !self.judging.is_zero() && self.judged.get(tenant).is_none_or(|judged| *judged < self.of_one)
    }

    /// Counts the time that it took.
    pub(crate) fn judged(&mut self, tenant: &TenantId, took: Duration) {
        if !took.is_zero() {
            self.judging = self.judging.saturating_sub(took);
            *self.judged.entry(tenant.clone()).or_default() += took;
        }
    }

    /// Whether one more row may be put of an event that so many may have asked for.
    pub(crate) fn has_room(&self, asking: usize) -> bool {
        if asking <= FEW { self.of_few > 0 } else { self.of_many > 0 && self.has_time() }
    }

    pub(crate) fn count(&mut self, asking: usize) {
        let left = if asking <= FEW { &mut self.of_few } else { &mut self.of_many };
        *left = left.saturating_sub(1);
    }
}

/// In which order events are fanned out, each given by its tenant and by how many may have asked for it: as if every tenant's were
/// done side by side, his smallest first, and each tenant got as much as any other. So what few ask for never waits for what many
/// ask for, and a hundred events of one tenant are not before another's one.
pub(crate) fn order(events: &[(&TenantId, usize)]) -> Vec<usize> {
    let mut smallest_first: Vec<usize> = (0..events.len()).collect();
    smallest_first.sort_by_key(|event| events[*event].1);
    let mut done: HashMap<&TenantId, usize> = HashMap::new();
    let mut ends: Vec<(usize, usize)> = Vec::with_capacity(events.len());
    for event in smallest_first {
        let (tenant, asking) = events[event];
        let done = done.entry(tenant).or_default();
        *done = done.saturating_add(asking);
        ends.push((*done, event));
    }
    ends.sort_unstable();
    ends.into_iter().map(|(_, event)| event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn tenants() -> Vec<TenantId> {
        (0..3).map(|n| TenantId::new(Timestamp::UNIX_EPOCH, n)).collect()
    }

    #[test]
    fn small_ones_go_first_and_a_tenants_many_do_not_go_before_anothers_one() {
        let tenants = tenants();
        let [a, b] = [&tenants[0], &tenants[1]];
        assert_eq!(order(&[(a, 50_000), (b, 10), (a, 1)]), [2, 1, 0]);
        assert_eq!(order(&[(a, 1_000), (a, 1_000), (a, 1_000), (b, 1_500)]), [0, 3, 1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_ends_with_its_rows() {
        let mut turn = Turn::of_stream();
        (0..ROWS_OF_MANY).for_each(|_| turn.count(FEW + 1));
        assert!(turn.has_room(FEW) && !turn.has_room(FEW + 1));
        (0..ROWS_OF_FEW).for_each(|_| turn.count(FEW));
        assert!(!turn.has_room(FEW));
    }

    #[tokio::test(start_paused = true)]
    async fn one_tenants_filters_leave_others_time_and_all_of_them_leave_the_rest_some() {
        let tenants: Vec<TenantId> = (0..9).map(|n| TenantId::new(Timestamp::UNIX_EPOCH, n)).collect();
        let mut turn = Turn::of_stream();
        turn.judged(&tenants[0], JUDGING_OF_ONE - Duration::from_millis(1));
        assert!(turn.may_judge(&tenants[0]));
        turn.judged(&tenants[0], Duration::from_secs(1));
        assert!(!turn.may_judge(&tenants[0]) && turn.may_judge(&tenants[1]));
        tenants[1..4].iter().for_each(|tenant| turn.judged(tenant, JUDGING_OF_ONE));
        assert!(tenants.iter().all(|tenant| !turn.may_judge(tenant)));
        let mut turn = Turn::going_on();
        turn.judged(&tenants[0], JUDGING);
        assert!(turn.may_judge(&tenants[0]), "nobody else is in it");
    }

    #[tokio::test(start_paused = true)]
    async fn its_time_begins_with_its_first_row_and_is_for_what_many_ask_for() {
        let mut turn = Turn::of_stream();
        tokio::time::advance(Duration::from_secs(SECONDS)).await;
        assert!(turn.has_room(FEW + 1), "nobody has had any of it");
        turn.begin();
        tokio::time::advance(Duration::from_secs(SECONDS)).await;
        assert!(turn.has_room(FEW) && !turn.has_room(FEW + 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whoever_stands_before_an_event_has_had_no_more_than_its_own_tenant(
            events in prop::collection::vec((0_usize..3, 0_usize..5_000), 0..40)
        ) {
            let tenants = tenants();
            let events: Vec<_> = events.into_iter().map(|(tenant, asking)| (&tenants[tenant], asking)).collect();
            let order = order(&events);
            let mut all = order.clone();
            all.sort_unstable();
            prop_assert_eq!(all, (0..events.len()).collect::<Vec<_>>());
            let mut had: HashMap<&TenantId, usize> = HashMap::new();
            for event in order {
                let (tenant, asking) = events[event];
                *had.entry(tenant).or_default() += asking;
                prop_assert!(had.values().all(|others| *others <= had[tenant]), "{had:?}");
            }
        }
    }
}
