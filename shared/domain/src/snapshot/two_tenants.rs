//! Two tenants with equal everything that can be equal: event ids, types, URLs, sealed secrets, times, jobs' ids in their data.
//! Whatever lies in the tables for one, in whatever order it is read, the other's messages fare as if they were alone.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::delivery::Status;
use crate::dialect::{DialectRef, NOUVEL, STANDARD};
use crate::endpoint::EndpointStatus;
use crate::id::EventId;
use crate::job::JobStatus;
use crate::slow::SlowEndpoints;
use crate::stored_secret::StoredSecret;
use crate::tenant::{Plan, TenantStatus};

const EVENTS: usize = 3;

fn at() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

/// How a row is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Good,
    /// It denies the delivery: suspended, disabled, deleted, expunged, or simply gone.
    Denying,
    Broken,
    Missing,
}

fn found() -> impl Strategy<Value = Found> {
    prop_oneof![6 => Just(Found::Good), 1 => Just(Found::Denying), 1 => Just(Found::Broken), 1 => Just(Found::Missing)]
}

/// One tenant's corner of the tables.
#[derive(Debug, Clone)]
struct Corner {
    tenant: Found,
    endpoint: Found,
    job: Found,
    events: Vec<Found>,
    deliveries: Vec<Found>,
    slow: bool,
}

fn corner() -> impl Strategy<Value = Corner> {
    let many = || proptest::collection::vec(found(), EVENTS);
    (found(), found(), found(), many(), many(), any::<bool>()).prop_map(
        |(tenant, endpoint, job, events, deliveries, slow)| Corner { tenant, endpoint, job, events, deliveries, slow },
    )
}

/// A step of reading: it files one row.
type Filing = Box<dyn Fn(&mut Snapshot)>;

struct Side {
    id: TenantId,
    corner: Corner,
}

impl Side {
    fn new(number: u64, corner: Corner) -> Self {
        Self { id: TenantId::new(at(), number), corner }
    }

    fn endpoint_id(&self) -> EndpointId {
        // Made by us, so these differ where all else is alike.
        EndpointId::new(at(), u64::from(self.id == TenantId::new(at(), 2)))
    }

    fn job_id(&self) -> JobId {
        JobId::short(at(), u64::from(self.id == TenantId::new(at(), 2)))
    }

    /// The last event is a job's.
    fn event(&self, n: usize) -> Event {
        Event {
            tenant_id: self.id.clone(),
            id: format!("evt_same{n}").parse::<EventId>().unwrap(),
            event_type: "invoice.paid".parse().unwrap(),
            data: format!("{{\"of\":\"{}\"}}", self.id),
            timestamp: at(),
            expires_at: 0,
            ours: n + 1 == EVENTS,
            counted: true,
            job_id: (n + 1 == EVENTS).then(|| self.job_id()),
            test_of: None,
            announce: None,
            tags: std::collections::BTreeMap::new(),
            traceparent: None,
        }
    }

    fn delivery(&self, n: usize) -> Delivery {
        let event = self.event(n);
        let endpoint = event.job_id.as_ref().map_or_else(|| self.endpoint_id(), |_| EndpointId::of_jobs(&self.id));
        Delivery::pending(&event, endpoint, at(), 0)
    }

    fn message(&self, n: usize) -> Message {
        Message::next(&self.delivery(n))
    }

    fn endpoint(&self, status: EndpointStatus) -> Endpoint {
        let of_job = Endpoint::of_job(&self.job(true)).unwrap();
        let secrets = vec![StoredSecret::new("same".to_owned())];
        Endpoint { id: self.endpoint_id(), dialect: DialectRef(&STANDARD), secrets, status, ..of_job }
    }

    fn job(&self, has_url: bool) -> Job {
        Job {
            id: self.job_id(),
            tenant_id: self.id.clone(),
            dialect: DialectRef(&NOUVEL),
            status: JobStatus::Completed,
            webhook_url: has_url.then(|| "https://same.example/hooks".to_owned()),
            projects: Vec::new(),
            task: None,
            closing_event_id: None,
            revision: 1,
            created_at: at(),
            started_at: None,
            completed_at: Some(at()),
            expires_at: 0,
        }
    }

    fn filings(&self) -> Vec<Filing> {
        let id = self.id.clone();
        let mut filings: Vec<Filing> = Vec::new();
        let tenant = |status| Tenant { status, ..Tenant::bare(self.id.clone(), "Same".to_owned(), Plan::Pro, at()) };
        let row = seen(self.corner.tenant, tenant(TenantStatus::Active), Some(tenant(TenantStatus::Suspended)));
        let key = id.clone();
        filings.extend(
            row.map(|row| Box::new(move |all: &mut Snapshot| all.tenants.file(key.clone(), row.clone())) as Filing),
        );

        let good = self.endpoint(EndpointStatus::Active);
        let row = seen(self.corner.endpoint, good, Some(self.endpoint(EndpointStatus::Disabled)));
        let key = (id.clone(), self.endpoint_id());
        filings.extend(
            row.map(|row| Box::new(move |all: &mut Snapshot| all.endpoints.file(key.clone(), row.clone())) as Filing),
        );

        let (row, key) = (seen(self.corner.job, self.job(true), Some(self.job(false))), self.job_id());
        filings.extend(
            row.map(|row| Box::new(move |all: &mut Snapshot| all.jobs.file(key.clone(), row.clone())) as Filing),
        );

        for n in 0..EVENTS {
            let expunged = Event { data: String::new(), ..self.event(n) };
            let row = seen(self.corner.events[n], self.event(n), Some(expunged));
            let key = self.message(n).event_key();
            filings.extend(
                row.map(|row| Box::new(move |all: &mut Snapshot| all.events.file(key.clone(), row.clone())) as Filing),
            );
            let ended = Delivery { status: Status::Succeeded, ..self.delivery(n) };
            let row = seen(self.corner.deliveries[n], self.delivery(n), Some(ended));
            let key = self.message(n).delivery_id;
            filings.extend(row.map(|row| {
                Box::new(move |all: &mut Snapshot| all.deliveries.file(key.clone(), row.clone())) as Filing
            }));
        }
        if self.corner.slow {
            let (slow, end) = (self.endpoint_id(), at().as_second() + 600);
            filings.push(Box::new(move |all: &mut Snapshot| {
                all.slow.extend([(id.clone(), SlowEndpoints::new([(slow.clone(), end)], Some(end)))]);
            }));
        }
        filings
    }

    /// All that a snapshot says about this side's messages.
    fn told(&self, all: &Snapshot) -> Vec<String> {
        let one = |n: usize| {
            let message = self.message(n);
            let row = all.delivery(&message);
            let verdict = row.map(|row| all.verdict(&message, row));
            if let Some(Verdict::Send(consignment)) = &verdict {
                assert_eq!(consignment.event().data, self.event(n).data, "its own data, and no other");
                assert_eq!(consignment.endpoint().tenant_id, self.id);
                assert_eq!(consignment.tenant().id, self.id);
            }
            if self.corner.events[n] == Found::Denying {
                let is_called_off = |said: &Verdict<'_>| *said == Verdict::Cancel(Reason::EventExpunged);
                assert!(
                    verdict.as_ref().is_none_or(is_called_off),
                    "nothing of an expunged event is sent: {verdict:?}"
                );
            }
            let flags = (all.is_broken_for(&message), all.is_doubtful_for(&message), all.is_slow(&message, at()));
            format!("{flags:?} {verdict:?}")
        };
        (0..EVENTS).map(one).collect()
    }
}

/// What is filed for a row that is found so: nothing, that it is broken, or the row.
fn seen<T: Clone>(found: Found, good: T, denying: Option<T>) -> Option<Option<T>> {
    match found {
        Found::Good => Some(Some(good)),
        Found::Denying => denying.map(Some),
        Found::Broken => Some(None),
        Found::Missing => None,
    }
}

fn snapshot<'a>(filings: impl IntoIterator<Item = &'a Filing>) -> Snapshot {
    let mut all = Snapshot::default();
    for file in filings {
        file(&mut all);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_fares_as_if_it_were_alone(
        one in corner(),
        other in corner(),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let (one, other) = (Side::new(1, one), Side::new(2, other));
        let (ones, others) = (one.filings(), other.filings());
        let mut both: Vec<&Filing> = ones.iter().chain(&others).collect();
        // Rows come in any order, and some twice, as when what is doubtful is read again.
        for (n, index) in order.iter().enumerate() {
            if !both.is_empty() {
                let (from, to) = (index.index(both.len()), n % both.len());
                both.swap(from, to);
                let again = both[from];
                both.push(again);
            }
        }
        let together = snapshot(both);
        prop_assert_eq!(one.told(&together), one.told(&snapshot(&ones)));
        prop_assert_eq!(other.told(&together), other.told(&snapshot(&others)));
    }

    /// A row that lies where one tenant's should and says that it is another's, or another delivery's: nothing is sent.
    #[test]
    fn rows_of_two_tenants_are_never_sent_together(which in 0_usize..6, n in 0..EVENTS) {
        let good = Corner {
            tenant: Found::Good,
            endpoint: Found::Good,
            job: Found::Good,
            events: vec![Found::Good; EVENTS],
            deliveries: vec![Found::Good; EVENTS],
            slow: false,
        };
        let (one, other) = (Side::new(1, good.clone()), Side::new(2, good));
        let mut all = snapshot(&one.filings());
        let message = one.message(n);
        let row = all.delivery(&message).unwrap();
        prop_assert!(matches!(all.verdict(&message, row), Verdict::Send(_)));
        let place = (one.id.clone(), one.endpoint_id());
        let of_job = n + 1 == EVENTS;
        match which {
            0 => all.events.file(message.event_key(), Some(other.event(n))),
            1 if of_job => all.jobs.file(one.job_id(), Some(other.job(true))),
            1 => all.endpoints.file(place, Some(other.endpoint(EndpointStatus::Active))),
            2 => {
                let stray = Delivery { tenant_id: other.id.clone(), ..one.delivery(n) };
                all.deliveries.file(message.delivery_id.clone(), Some(stray));
            }
            3 => {
                let stray = Delivery { event_id: one.event((n + 1) % EVENTS).id, ..one.delivery(n) };
                all.deliveries.file(message.delivery_id.clone(), Some(stray));
            }
            4 => {
                // What was told to a job's own URL alone is an event for webhooks now, or the other way round.
                let job_id = if of_job { None } else { Some(one.job_id()) };
                all.events.file(message.event_key(), Some(Event { job_id, ..one.event(n) }));
            }
            _ => {
                let stray = Delivery { endpoint_id: other.endpoint_id(), ..one.delivery(n) };
                all.deliveries.file(message.delivery_id.clone(), Some(stray));
            }
        }
        let row = all.delivery(&message).unwrap();
        prop_assert_eq!(all.verdict(&message, row), Verdict::Mixed);
    }
}
