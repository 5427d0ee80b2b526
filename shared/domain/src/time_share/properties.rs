//! What holds of every history of batches.

use proptest::prelude::*;

use super::*;

fn tenant(number: u64) -> TenantId {
    TenantId::new(Timestamp::UNIX_EPOCH, number)
}

/// An endpoint of a tenant's.
fn endpoint(tenant: u64, number: u64) -> EndpointId {
    EndpointId::new(Timestamp::UNIX_EPOCH, tenant * 1_000_000 + number)
}

/// A message, what its attempt takes, and how long it has waited, in milliseconds.
fn held((whose, which): (u64, u64), millis: u64, waited_millis: u64) -> Message {
    let [time, waited] = [millis, waited_millis].map(Duration::from_millis);
    Message { tenant: tenant(whose), endpoint: endpoint(whose, which), time, waited }
}

#[derive(Debug, Clone)]
struct Message {
    tenant: TenantId,
    endpoint: EndpointId,
    time: Duration,
    waited: Duration,
}

fn came(batch: &[Message]) -> Vec<Came> {
    let one = |one: &Message| Came { tenant: one.tenant.clone(), endpoint: one.endpoint.clone(), waited: one.waited };
    batch.iter().map(one).collect()
}

fn took(batch: &[Message]) -> Vec<Held> {
    let one = |one: &Message| Held { tenant: one.tenant.clone(), endpoint: one.endpoint.clone(), time: one.time };
    batch.iter().map(one).collect()
}

/// A whole batch, that ends so much later; who is named first.
fn whole(shares: &mut TimeShares, batch: &[Message], now: &mut Timestamp) -> Option<Holder> {
    let before = shares.before(&came(batch), *now);
    *now += batch.iter().map(|one| one.time).max().unwrap_or_default();
    let after = shares.after(&took(batch), *now);
    before.or(after)
}

/// The verdicts on these batches, one after another, each as long as its slowest.
fn judged(shares: &mut TimeShares, batches: impl IntoIterator<Item = Vec<Message>>) -> Vec<Holder> {
    let mut now = Timestamp::UNIX_EPOCH;
    batches.into_iter().filter_map(|batch| whole(shares, &batch, &mut now)).collect()
}

fn of_endpoint(whose: u64, which: u64) -> Holder {
    Holder { tenant: tenant(whose), endpoint: Some(endpoint(whose, which)) }
}

fn of_tenant(whose: u64) -> Holder {
    Holder { tenant: tenant(whose), endpoint: None }
}

#[test]
fn almost_two_seconds_with_many_waiting_are_as_slow_as_twenty_with_few() {
    for (millis, batches) in [(1_900, 4), (20_000, 2)] {
        let batch = || vec![held((1, 1), millis, 0), held((2, 1), 50, 3_000), held((2, 1), 50, 3_000)];
        let found = judged(&mut TimeShares::default(), (0..batches).map(|_| batch()));
        assert_eq!(found.first(), Some(&of_endpoint(1, 1)), "{millis}");
    }
}

#[test]
fn many_webhooks_of_one_tenant_are_slow_together() {
    let batch =
        |turn: u64| (0..9).map(|n| held((1, turn * 9 + n), 1_900, 9_000)).chain([held((2, 1), 50, 3_000)]).collect();
    let found = judged(&mut TimeShares::default(), (0..5).map(batch));
    assert_eq!(found.first(), Some(&of_tenant(1)));
}

#[test]
fn a_flood_of_prompt_ones_is_too_much_as_well() {
    let batch = || (0..9).map(|n| held((1, n), 50, 9_000)).chain([held((2, 1), 50, 3_000)]).collect();
    let found = judged(&mut TimeShares::default(), (0..200).map(|_| batch()));
    assert_eq!(found.first(), Some(&of_tenant(1)));
}

#[test]
fn the_largest_goes_first_and_the_rest_is_judged_by_what_happens_then() {
    let mut shares = TimeShares::default();
    let both = || vec![held((1, 1), 4_000, 2_000), held((2, 1), 3_000, 2_000), held((3, 1), 10, 2_000)];
    let found = judged(&mut shares, (0..2).map(|_| both()));
    assert_eq!(found.first(), Some(&of_endpoint(1, 1)));
    shares.forget(&found[0]);
    let rest = |waited| vec![held((2, 1), 3_000, 0), held((3, 1), 10, waited)];
    assert_eq!(judged(&mut shares, (0..9).map(|_| rest(10))), [], "nobody waits for him any more");
    assert_eq!(judged(&mut shares, (0..3).map(|_| rest(2_000))).first(), Some(&of_endpoint(2, 1)));
}

#[test]
fn a_tenant_of_many_tarpits_does_not_have_a_half_minute_for_each() {
    let (mut shares, mut now) = (TimeShares::default(), Timestamp::UNIX_EPOCH);
    let first = vec![held((1, 1), 30_000, 0), held((1, 2), 30_000, 0), held((2, 1), 50, 0)];
    assert_eq!(whole(&mut shares, &first, &mut now), None, "nobody waited yet");
    // Each was noted once it had taken two seconds.
    for number in [1, 2] {
        shares.forget(&of_endpoint(1, number));
    }
    let next = came(&[held((1, 3), 30_000, 9_000), held((2, 1), 50, 9_000), held((2, 1), 50, 9_000)]);
    assert_eq!(shares.before(&next, now), Some(of_tenant(1)), "before the third is even begun");
}

#[test]
fn a_tenant_of_one_tarpit_keeps_his_other_webhooks_where_they_are() {
    let (mut shares, mut now) = (TimeShares::default(), Timestamp::UNIX_EPOCH);
    let first = vec![held((1, 1), 30_000, 0), held((1, 2), 50, 0), held((2, 1), 50, 0)];
    assert_eq!(whole(&mut shares, &first, &mut now), None);
    shares.forget(&of_endpoint(1, 1));
    for _ in 0..9 {
        assert_eq!(whole(&mut shares, &[held((1, 2), 50, 9_000), held((2, 1), 50, 9_000)], &mut now), None);
    }
}

#[test]
fn among_one_tenants_webhooks_only_one_that_takes_long_gives_way() {
    let batch = |millis| vec![held((1, 1), millis, 5_000), held((1, 2), 50, 5_000)];
    assert_eq!(judged(&mut TimeShares::default(), (0..900).map(|_| batch(100))), []);
    assert_eq!(judged(&mut TimeShares::default(), (0..9).map(|_| batch(1_900))).first(), Some(&of_endpoint(1, 1)));
}

#[test]
fn one_message_that_waited_says_nothing_nor_do_a_few_of_very_many() {
    let busy = |others: Vec<Message>| [vec![held((1, 1), 1_000, 0)], others].concat();
    let prompt = || (0..8).map(|_| held((2, 1), 50, 10)).collect::<Vec<_>>();
    let one_waited = || [prompt(), vec![held((2, 1), 50, 3_000)]].concat();
    let among_none = (0..60).map(|turn| busy(if turn % 20 == 10 { one_waited()[8..].to_vec() } else { Vec::new() }));
    assert_eq!(judged(&mut TimeShares::default(), among_none), [], "one in twenty seconds");
    let among_many = (0..60).map(|turn| busy(if turn % 2 == 0 { one_waited() } else { prompt() }));
    assert_eq!(judged(&mut TimeShares::default(), among_many), [], "one of seventeen");
    let most = (0..60).map(|_| busy(one_waited()));
    assert_eq!(judged(&mut TimeShares::default(), most).first(), Some(&of_endpoint(1, 1)), "one of nine");
}

#[test]
fn a_process_that_has_seen_little_says_nothing() {
    let batch = || vec![held((1, 1), 400, 9_000), held((2, 1), 50, 9_000)];
    let (mut shares, mut now) = (TimeShares::default(), Timestamp::UNIX_EPOCH);
    for _ in 0..1_000 {
        now += Duration::from_secs(5);
        assert_eq!(whole(&mut shares, &batch(), &mut now), None, "it is idle for eleven twelfths of the time");
    }
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let batch = [held((1, 1), 3_000, 0), held((2, 1), 10, 3_000), held((2, 1), 10, 3_000)];
    let mut shares = TimeShares::default();
    let mut now = Timestamp::UNIX_EPOCH + Duration::from_secs(3_600);
    assert_eq!(whole(&mut shares, &batch, &mut now), None);
    assert_eq!(whole(&mut shares, &batch, &mut Timestamp::UNIX_EPOCH.clone()), Some(of_endpoint(1, 1)));
}

/// A message: whose, which of his endpoints', how long it took and how long it had waited, in milliseconds.
fn any_message() -> impl Strategy<Value = Message> {
    let waited = prop_oneof![Just(0), 0_u64..10_000];
    (0_u64..6, 0_u64..4, 0_u64..4_000, waited)
        .prop_map(|(whose, which, time, waited)| held((whose, which), time, waited))
}

fn any_batches() -> impl Strategy<Value = Vec<Vec<Message>>> {
    proptest::collection::vec(proptest::collection::vec(any_message(), 1..=10), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn what_a_batch_holds_is_as_long_as_its_slowest(times in proptest::collection::vec(0_u64..60_000, 1..=10)) {
        let times: Vec<Duration> = times.into_iter().map(Duration::from_millis).collect();
        let (parts, longest) = (parts(&times), times.iter().max().unwrap().as_secs_f64());
        prop_assert!((parts.iter().sum::<f64>() - longest).abs() < 1e-6);
        for (one, part) in times.iter().zip(&parts) {
            prop_assert!(*part <= one.as_secs_f64() + 1e-9, "nobody holds more than his own time");
        }
    }

    #[test]
    fn nobody_holds_too_much_where_nobody_else_waits(batches in any_batches(), whose in 0_u64..6) {
        // The only one who waits is one tenant, with one endpoint.
        let alone = batches.into_iter().map(|batch| {
            let batch = batch.into_iter().map(|one| match one {
                one if one.tenant == tenant(whose) => Message { endpoint: endpoint(whose, 1), ..one },
                one => Message { waited: Duration::ZERO, ..one },
            });
            batch.collect()
        });
        for found in judged(&mut TimeShares::default(), alone) {
            prop_assert!(found.tenant != tenant(whose), "{found:?}");
        }
    }

    #[test]
    fn who_is_named_is_of_the_batch_and_held_more_than_his_share(batches in any_batches()) {
        let (mut shares, mut now) = (TimeShares::default(), Timestamp::UNIX_EPOCH);
        for batch in batches {
            shares.before(&came(&batch), now);
            now += batch.iter().map(|one| one.time).max().unwrap_or_default();
            let Some(found) = shares.after(&took(&batch), now) else { continue };
            prop_assert!(batch.iter().any(|one| one.tenant == found.tenant));
            let held = match &found.endpoint {
                Some(endpoint) => shares.endpoints[endpoint].1.held,
                None => shares.tenants[&found.tenant].held,
            };
            let gone = shares.gone.get(&found.tenant).filter(|_| found.endpoint.is_none()).map_or(0.0, |gone| gone.held);
            prop_assert!(held + gone > (shares.total.held + gone) * SHARE);
            shares.forget(&found);
            prop_assert!(shares.total.waited == 0.0, "the next one is judged by who waits from now on");
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5) })]

    #[test]
    fn a_stranger_who_multiplies_endpoints_hides_nobody(strangers in 1_u64..40_000, whose in 0_u64..2) {
        let mut shares = TimeShares::default();
        let mut next = strangers;
        let batches = (0..400).map(|_| {
            let crowd = (0..8).map(|_| {
                next += 1;
                held((10 + next * whose, next), 300, 0)
            });
            crowd.chain([held((1, 1), 600, 0), held((2, 1), 5, 3_000)]).collect::<Vec<_>>()
        });
        let batches: Vec<_> = batches.collect();
        let found = judged(&mut shares, batches);
        prop_assert!(found.contains(&of_endpoint(1, 1)));
        prop_assert!(shares.endpoints.len() <= MOST && shares.tenants.len() <= MOST);
    }
}
