//! Rows whose time has come without their attempt: a schedule was never made, or was lost, or its message was.

use std::collections::VecDeque;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use postrider_aws::batch_reader::BatchReader;
use postrider_aws::config_table::ConfigTable;
use postrider_aws::deliveries_table::{DeliveriesTable, SHARDS, Stretch};
use postrider_aws::lanes::Lanes;
use postrider_aws::sdk::SdkConfig;
use postrider_aws::{Failure, rows};
use postrider_domain::delivery::Delivery;
use postrider_domain::message::Message;
use postrider_domain::slow::SlowByTenant;
use postrider_domain::snapshot::Verdict;
use postrider_host::env::BadSetting;
use postrider_host::{clock, deadline, entropy};

use crate::done::{Failures, Swept};
use crate::pace::{GRACE, Pace};
use crate::waits::{Restrained, Waits};

const PAGE: i32 = 100;
/// Rows of a stretch that a sweep passes over, since it keeps still about them or they wait, before the others have their turn.
const PASSED_OVER: usize = 200;
/// What a page takes at the most. With less left, none is begun.
pub const FOR_A_PAGE: Duration = Duration::from_secs(6);
/// Messages that are looked into by one read, and such reads at once.
const READ_TOGETHER: usize = 20;
const READS_AT_ONCE: usize = 4;

/// Rescues overdue rows.
pub(crate) struct Overdue {
    config: ConfigTable,
    deliveries: DeliveriesTable,
    reader: BatchReader,
    lanes: Lanes,
}

/// What a rescue did.
#[derive(Default)]
pub(crate) struct Rescued {
    /// Rows that went back to the queue.
    pub(crate) rows: usize,
    /// By how much the longest overdue of them is late.
    pub(crate) oldest_seconds: i64,
    /// Rows that wait for one of theirs: it is missing, or cannot be read.
    pub(crate) waiting: usize,
    /// Whether it kept still because the queue is behind, or may be.
    pub(crate) held_back: bool,
    /// Whether it came to the end of every shard.
    pub(crate) has_seen_all: bool,
}

/// How much may be put into each queue, and what waits for its turn.
struct Paces {
    retry: Pace,
    /// Unknown until a row of a slow endpoint is overdue.
    slow: Option<Pace>,
    waits: Waits,
}

impl Paces {
    /// How late a row must be for a queue to take it.
    fn late(&self, is_slow: bool) -> Duration {
        if is_slow { self.slow.map_or(GRACE, |slow| slow.late()) } else { self.retry.late() }
    }

    /// How late a row must be for any queue to take it.
    fn latest(&self) -> Duration {
        self.late(true).min(self.late(false))
    }

    fn hold_back(&self) -> bool {
        self.retry.holds_back() || self.slow.is_some_and(|slow| slow.holds_back())
    }
}

/// How a rescue goes on.
#[derive(PartialEq)]
enum Next {
    /// With another stretch.
    Stretch,
    /// With others first, and then with what is left of this one.
    Later(Stretch),
    /// The queue is behind, or the time is over.
    Stop,
}

impl Overdue {
    pub(crate) fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self {
            config: ConfigTable::from_env(sdk)?,
            deliveries: DeliveriesTable::from_env(sdk)?,
            reader: BatchReader::from_env(sdk)?,
            lanes: Lanes::from_env(sdk)?,
        })
    }

    /// Sends the overdue rows of every shard back, the longest overdue first. It begins at another shard each time and goes past
    /// one that fails, so that no shard starves. Each queue has its own pace: what waits for slow endpoints says nothing of whether
    /// others' retries were lost. That of slow endpoints is only asked about once one of theirs is overdue.
    ///
    /// What is held back stays overdue, and its rows may be more than a sweep has time to read. So a shard that has many waits until
    /// the others had their turn, and goes on from any instant: whatever stands behind them is come upon by one of the next sweeps.
    pub(crate) async fn rescue(&self) -> Swept<Rescued> {
        let (mut rescued, mut failures) = (Rescued::default(), Failures::default());
        let mut paces =
            Paces { retry: Pace::by(self.waiting(false, &mut failures).await), slow: None, waits: Waits::default() };
        rescued.has_seen_all = paces.retry.is_plain();
        let mut turns: VecDeque<Stretch> = shards_from(entropy::bits64()).map(Stretch::whole).collect();
        while let Some(stretch) = turns.pop_front() {
            let shard = stretch.shard();
            match self.rescue_stretch(stretch, &mut paces, &mut rescued, &mut failures).await {
                Ok(Next::Stretch) => {}
                Ok(Next::Later(left)) => turns.extend(left.split(clock::now() - paces.latest(), entropy::bits64())),
                Ok(Next::Stop) => {
                    rescued.has_seen_all = false;
                    break;
                }
                Err(error) => {
                    tracing::error!(shard, error = %error, "sweep.shard_failed");
                    failures.add(error);
                }
            }
        }
        rescued.has_seen_all &= paces.slow.is_none_or(|slow| slow.is_plain());
        rescued.held_back = paces.hold_back();
        failures.beside(rescued)
    }

    async fn rescue_stretch(
        &self,
        mut stretch: Stretch,
        paces: &mut Paces,
        rescued: &mut Rescued,
        failures: &mut Failures,
    ) -> Result<Next, Failure> {
        let mut passed_over = 0;
        loop {
            if deadline::left() <= FOR_A_PAGE {
                return Ok(Next::Stop);
            }
            if paces.retry.wants_a_look() {
                let waiting = self.waiting(false, failures).await;
                paces.retry.look(waiting);
            }
            if paces.retry.most() == 0 {
                return Ok(Next::Stop);
            }
            let page = async {
                let (overdue, next) = self.deliveries.overdue(stretch, paces.latest(), PAGE).await?;
                let rows = overdue.len();
                Ok::<_, Failure>((rows - self.bring(overdue, paces, rescued, failures).await, next))
            };
            let (passed, next) = deadline::at_most(FOR_A_PAGE, page).await?;
            passed_over += passed;
            match next {
                None => return Ok(Next::Stretch),
                Some(left) if passed_over >= PASSED_OVER => return Ok(Next::Later(left)),
                Some(left) => stretch = left,
            }
        }
    }

    /// Those that a queue may take by its pace, before more is read of them. Who is slow is a hint: where it cannot be read, nobody is.
    async fn not_held_back(&self, overdue: Vec<Delivery>, paces: &Paces) -> Vec<Delivery> {
        if paces.late(true) == paces.late(false) {
            return overdue;
        }
        let tenants = overdue.iter().map(|row| &row.tenant_id);
        let slow = self.config.slow_endpoints(tenants).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "sweep.slow_unknown");
            SlowByTenant::default()
        });
        let now = clock::now();
        let is_slow = |row: &Delivery| slow.has(&row.tenant_id, &row.endpoint_id, now);
        overdue.into_iter().filter(|row| is_late(row, paces.late(is_slow(row)))).collect()
    }

    /// How many messages wait in a queue, where it tells.
    async fn waiting(&self, is_slow: bool, failures: &mut Failures) -> Option<u64> {
        self.lanes.queue(is_slow).waiting().await.map_err(|error| failures.add(error)).ok()
    }

    /// Brings what may be brought; how many rows that were.
    async fn bring(
        &self,
        overdue: Vec<Delivery>,
        paces: &mut Paces,
        rescued: &mut Rescued,
        failures: &mut Failures,
    ) -> usize {
        let now = clock::now();
        let mut overdue = self.not_held_back(overdue, paces).await;
        overdue.retain(|row| !paces.waits.keep(row, now));
        let ready = self.ready(overdue, &mut paces.waits, rescued, failures).await;
        let (slow, others): (Vec<_>, Vec<_>) = ready.into_iter().partition(|(_, is_slow)| *is_slow);
        let rows = |side: Vec<(Delivery, bool)>| side.into_iter().map(|(row, _)| row).collect();
        let brought = self.bring_to(false, rows(others), &mut paces.retry, (rescued, failures)).await;
        if slow.is_empty() {
            return brought;
        }
        let pace = match &mut paces.slow {
            Some(pace) => {
                if pace.wants_a_look() {
                    pace.look(self.waiting(true, failures).await);
                }
                pace
            }
            none => none.insert(Pace::by(self.waiting(true, failures).await)),
        };
        brought + self.bring_to(true, rows(slow), pace, (rescued, failures)).await
    }

    async fn bring_to(
        &self,
        is_slow: bool,
        mut ready: Vec<Delivery>,
        pace: &mut Pace,
        (rescued, failures): (&mut Rescued, &mut Failures),
    ) -> usize {
        ready.retain(|row| is_late(row, pace.late()));
        ready.truncate(pace.most());
        let messages: Vec<Message> = ready.iter().map(Message::next).collect();
        let (taken, failure) = self.lanes.queue(is_slow).send_each(&messages).await;
        pace.sent(taken);
        if let Some(error) = failure {
            failures.add(error);
        }
        for row in &ready {
            tracing::warn!(delivery_id = row.id.as_str(), attempt = row.next_attempt(), "delivery.rescued");
        }
        rescued.oldest_seconds = ready.iter().filter_map(lateness).fold(rescued.oldest_seconds, i64::max);
        rescued.rows += taken;
        ready.len()
    }

    /// Those whose attempt can be made or called off. One whose webhook, tenant, job or event is missing or cannot be read stays
    /// where it is, overdue: its message would fail, and each sweep would leave another dead letter of it. As soon as the row is
    /// mended, the next sweep brings it. So does one that waits for its turn. Each with whether its endpoint is slow.
    async fn ready(
        &self,
        overdue: Vec<Delivery>,
        waits: &mut Waits,
        rescued: &mut Rescued,
        failures: &mut Failures,
    ) -> Vec<(Delivery, bool)> {
        let parts: Vec<Vec<Delivery>> = overdue.chunks(READ_TOGETHER).map(<[_]>::to_vec).collect();
        let looks = stream::iter(parts).map(|part| async move {
            let messages: Vec<Message> = part.iter().map(Message::next).collect();
            let snapshot = self.reader.read(&messages).await?;
            let (mut ready, mut missing, mut broken) = (Vec::new(), Vec::new(), 0);
            let mut restrained = Vec::new();
            for (row, message) in part.into_iter().zip(&messages) {
                if snapshot.is_broken_for(message) {
                    broken += 1;
                    continue;
                }
                match snapshot.verdict(message, &row) {
                    Verdict::Missing => {
                        missing.push(row);
                        continue;
                    }
                    Verdict::Send(consignment) => restrained.extend(Restrained::of(consignment.endpoint())),
                    Verdict::Cancel(_) | Verdict::Mixed => {}
                }
                ready.push((row, snapshot.is_slow(message, clock::now())));
            }
            Ok::<_, Failure>((ready, restrained, missing, broken))
        });
        let (mut ready, mut restrained, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for look in looks.buffered(READS_AT_ONCE).collect::<Vec<_>>().await {
            match look {
                Ok((some, endpoints, lost, broken)) => {
                    ready.extend(some);
                    restrained.extend(endpoints);
                    rescued.waiting += lost.len() + broken;
                    missing.extend(lost);
                }
                Err(error) => failures.add(error),
            }
        }
        rows::missing_for_all(&missing.iter().collect::<Vec<_>>());
        if let Err(error) = waits.look_up(&self.config, &restrained).await {
            failures.add(error);
        }
        let now = clock::now();
        ready.retain(|(row, _)| !waits.keep(row, now));
        ready
    }
}

/// By how many seconds a row is late.
fn lateness(row: &Delivery) -> Option<i64> {
    row.next_attempt_at.map(|due| clock::now().as_second() - due.as_second())
}

fn is_late(row: &Delivery, by: Duration) -> bool {
    let by = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
    lateness(row).is_none_or(|late| late >= by)
}

/// Every shard once, beginning with any.
fn shards_from(random: u64) -> impl Iterator<Item = u8> {
    let first = u8::try_from(random % u64::from(SHARDS)).unwrap_or_default();
    (0..SHARDS).map(move |n| (first + n) % SHARDS)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::iter::repeat_with;

    use jiff::SignedDuration;
    use postrider_aws::queue::Queue;
    use postrider_domain::endpoint::Endpoint;
    use postrider_domain::id::EndpointId;
    use replay::{Said, Script, keyed};
    use serde_json::{Value, json};

    use super::*;
    use crate::sample;

    pub(crate) fn overdue(script: &Script) -> Overdue {
        let sdk = script.sdk(postrider_aws::sdk::over);
        let (config, deliveries) = (ConfigTable::of(&sdk, "config"), DeliveriesTable::of(&sdk, "deliveries"));
        let reader = sample::reader(script);
        Overdue { config, deliveries, reader, lanes: Lanes::of(Queue::at(&sdk, "retry"), Queue::at(&sdk, "slow")) }
    }

    /// A shard's part of the index.
    fn shard(number: u8) -> String {
        format!(r#":shard":"{number:02}""#)
    }

    fn waiting(messages: u64) -> Said {
        Said::body(json!({"Attributes": {"ApproximateNumberOfMessages": messages.to_string()}}))
    }

    /// An AWS that takes messages, where so many wait already and this row is listed in one shard.
    fn script(messages: u64, row: &Delivery) -> Script {
        holding(Script::default(), messages, row)
    }

    fn holding(script: Script, messages: u64, row: &Delivery) -> Script {
        let listed = json!({"id": row.id, "endpoint_id": row.endpoint_id});
        sample::holding(script, row)
            .saying("GetQueueAttributes", repeat_with(move || waiting(messages)))
            .saying_about("Query", shard(5), [Said::rows(&[listed])])
            .saying("Query", repeat_with(|| Said::rows::<Value>(&[])))
            .saying("SendMessageBatch", repeat_with(Said::done))
    }

    /// How many rows went back, and how many messages were sent.
    async fn rescued(script: &Script) -> (Swept<Rescued>, usize) {
        let swept = overdue(script).rescue().await;
        let sent =
            script.asked("SendMessageBatch").iter().map(|batch| batch["Entries"].as_array().unwrap().len()).sum();
        (swept, sent)
    }

    #[tokio::test(start_paused = true)]
    async fn a_shard_that_fails_holds_up_no_other_and_is_told_of() {
        let row = sample::due(600);
        let failing = Script::default().saying_about("Query", shard(3), repeat_with(Said::lost).take(3));
        let failing = failing.saying_about("Query", shard(9), repeat_with(Said::throttled).take(3));
        let script = holding(failing, 0, &row);
        let (swept, sent) = rescued(&script).await;
        assert_eq!((swept.done.rows, sent, swept.failure.is_some()), (1, 1, true));
        let asked: std::collections::BTreeSet<_> = script
            .asked("Query")
            .iter()
            .map(|query| query["ExpressionAttributeValues"][":shard"].to_string())
            .collect();
        assert_eq!(asked.len(), usize::from(SHARDS));
    }

    #[tokio::test]
    async fn what_waits_for_a_row_of_its_own_is_counted_and_not_sent() {
        let row = sample::due(600);
        let (swept, sent) = rescued(&script(0, &row)).await;
        assert_eq!((swept.done.rows, swept.done.waiting, sent), (1, 0, 1));
        let orphan = Delivery { endpoint_id: EndpointId::new(row.created_at, 9), ..row };
        let (swept, sent) = rescued(&script(0, &sample::moved(&orphan))).await;
        assert_eq!((swept.done.rows, swept.done.waiting, sent), (0, 1, 0), "its webhook is lost");
    }

    #[tokio::test]
    async fn while_the_queue_is_behind_only_what_is_long_lost_is_sent() {
        for (late, rows) in [(600, 0), (3600, 1)] {
            let (swept, sent) = rescued(&script(51, &sample::due(late))).await;
            assert_eq!((swept.done.rows, sent, swept.done.held_back), (rows, rows, true), "{late}");
        }
    }

    fn slow(row: &Delivery) -> Value {
        let until = clock::now().as_second() + 600;
        json!({"pk": format!("TENANT#{}", row.tenant_id), "sk": "SLOW", row.endpoint_id.as_str(): until})
    }

    #[tokio::test]
    async fn what_waits_for_slow_endpoints_holds_back_their_rows_alone() {
        for (is_slow, sent_to) in [(true, None), (false, Some("retry"))] {
            let row = sample::due(600);
            let rows: Vec<Value> = is_slow.then(|| slow(&row)).into_iter().collect();
            let script = Script::default().holding("config", rows).saying_about(
                "GetQueueAttributes",
                "slow",
                repeat_with(|| waiting(51)),
            );
            let script = holding(script, 0, &row);
            let swept = overdue(&script).rescue().await;
            let sent = script.asked("SendMessageBatch").first().map(|batch| batch["QueueUrl"].clone());
            assert_eq!((sent, swept.done.held_back), (sent_to.map(Value::from), is_slow), "{is_slow}");
            assert_eq!(swept.done.has_seen_all, !is_slow);
        }
    }

    /// How many wait in the queue of slow endpoints, and in that of retries.
    fn behind(slow: u64, retry: u64) -> Script {
        let of_slow = Script::default().saying_about("GetQueueAttributes", "slow", repeat_with(move || waiting(slow)));
        of_slow.saying("GetQueueAttributes", repeat_with(move || waiting(retry)))
    }

    #[tokio::test]
    async fn retries_that_are_behind_hold_back_no_slow_endpoints_row() {
        for (is_slow, late, sent_to) in
            [(true, 600, Some("slow")), (false, 600, None), (false, 3600, Some("retry")), (true, 60, None)]
        {
            let row = sample::due(late);
            let rows: Vec<Value> = is_slow.then(|| slow(&row)).into_iter().collect();
            let script = holding(behind(0, 51).holding("config", rows), 0, &row);
            let swept = overdue(&script).rescue().await;
            let sent = script.asked("SendMessageBatch").first().map(|batch| batch["QueueUrl"].clone());
            assert_eq!((sent, swept.done.held_back), (sent_to.map(Value::from), true), "{is_slow} {late}");
        }
    }

    /// What a webhook with a limit, or a pause, adds to what an AWS holds.
    fn restrained(limit: Option<u32>, paused: Option<i64>, slots: Option<i64>) -> Vec<Value> {
        let now = clock::now();
        let webhook = Endpoint {
            rate_limit: limit.map(|limit| limit.try_into().unwrap()),
            paused_until: paused.map(|seconds| now + SignedDuration::from_secs(seconds)),
            ..sample::endpoint()
        };
        let (pk, id) = (format!("TENANT#{}", webhook.tenant_id), webhook.id.clone());
        let next_free = slots.map(|seconds| now.as_microsecond() + seconds * 1_000_000);
        let row =
            next_free.map(|next| keyed(pk.clone(), format!("RATE#{id}"), &json!({"next_free": next, "per_second": 1})));
        std::iter::once(keyed(pk, format!("WEBHOOK#{id}"), &webhook)).chain(row).collect()
    }

    #[tokio::test]
    async fn what_waits_for_its_turn_is_not_sent_again() {
        for (limit, paused, slots, late, rows) in [
            (Some(1), None, None, 600, 1),
            (Some(1), None, Some(3), 600, 1),
            (Some(1), None, Some(120), 600, 0),
            (Some(1), None, Some(120), 3_600, 1),
            (None, Some(60), None, 600, 0),
            (None, Some(-1_000), None, 1_200, 1),
        ] {
            let row = sample::due(late);
            let script = Script::default().holding("config", restrained(limit, paused, slots));
            let (swept, sent) = rescued(&holding(script, 0, &row)).await;
            assert_eq!(
                (swept.done.rows, sent, swept.failure.is_some()),
                (rows, rows, false),
                "{limit:?} {paused:?} {slots:?}"
            );
        }
    }

    #[tokio::test]
    async fn only_a_webhook_with_a_limit_is_looked_up() {
        for (limit, looks) in [(None, 0), (Some(1), 1)] {
            let script = Script::default().holding("config", restrained(limit, Some(-1_000), None));
            let script = holding(script, 0, &sample::due(1_200));
            rescued(&script).await;
            let asked = script.asked("BatchGetItem").iter().filter(|asked| asked.to_string().contains("RATE#")).count();
            assert_eq!(asked, looks);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_knows_until_when_slots_are_given_the_rows_stay_for_the_next_sweep() {
        let script = Script::default().saying_about("BatchGetItem", "RATE#", repeat_with(Said::throttled));
        let script = script.holding("config", restrained(Some(1), None, None));
        let (swept, sent) = rescued(&holding(script, 0, &sample::due(1_200))).await;
        assert_eq!((swept.done.rows, sent, swept.failure.is_some()), (0, 0, true));
    }

    #[tokio::test]
    async fn what_is_held_back_hides_no_lost_retry_of_its_shard() {
        const PAGES: usize = 200;
        const EPOCH: &str = "1970-01-01T00:00:00.000Z";
        let (tarpit, lost) = (sample::due(1_500), sample::due(300));
        let webhook = Endpoint { id: EndpointId::new(tarpit.created_at, 9), ..sample::endpoint() };
        let tarpit = sample::moved(&Delivery { endpoint_id: webhook.id.clone(), ..tarpit });
        let webhook = keyed(format!("TENANT#{}", webhook.tenant_id), format!("WEBHOOK#{}", webhook.id), &webhook);
        let due = lost.next_attempt_at.unwrap();
        let listed = |row: &Delivery| json!({"id": row.id, "endpoint_id": row.endpoint_id});
        // Hundreds of pages of the tarpit's are due at one time, long before the lost one. (Each lists one row so often.)
        let key = json!({"due_at": {"S": postrider_domain::time::wire(tarpit.next_attempt_at.unwrap())}});
        let (wall, behind_it) = (vec![listed(&tarpit); 100], listed(&lost));
        let mut left = PAGES;
        let list = move |query: &Value| {
            let values = &query["ExpressionAttributeValues"];
            let is = |name: &str, value: &str| values[name].as_str().unwrap().cmp(value);
            if is(":shard", "05").is_ne() {
                return None;
            }
            let wall_at = key["due_at"]["S"].as_str().unwrap();
            if is(":from", wall_at).is_le() && left > 0 {
                left -= 1;
                let items: Vec<Value> = wall.iter().map(replay::item).collect();
                return Some(Said::body(json!({"Items": items, "LastEvaluatedKey": key})));
            }
            let due = postrider_domain::time::wire(due);
            let is_there = is(":from", &due).is_le() && is(":last", &due).is_ge();
            Some(Said::rows(if is_there { std::slice::from_ref(&behind_it) } else { &[] }))
        };
        let script = behind(51, 0)
            .answering("Query", list)
            .holding("config", [slow(&tarpit), webhook])
            .holding("deliveries", [json!(tarpit)]);
        let script = holding(script, 0, &lost);
        let (swept, sent) = rescued(&script).await;
        assert_eq!((swept.done.rows, sent, swept.failure.is_some()), (1, 1, false));
        let asked = script.asked("Query");
        let all_seen =
            (0..SHARDS).map(|number| asked.iter().position(|query| query.to_string().contains(&shard(number))));
        let all_seen = all_seen.map(Option::unwrap).max().unwrap();
        assert!(all_seen < 2 * PASSED_OVER, "other shards' turns come first: {all_seen}");
        let found = asked.iter().position(|query| query["ExpressionAttributeValues"][":from"] != json!(EPOCH)).unwrap();
        assert!(found <= all_seen + 2, "and then what is behind the wall: {found} {all_seen}");
    }

    #[tokio::test]
    async fn a_slow_endpoints_lost_retry_goes_to_the_queue_of_those() {
        let row = sample::due(600);
        let script = script_of_slow(&row);
        assert_eq!(rescued(&script).await.1, 1);
        assert_eq!(script.asked("SendMessageBatch")[0]["QueueUrl"], "slow");
    }

    fn script_of_slow(row: &Delivery) -> Script {
        holding(Script::default().holding("config", [slow(row)]), 0, row)
    }

    #[test]
    fn every_shard_comes_once_and_any_may_come_first() {
        let mut firsts = std::collections::BTreeSet::new();
        for random in 0..u64::from(SHARDS) {
            let mut shards: Vec<u8> = shards_from(u64::MAX - random).collect();
            firsts.insert(shards[0]);
            shards.sort_unstable();
            assert!(shards.into_iter().eq(0..SHARDS));
        }
        assert!(firsts.into_iter().eq(0..SHARDS));
    }
}
