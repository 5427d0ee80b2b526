//! The pages' own receivers, as they print them, and one of Standard Webhooks, with the keep-alive that their servers have by
//! default, at paces at which idle connections are about to be closed: every job and event arrives at its first attempt.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join_all, join3};
use serde_json::json;
use tokio::time::interval;

use crate::seeds::page;
use crate::support::verifier::root;
use crate::support::{SOON, Tenant, World, until};

/// Seconds between two: Node closes an idle connection five after its last answer, Flask's server never.
const PACES: [f64; 4] = [4.9, 5.1, 6.04, 20.0];
/// How long the test takes, unless `POSTRIDER_PACED` says how many there are to be of each pace (`make soak` takes 20).
const ALL_THE_TIME: f64 = 21.0;
/// The secret that stands in nur's program.
const SECRET: &str = "whsec_your_secret";
const STANDARD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn how_many(pace: f64) -> usize {
    match std::env::var("POSTRIDER_PACED") {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("POSTRIDER_PACED={text}: {error}")),
        Err(_) => 1 + (ALL_THE_TIME / pace) as usize,
    }
}

/// A receiver that runs as a program of its own.
struct Running {
    child: Child,
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(world: &World, command: &mut Command, page: Option<PathBuf>) -> Self {
        let tls = &world.stack.receiver_tls;
        let command = command.arg(&tls.cert).arg(&tls.key).args(page).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("make test installs what its receivers need");
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped")).lines().map_while(Result::ok);
        let first = output.next().unwrap_or_default();
        let port = first.strip_prefix("listening ").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{command:?} says {first:?}: are the tests' packages installed?"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&lines);
        std::thread::spawn(move || output.for_each(|line| said.lock().expect("nobody panics").push(line)));
        Self { child, port, lines }
    }

    fn express(world: &World) -> Self {
        let mut command = Command::new("node");
        command.arg(root().join("tests/verifiers/express_receiver.mjs"));
        Self::start(world, command.env("WEBHOOK_SECRET", &world.stack.webhook_signing_secret), page("nouvel.txt"))
    }

    fn flask(world: &World) -> Self {
        let mut command = Command::new(root().join("local/.venv/bin/python"));
        Self::start(world, command.arg("-u").arg(root().join("tests/verifiers/flask_receiver.py")), page("nur.txt"))
    }

    fn standard(world: &World) -> Self {
        let mut command = Command::new("node");
        command.arg(root().join("tests/verifiers/standard_receiver.mjs"));
        Self::start(world, command.env("WEBHOOK_SECRET", STANDARD_SECRET), None)
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Once its handler has accepted so many.
    async fn accepted(&self, number: usize, line: &str) {
        until(&format!("{number} to be accepted"), SOON, || async {
            let said = self.lines.lock().expect("nobody panics").iter().filter(|said| said.starts_with(line)).count();
            if said == number { Ok(()) } else { Err(format!("{said}")) }
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill().and(self.child.wait());
    }
}

async fn nouvel_at(world: &World, pace: f64) {
    let (receiver, customer) = (Running::express(world), world.nouvel().await);
    let (number, mut next) = (how_many(pace), interval(Duration::from_secs_f64(pace)));
    let mut jobs = Vec::new();
    for _ in 0..number {
        let job = customer.generate(1, 1, &receiver.url("/webhooks/nouvel")).await;
        let project =
            json!({"projectId": job.projects[0], "status": "completed", "videoUrl": "https://cdn.example/1.mp4"});
        next.tick().await;
        customer.report(&job.id, &json!({"projects": [project]})).await.ok(200);
        jobs.push(job.id);
    }
    for job in &jobs {
        customer.settled(job, "succeeded", 1).await;
    }
    receiver.accepted(number, "Video ready: ").await;
}

async fn nur_at(world: &World, pace: f64) {
    let (receiver, tenant) = (Running::flask(world), world.tenant().await);
    let body = json!({"url": receiver.url("/webhooks/nur"), "events": ["*"], "secret": SECRET});
    let webhook = tenant.create(&body).await;
    let number = how_many(pace);
    arrive_at(&tenant, &webhook, number, pace).await;
    receiver.accepted(number, "Received event: ").await;
}

/// With retries to come, so that connections to a server that closes idle ones are kept.
async fn standard_at(world: &World, pace: f64) {
    let (receiver, tenant) = (Running::standard(world), world.tenant_on("standard", "pro").await);
    let body = json!({"url": receiver.url("/hook"), "events": ["*"], "secret": STANDARD_SECRET});
    let webhook = tenant.create(&body).await;
    let number = how_many(pace);
    arrive_at(&tenant, &webhook, number, pace).await;
    receiver.accepted(number, "Accepted: ").await;
}

/// Publishes at this pace; every event arrives at its first attempt.
async fn arrive_at(tenant: &Tenant, webhook: &str, number: usize, pace: f64) {
    let (mut next, mut events) = (interval(Duration::from_secs_f64(pace)), Vec::new());
    for _ in 0..number {
        next.tick().await;
        events.push(tenant.publish("dubbing.completed", &json!({})).await);
    }
    for event in &events {
        let id = tenant.delivery_of(event, webhook).await;
        tenant.settled(&id, "succeeded", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_lose_nothing_at_any_pace() {
    let world = &World::open();
    let nouvel = join_all(PACES.map(|pace| nouvel_at(world, pace)));
    let nur = join_all(PACES.map(|pace| nur_at(world, pace)));
    let standard = join_all(PACES.map(|pace| standard_at(world, pace)));
    join3(nouvel, nur, standard).await;
}
