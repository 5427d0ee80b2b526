//! A trial: one event goes to misbehaving receivers and to good ones at once, each with a single attempt.
//!
//! That makes it each delivery's last, which has a connection of its own; `reuse` and `leave` have those that are kept.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::raw::Raw;
use crate::support::api::text;
use crate::support::{Receiver, Tenant, World, until};

/// What a misbehaving receiver's webhook allows it, unless its case says otherwise.
const PATIENCE: u64 = 3;
/// What a busy machine may add to an attempt.
const SLACK: Duration = Duration::from_secs(4);
/// What the beginning of a body may take beside.
const BODY: Duration = Duration::from_secs(2);
/// Long enough for every attempt of a trial.
const END: Duration = Duration::from_secs(60);
const GOOD_RECEIVERS: usize = 3;

/// One misbehaving receiver, and what is to come of it.
#[derive(Debug)]
pub(super) struct Case {
    name: &'static str,
    receiver: Raw,
    outcome: &'static str,
    posts: usize,
    patience: u64,
    told: Option<&'static str>,
    excerpt: Option<Excerpt>,
    is_left: bool,
}

/// What is kept of an answer.
#[derive(Debug)]
enum Excerpt {
    Exactly(String),
    /// So many bytes at the most.
    UpTo(usize),
}

impl Case {
    /// A receiver to which one POST is made, with this outcome.
    pub(super) fn new(name: &'static str, outcome: &'static str, receiver: Raw) -> Self {
        Self { name, receiver, outcome, posts: 1, patience: PATIENCE, told: None, excerpt: None, is_left: false }
    }

    /// No POST is made to it.
    pub(super) fn unposted(self) -> Self {
        self.posts(0)
    }

    /// So many POSTs are made to it: all but the last are turned away unread.
    pub(super) fn posts(self, posts: usize) -> Self {
        Self { posts, ..self }
    }

    /// Its webhook's time-out in seconds.
    pub(super) fn patience(self, seconds: u64) -> Self {
        Self { patience: seconds, ..self }
    }

    /// The attempt's error says so.
    pub(super) fn told(self, part: &'static str) -> Self {
        Self { told: Some(part), ..self }
    }

    /// The attempt's excerpt.
    pub(super) fn excerpt(self, text: impl Into<String>) -> Self {
        Self { excerpt: Some(Excerpt::Exactly(text.into())), ..self }
    }

    /// There is an excerpt, of so many bytes at the most.
    pub(super) fn excerpt_up_to(self, bytes: usize) -> Self {
        Self { excerpt: Some(Excerpt::UpTo(bytes)), ..self }
    }

    /// The sender ends the connection rather than read on or use it again.
    pub(super) fn left(self) -> Self {
        Self { is_left: true, ..self }
    }

    fn complaints(&self, attempt: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                complaints.push(format!("{}: {what}, not {attempt}, {} POSTs", self.name, self.receiver.posts()));
            }
        };
        expect(attempt["outcome"] == self.outcome, self.outcome);
        expect(self.receiver.posts() == self.posts, &format!("{} POSTs", self.posts));
        let limit = Duration::from_secs(self.patience) + SLACK;
        let duration = attempt["duration_ms"].as_u64().map(Duration::from_millis);
        expect(duration.is_some_and(|duration| duration < limit), &format!("less than {limit:?}"));
        if let Some(part) = self.told {
            expect(attempt["error"].as_str().is_some_and(|error| error.contains(part)), part);
        }
        let excerpt = attempt["response_excerpt"].as_str();
        match &self.excerpt {
            Some(Excerpt::Exactly(text)) => expect(excerpt == Some(text), &format!("{text:?}")),
            Some(Excerpt::UpTo(limit)) => {
                let fits = excerpt.is_some_and(|text| (1..=*limit).contains(&text.len()));
                expect(fits, &format!("1 to {limit} bytes"));
            }
            None => {}
        }
        complaints
    }
}

/// No excerpt here ends as it begins, which would be taken for a secret that was cut.
const SECRET: &str = "whsec_/y1xFkK3JrBEAWJ8qfusMvXIUw+xkDzE2wIlhxeSGkg=";

/// Publishes one event to all of them and to good receivers, and holds each to its outcome.
pub(super) async fn hold(world: &World, cases: Vec<Case>, data: &Value) {
    let tenant = world.tenant_on("standard", "pro").await;
    let good = join_all((0..GOOD_RECEIVERS).map(|_| Receiver::start(world.stack))).await;
    // The good ones first and among them, so that they share batches.
    let urls = cases.iter().map(|case| (case.receiver.url(), case.patience));
    let urls: Vec<_> = good.iter().map(|receiver| (receiver.url("/"), PATIENCE)).chain(urls).collect();
    let webhooks = join_all(urls.iter().map(|(url, seconds)| webhook(&tenant, url, *seconds))).await;
    let event = tenant.publish("trial.held", data).await;
    let names = std::iter::repeat_n("a good receiver", GOOD_RECEIVERS).chain(cases.iter().map(|case| case.name));
    let named: Vec<_> = names.zip(&webhooks).collect();
    let attempts = attempts_of(&tenant, &event, &named).await;

    let mut complaints = Vec::new();
    for (receiver, attempt) in good.iter().zip(&attempts) {
        if attempt["outcome"] != "succeeded" || receiver.requests().len() != 1 {
            complaints.push(format!("a good receiver's: {attempt}, {} POSTs", receiver.requests().len()));
        }
    }
    for (case, attempt) in cases.iter().zip(&attempts[GOOD_RECEIVERS..]) {
        complaints.extend(case.complaints(attempt));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    for case in cases.iter().filter(|case| case.is_left) {
        until(&format!("the sender to leave {}", case.name), END, || async {
            if case.receiver.is_left() { Ok(()) } else { Err(format!("{} connections", case.receiver.connections())) }
        })
        .await;
        let limit = Duration::from_secs(case.patience) + BODY + SLACK;
        assert!(case.receiver.kept() < limit, "{} was read for {:?}", case.name, case.receiver.kept());
    }
}

async fn webhook(tenant: &Tenant, url: &str, timeout_seconds: u64) -> String {
    // Without a retry schedule, one attempt decides.
    let body = json!({
        "url": url, "events": ["*"], "timeout_seconds": timeout_seconds, "retry_schedule": [], "secret": SECRET,
    });
    tenant.create(&body).await
}

/// The one attempt for each webhook, once all are made.
async fn attempts_of(tenant: &Tenant, event: &str, webhooks: &[(&str, &String)]) -> Vec<Value> {
    let ids = until(&format!("{event} to be settled everywhere"), END, || async {
        let shown = tenant.api.get(&format!("/v1/events/{event}")).await.ok(200);
        let rows = shown["deliveries"].as_array().cloned().unwrap_or_default();
        let settled = |row: &&Value| row["status"] == "succeeded" || row["status"] == "failed";
        let (mut ids, mut missing) = (Vec::new(), Vec::new());
        for (name, webhook) in webhooks {
            match rows.iter().filter(settled).find(|row| row["webhook_id"] == **webhook) {
                Some(row) => ids.push(text(row, "id").to_owned()),
                None => missing.push(*name),
            }
        }
        if missing.is_empty() { Ok(ids) } else { Err(format!("all but {missing:?}")) }
    })
    .await;
    let deliveries = join_all(ids.iter().map(|id| tenant.delivery(id))).await;
    deliveries
        .iter()
        .map(|delivery| {
            let attempts = delivery["attempts"].as_array().expect("a settled delivery has attempts");
            assert_eq!(attempts.len(), 1, "one attempt was to decide: {delivery}");
            let of_outcome = attempts[0]["outcome"] == "succeeded";
            assert_eq!(delivery["status"] == "succeeded", of_outcome, "{delivery}");
            attempts[0].clone()
        })
        .collect()
}
