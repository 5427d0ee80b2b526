//! One fault after another, for as long as events are published: afterwards the books must balance. `make faults` runs it at
//! length; among the other tests it is short. Chance is repeatable: the seed is printed, and taken from `POSTRIDER_SEED`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::chaos::storm::unfinished;
use crate::chaos::{alone, scale, with_proxies, with_short_visibility};
use crate::support::api::text;
use crate::support::customer::task_body;
use crate::support::proxy::{Fault, NO_CAPACITY, Proxy, Spoil};
use crate::support::request::Received;
use crate::support::stack::say;
use crate::support::standard::Signed;
use crate::support::time::instant;
use crate::support::{Api, Receiver, Reply, SOON, Tenant, World, until};

/// Events of one run among the other tests; `make faults` takes 200.
const EVENTS: u64 = 10;
const BATCH: usize = 25;
/// How soon a failed message comes back, in seconds: later than a batch of so many events is over with, or copies of it would
/// meet that no fault has made.
fn visibility(events: u64) -> u64 {
    8 + events / 10
}

/// How long one fault may take to be over with, once it has ended.
const PATIENCE: Duration = Duration::from_secs(240);
const RETRY_SCHEDULE: [u64; 4] = [1, 1, 2, 3];

/// Three in ten are refused, told by the number of the request.
fn erring(before: usize) -> u16 {
    if before % 10 < 3 { 500 } else { 200 }
}

/// What is wrong, with which functions, and what else happens meanwhile.
struct Run {
    name: &'static str,
    functions: &'static [&'static str],
    faults: fn() -> Vec<Fault>,
    /// Whether an attempt's record can fail, and its POST be made again without one.
    may_lose_records: bool,
}

fn of(faults: impl IntoIterator<Item = Fault>) -> Vec<Fault> {
    faults.into_iter().collect()
}

const NONE: Run = Run { name: "none", functions: &["deliver"], faults: || of([]), may_lose_records: false };

const RUNS: [Run; 7] = [
    Run {
        name: "throttled writes",
        may_lose_records: true,
        functions: &["deliver", "sweep"],
        faults: || of([Fault::of(NO_CAPACITY).on("UpdateItem").percent(60)]),
    },
    Run {
        name: "lost answers",
        may_lose_records: true,
        functions: &["events", "fanout", "deliver"],
        faults: || of([Fault::of(Spoil::LoseAnswer).service("dynamodb").percent(15)]),
    },
    Run {
        name: "half done",
        may_lose_records: false,
        functions: &["fanout", "deliver"],
        faults: || {
            of([
                Fault::of(Spoil::Half).on("BatchGetItem"),
                Fault::of(NO_CAPACITY).on("BatchExecuteStatement").percent(40),
                Fault::of(Spoil::InPart).on("BatchExecuteStatement").percent(50),
            ])
        },
    },
    Run {
        name: "slow",
        may_lose_records: false,
        functions: &["events", "fanout", "deliver"],
        faults: || of([Fault::of(Spoil::Delay(Duration::from_millis(900))).percent(30)]),
    },
    Run {
        name: "queues that double",
        may_lose_records: false,
        functions: &["fanout", "deliver"],
        faults: || of([Fault::of(Spoil::Again(Duration::from_secs(4))).service("sqs")]),
    },
    Run {
        name: "no schedules",
        may_lose_records: false,
        functions: &["deliver"],
        faults: || of([Fault::of(Spoil::Refuse(500, "InternalServerException")).on("CreateSchedule")]),
    },
    Run {
        name: "no secrets",
        may_lose_records: false,
        functions: &["deliver"],
        faults: || of([Fault::of(Spoil::Refuse(500, "InternalServiceError")).service("secretsmanager")]),
    },
];

/// What became of a run.
#[derive(Debug, Default)]
struct Books {
    accepted: usize,
    succeeded: usize,
    failed: usize,
    posts: usize,
    recorded: usize,
    unrecorded: usize,
    doubles: usize,
    stuck: usize,
    dead: u64,
    quarantine: u64,
    triggers: u64,
}

impl Books {
    fn tell(&self, name: &str, begun: Instant) {
        let Self {
            accepted,
            succeeded,
            failed,
            posts,
            recorded,
            unrecorded,
            doubles,
            stuck,
            dead,
            quarantine,
            triggers,
        } = self;
        say(&format!(
            "faults: {name:<20} accepted {accepted:>4}, succeeded {succeeded:>4}, failed {failed:>3}, POSTs {posts:>5}, \
             on record {recorded:>5}, not {unrecorded:>3}, doubles {doubles:>3}, stuck {stuck}, dead {dead}, quarantine {quarantine}, \
             triggers {triggers}; {:.0?}",
            begun.elapsed()
        ));
    }
}

/// Publishes until each event is taken, as a producer with keys does; their ids.
async fn publish(api: &Api, name: &str, events: u64) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let numbers: Vec<u64> = (0..events).collect();
    for batch in numbers.chunks(BATCH) {
        let event = |n: &u64| json!({"event": "invoice.paid", "data": {}, "id": format!("{name}-{n}")});
        let body = json!({"events": batch.iter().map(event).collect::<Vec<_>>()});
        let taken = until("a batch to be taken", PATIENCE, || async {
            let answer = api.post("/v1/events/batch", &body).await;
            let results = if answer.status == 202 { answer.json()["results"].clone() } else { Value::Null };
            let all: Option<Vec<String>> = results
                .as_array()
                .and_then(|all| all.iter().map(|one| one["id"].as_str().map(str::to_owned)).collect());
            all.ok_or(answer.body)
        })
        .await;
        ids.extend(taken);
    }
    ids
}

/// Seconds that an attempt takes at the most, save one whose name does not resolve.
const AN_ATTEMPT: i64 = 10;
/// The same where a name server hangs.
const A_LOOK_UP: i64 = 35;

/// Sweeps, and makes due what waits for longer than an attempt can take, until everything is final or the patience is over; what
/// is stuck. What is made due while its attempt is out is attempted twice.
async fn settle(world: &World, tenant: &Tenant, (webhooks, events): (&[String], usize), an_attempt: i64) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.aws.functions.invoke("sweep", &json!({})).await;
        let left = unfinished(tenant, webhooks).await;
        let mut rows = 0;
        for webhook in webhooks {
            rows += tenant.deliveries(webhook, "limit=100").await.len();
        }
        if (left.is_empty() && rows == events * webhooks.len()) || begun.elapsed() > PATIENCE {
            return left;
        }
        for delivery in left.iter().filter(|delivery| delivery["next_attempt_at"].is_string()) {
            let due = instant(text(delivery, "next_attempt_at"));
            if jiff::Timestamp::now().duration_since(due) > jiff::SignedDuration::from_secs(an_attempt) {
                world.aws.rows.due_ago(text(delivery, "id"), 300).await;
            }
        }
    }
}

async fn books(world: &World, tenant: &Tenant, sides: &[(String, Receiver)], accepted: &BTreeSet<String>) -> Books {
    let queues = &world.stack.queues;
    let mut books = Books {
        accepted: accepted.len(),
        dead: world.aws.take_all(&queues.dead, &tenant.id).await,
        quarantine: world.aws.take_all(&queues.quarantine, &tenant.id).await,
        triggers: world.aws.waiting(&queues.triggers).await,
        ..Books::default()
    };
    for (webhook, receiver) in sides {
        let posts = receiver.requests();
        books.posts += posts.len();
        let mut told = BTreeSet::new();
        for delivery in tenant.deliveries(webhook, "limit=100").await {
            let attempts = delivery["attempts"].as_array().expect("attempts should be an array");
            let own = attempts.iter().filter(|attempt| attempt["outcome"] != "internal").count();
            books.recorded += own;
            let event = text(&delivery, "event_id").to_owned();
            let made = posts.iter().filter(|post| post.header("webhook-id") == Some(event.as_str())).count();
            let unrecorded = made.saturating_sub(own);
            let successes = attempts.iter().filter(|attempt| attempt["outcome"] == "succeeded").count();
            books.unrecorded += unrecorded;
            books.doubles += unrecorded + successes.saturating_sub(1);
            match text(&delivery, "status") {
                "succeeded" => books.succeeded += 1,
                "failed" => books.failed += 1,
                _ => books.stuck += 1,
            }
            assert!(told.insert(event), "an event twice in one webhook's ledger: {delivery}");
        }
        assert_eq!(&told, accepted, "every accepted event is in the ledger");
    }
    books
}

async fn sides(world: &World, tenant: &Tenant) -> Vec<(String, Receiver)> {
    let mut sides = Vec::new();
    for reply in [Reply::Status(200), Reply::Changing(erring), Reply::Late(Duration::from_millis(300), 200)] {
        let receiver = Receiver::scripted(world.stack, [], reply).await;
        let body = json!({"url": receiver.url("/"), "events": ["*"], "retry_schedule": RETRY_SCHEDULE});
        sides.push((tenant.create(&body).await, receiver));
    }
    sides
}

/// Publishes while the fault lasts, ends it, and holds the books to what must be so whatever fails: nothing is lost, nothing is
/// stuck, nothing lies aside, and the receivers got no less than is on record.
async fn run(world: &World, run: &Run, (events, seed): (u64, u64)) -> Books {
    let begun = Instant::now();
    let tenant = world.tenant_on("standard", "pro").await;
    let key = world.key(&tenant.id, &json!({"dialect": "standard", "scopes": ["events:write"]})).await;
    let api = world.anonymous.with_key(text(&key, "key"));
    let sides = sides(world, &tenant).await;
    let proxy = Proxy::seeded(world.stack, seed).await;
    let webhooks: Vec<String> = sides.iter().map(|(webhook, _)| webhook.clone()).collect();
    let (accepted, stuck) = with_proxies(world, run.functions, &proxy, async {
        (run.faults)().into_iter().for_each(|fault| proxy.add(fault));
        let accepted = publish(&api, "run", events).await;
        tokio::time::sleep(Duration::from_secs(5 + events / 20)).await;
        proxy.heal();
        // Before the proxy goes, since processes go with it, and with them what POSTs are out.
        let stuck = settle(world, &tenant, (&webhooks, accepted.len()), AN_ATTEMPT).await;
        (accepted, stuck)
    })
    .await;
    let books = books(world, &tenant, &sides, &accepted).await;
    books.tell(run.name, begun);
    assert_eq!(books.accepted as u64, events, "{}: each event once", run.name);
    assert!(stuck.is_empty() && books.stuck == 0, "{}: {stuck:?}", run.name);
    assert_eq!(books.succeeded + books.failed, books.accepted * sides.len(), "{}: final states", run.name);
    assert_eq!((books.dead, books.quarantine), (0, 0), "{}: what lies aside", run.name);
    assert!(books.posts >= books.recorded, "{}: an attempt that nobody got", run.name);
    assert_eq!(
        books.posts,
        books.recorded + books.unrecorded,
        "{}: every POST is on record, or one whose record failed",
        run.name
    );
    assert!(run.may_lose_records || books.unrecorded == 0, "{}: a POST without a record", run.name);
    books
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn the_books_balance_whatever_fails() {
    let (world, _guard) = alone().await;
    let events = scale("POSTRIDER_FAULT_EVENTS", EVENTS);
    let seed = scale("POSTRIDER_SEED", rand::rng().random_range(0..1_000_000));
    say(&format!("faults: {events} events to three webhooks under each, POSTRIDER_SEED={seed}"));
    // As on AWS, with the queues' own patience.
    let books = run(&world, &NONE, (events, seed)).await;
    assert_eq!(books.doubles, 0, "nothing comes twice by itself");
    with_short_visibility(&world, visibility(events), async {
        for one in &RUNS {
            run(&world, one, (events, seed)).await;
        }
    })
    .await;
}

/// A name that leads nowhere, as when name servers fail.
const NOWHERE: &str = "http://nowhere.invalid";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn names_that_do_not_resolve_cost_time_alone() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let lost = json!({"url": "https://hooks.invalid/", "events": ["*"], "retry_schedule": [1, 1]});
    let lost = tenant.create(&lost).await;
    let before = world.aws.functions.environment("deliver").await;
    let mut variables = before.clone();
    variables.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), json!(NOWHERE));
    let events = scale("POSTRIDER_FAULT_EVENTS", EVENTS);
    // First AWS's own names fail us, then a receiver's alone.
    let accepted = with_short_visibility(&world, visibility(events), async {
        world.aws.functions.set_environment("deliver", variables).await;
        let accepted = publish(&tenant.api, "dns", events).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(receiver.requests().len(), 0, "nothing can be read, so nothing is sent");
        world.aws.functions.set_environment("deliver", before).await;
        accepted
    })
    .await;
    // A name server that hangs takes an attempt's whole time, and with a short visibility copies of it would meet.
    let stuck = settle(&world, &tenant, (&[webhook.clone(), lost.clone()], accepted.len()), A_LOOK_UP).await;
    assert!(stuck.is_empty(), "{stuck:?}");
    let got: BTreeSet<_> = receiver.requests().iter().filter_map(id_of).collect();
    assert_eq!(got, accepted);
    for delivery in tenant.deliveries(&lost, "limit=100").await {
        assert_eq!(delivery["reason"], "attempts_exhausted", "{delivery}");
        let outcomes = delivery["attempts"].as_array().expect("attempts").iter();
        assert!(outcomes.filter(|attempt| attempt["outcome"] == "dns_failed").count() == 3, "{delivery}");
    }
    say(&format!("faults: names that do not resolve: {} of {} delivered", got.len(), accepted.len()));
}

fn id_of(post: &Received) -> Option<String> {
    post.header("webhook-id").map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn a_secret_changed_after_an_outage_signs_what_waited() {
    let (world, _guard) = alone().await;
    let tenant = world.tenant_on("standard", "pro").await;
    let receiver = Receiver::start(world.stack).await;
    let webhook = tenant.webhook(&receiver.url("/"), &["*"]).await;
    let proxy = Proxy::start(world.stack).await;
    let secret = with_short_visibility(
        &world,
        3,
        with_proxies(&world, &["deliver"], &proxy, async {
            proxy.add(Fault::of(Spoil::Refuse(500, "InternalServiceError")).service("secretsmanager"));
            tenant.publish("invoice.paid", &json!({})).await;
            until("deliver to ask for the key", SOON, || async {
                if proxy.calls("GetSecretValue") > 0 { Ok(()) } else { Err("not yet".to_owned()) }
            })
            .await;
            let path = format!("/v1/webhooks/{webhook}/secret/rotate");
            let secret = tenant.api.post(&path, &json!({"grace_seconds": 0})).await.ok(200);
            assert_eq!(receiver.requests().len(), 0);
            proxy.heal();
            text(&secret, "secret").to_owned()
        }),
    )
    .await;
    let post = receiver.only(Duration::from_secs(60)).await;
    assert!(Signed::of(&post).is_accepted_with(&secret), "what waited is signed with the secret that counts");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn jobs_end_once_however_long_aws_fails_and_whoever_dies() {
    let (world, _guard) = alone().await;
    let customer = world.netraflow("pro").await;
    let receiver = Receiver::start(world.stack).await;
    let jobs = scale("POSTRIDER_FAULT_EVENTS", EVENTS);
    let proxy = Proxy::start(world.stack).await;
    let done = json!({"status": "completed", "credits_charged": 1});
    let work = with_proxies(&world, &["jobs", "fanout", "deliver"], &proxy, async {
        proxy.add(Fault::of(Spoil::LoseAnswer).service("dynamodb").percent(15));
        proxy.add(Fault::of(NO_CAPACITY).service("dynamodb").percent(15));
        let mut ids = BTreeSet::new();
        for n in 0..jobs {
            let key = format!("job-{n}");
            if n % 3 == 0 {
                world.aws.functions.kill_all("jobs");
            }
            let id = until("a job to be started", PATIENCE, || async {
                let call =
                    customer.tenant.api.call(reqwest::Method::POST, "/v1/jobs").json(&task_body(&receiver.url("/")));
                let answer = call.header("idempotency-key", &key).try_send().await?;
                let id = answer.json()["data"]["job_id"].as_str().map(str::to_owned);
                id.ok_or(answer.body)
            })
            .await;
            if n % 3 == 1 {
                world.aws.functions.kill_all("jobs");
            }
            until("its end to be taken", PATIENCE, || async {
                let path = format!("/v1/jobs/{id}/report");
                let answer = customer.worker.call(reqwest::Method::POST, &path).json(&done).try_send().await?;
                if answer.status == 200 { Ok(()) } else { Err(answer.body) }
            })
            .await;
            ids.insert(id);
        }
        ids
    });
    let ids = with_short_visibility(&world, visibility(jobs), async {
        let ids = work.await;
        for id in &ids {
            until("the job's delivery", PATIENCE, || async {
                world.aws.functions.invoke("sweep", &json!({})).await;
                let found = customer.deliveries(id).await;
                assert!(found.len() <= 1, "{found:?}");
                let delivery = found.into_iter().next().ok_or("none")?;
                if delivery["status"] == "succeeded" { Ok(()) } else { Err(delivery.to_string()) }
            })
            .await;
        }
        ids
    })
    .await;
    assert_eq!(ids.len() as u64, jobs, "each key made one job");
    assert_eq!(world.aws.rows.jobs_of(&customer.tenant.id).await.len() as u64, jobs, "and no other was made");
    let told: BTreeSet<_> = receiver.requests().iter().map(|post| text(&post.json(), "job_id").to_owned()).collect();
    assert_eq!(told, ids);
    say(&format!("faults: jobs: {jobs} ended, {} POSTs", receiver.requests().len()));
}
