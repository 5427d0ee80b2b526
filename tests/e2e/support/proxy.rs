//! A proxy between a function and AWS that spoils chosen calls: AWS as it is on its worst day. By service, call, table,
//! index and share it refuses, delays, hangs, lags, does half, sends twice, or carries out what nobody hears of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::pending;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::request::Received;
use super::stack::Stack;

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoil {
    /// It never reaches AWS; this status and error type answer it.
    Refuse(u16, &'static str),
    /// It is carried out, but nobody hears of it.
    LoseAnswer,
    /// It never reaches AWS, and nobody answers.
    Hang,
    /// It is carried out, and the answer comes so much later.
    Delay(Duration),
    /// It reaches AWS so much later.
    Late(Duration),
    /// A BatchGetItem's answer is one of a moment ago: of what it reads eventually consistent, nothing was there yet.
    Lag,
    /// A BatchGetItem leaves half of its keys.
    Half,
    /// A BatchGetItem leaves those keys that have this text in them.
    Leave(&'static str),
    /// A BatchExecuteStatement is carried out, and says of every other statement that it was throttled.
    InPart,
    /// It is made again so much later, as a queue does that delivers twice.
    Again(Duration),
}

/// Refused for being busy.
pub(crate) const THROTTLED: Spoil = Spoil::Refuse(400, "ThrottlingException");
/// The same as DynamoDB says it.
pub(crate) const NO_CAPACITY: Spoil = Spoil::Refuse(400, "ProvisionedThroughputExceededException");

/// Which calls are spoilt, and how.
#[derive(Debug)]
pub(crate) struct Fault {
    spoil: Spoil,
    operation: &'static str,
    service: &'static str,
    about: Vec<String>,
    percent: u32,
    left: u32,
    hits: u32,
}

impl Fault {
    /// On every call.
    pub(crate) fn of(spoil: Spoil) -> Self {
        Self { spoil, operation: "", service: "", about: Vec::new(), percent: 100, left: u32::MAX, hits: 0 }
    }

    /// On calls of this name, such as `UpdateItem`.
    pub(crate) fn on(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    /// On calls of this service: `dynamodb`, `sqs`, `secretsmanager`, `events` or `scheduler`.
    pub(crate) fn service(self, service: &'static str) -> Self {
        Self { service, ..self }
    }

    /// On calls whose body or path has this text in it.
    pub(crate) fn about(mut self, text: &str) -> Self {
        self.about.push(text.to_owned());
        self
    }

    /// On calls that name this table.
    pub(crate) fn table(self, name: &str) -> Self {
        self.about(&format!("\"{name}\""))
    }

    /// On queries of this index.
    pub(crate) fn index(self, name: &str) -> Self {
        self.about(&format!("\"IndexName\":\"{name}\""))
    }

    /// On so many of a hundred of them, told by the proxy's seed.
    pub(crate) fn percent(self, percent: u32) -> Self {
        Self { percent, ..self }
    }

    /// On the next so many of them.
    pub(crate) fn times(self, left: u32) -> Self {
        Self { left, ..self }
    }

    fn is_on(&self, call: &Received, service: &str, operation: &str) -> bool {
        let body = String::from_utf8_lossy(&call.body);
        let names = |text: &String| body.contains(text.as_str()) || call.path.contains(text.as_str());
        self.left > 0
            && (self.operation.is_empty() || self.operation == operation)
            && (self.service.is_empty() || self.service == service)
            && self.about.iter().all(names)
    }
}

#[derive(Debug)]
struct State {
    faults: Vec<Fault>,
    calls: BTreeMap<String, u32>,
    random: StdRng,
    clock: SignedDuration,
}

/// A running proxy; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(stack: &Stack) -> Self {
        Self::seeded(stack, 1).await
    }

    /// The same with other chances.
    pub(crate) async fn seeded(stack: &Stack, seed: u64) -> Self {
        let upstream = stack.endpoint_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let (random, clock) = (StdRng::seed_from_u64(seed), SignedDuration::ZERO);
        let state = State { faults: Vec::new(), calls: BTreeMap::new(), random, clock };
        let state = Arc::new(Mutex::new(state));
        let listening = tokio::spawn(listen(listener, upstream, Arc::clone(&state)));
        Self { url, state, listening }
    }

    /// Spoils the next `times` calls of `operation` whose body or path contains `about`.
    pub(crate) fn spoil(&self, operation: &'static str, about: &str, times: u32, spoil: Spoil) {
        self.add(Fault::of(spoil).on(operation).about(about).times(times));
    }

    /// From now on spoils what the fault says, if no earlier fault does.
    pub(crate) fn add(&self, fault: Fault) {
        self.with(|state| state.faults.push(fault));
    }

    /// From now on AWS's clock, as its answers tell it, is ahead of this machine's by so many seconds.
    pub(crate) fn set_clock_ahead(&self, seconds: i64) {
        self.with(|state| state.clock = SignedDuration::from_secs(seconds));
    }

    /// How many calls have been spoiled.
    pub(crate) fn hits(&self) -> u32 {
        self.with(|state| state.faults.iter().map(|fault| fault.hits).sum())
    }

    /// How many calls of this name have come.
    pub(crate) fn calls(&self, operation: &str) -> u32 {
        self.with(|state| state.calls.get(operation).copied().unwrap_or_default())
    }

    /// Spoils nothing any more.
    pub(crate) fn heal(&self) {
        self.with(|state| {
            state.clock = SignedDuration::ZERO;
            for fault in &mut state.faults {
                fault.left = 0;
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().expect("no test panics while it holds this"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, upstream: String, state: Arc<Mutex<State>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (upstream, state) = (upstream.clone(), Arc::clone(&state));
        // A caller that was killed breaks off, and so does this.
        tokio::spawn(async move { serve(socket, upstream, &state).await.ok() });
    }
}

/// One call a connection, so that an answer ends where the connection does.
async fn serve(mut client: TcpStream, upstream: String, state: &Mutex<State>) -> std::io::Result<()> {
    let mut rest = Vec::new();
    let Some(call) = Received::read(&mut client, &mut rest).await else { return Ok(()) };
    let (spoil, clock) = verdict(&call, state);
    let answer = match spoil {
        Some(Spoil::Refuse(status, error)) => refusal(status, error),
        Some(Spoil::LoseAnswer) => return forward(&call, &upstream).await.map(|_| ()),
        Some(Spoil::Hang) => pending().await,
        Some(Spoil::Delay(by)) => {
            let answer = forward(&call, &upstream).await?;
            tokio::time::sleep(by).await;
            answer
        }
        Some(Spoil::Late(by)) => {
            tokio::time::sleep(by).await;
            forward(&call, &upstream).await?
        }
        Some(Spoil::Lag) => lagging(&call, &forward(&call, &upstream).await?),
        Some(Spoil::Half) => by_half(&call, &forward(&call, &upstream).await?),
        Some(Spoil::Leave(text)) => leaving(&call, &forward(&call, &upstream).await?, text),
        Some(Spoil::InPart) => in_part(&forward(&call, &upstream).await?),
        Some(Spoil::Again(after)) => {
            let answer = forward(&call, &upstream).await?;
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                forward(&call, &upstream).await.ok()
            });
            answer
        }
        None => forward(&call, &upstream).await?,
    };
    client.write_all(&dated(answer, clock)).await
}

fn verdict(call: &Received, state: &Mutex<State>) -> (Option<Spoil>, SignedDuration) {
    let (service, operation) = name_of(call);
    let mut state = state.lock().expect("no test panics while it holds this");
    *state.calls.entry(operation.to_owned()).or_default() += 1;
    let State { faults, random, clock, .. } = &mut *state;
    let fault = faults.iter_mut().find(|fault| {
        fault.is_on(call, service, operation) && (fault.percent == 100 || random.random_range(0..100) < fault.percent)
    });
    let spoil = fault.map(|fault| {
        (fault.left, fault.hits) = (fault.left - 1, fault.hits + 1);
        fault.spoil
    });
    (spoil, *clock)
}

/// A call's service and name.
fn name_of(call: &Received) -> (&'static str, &str) {
    let target = call.header("x-amz-target").unwrap_or_default();
    let (family, operation) = target.rsplit_once('.').unwrap_or_default();
    match family {
        "AmazonSQS" => ("sqs", operation),
        "secretsmanager" => ("secretsmanager", operation),
        "AWSEvents" => ("events", operation),
        "" => ("scheduler", if call.path.starts_with("/schedules") { "CreateSchedule" } else { "" }),
        _ => ("dynamodb", operation),
    }
}

fn refusal(status: u16, error: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"{error}","message":"spoiled by a test"}}"#);
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Spoiled\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n\
         x-amzn-errortype: {error}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The answer by a clock that is ahead by so much.
fn dated(answer: Vec<u8>, ahead: SignedDuration) -> Vec<u8> {
    if ahead.is_zero() {
        return answer;
    }
    let date = (Timestamp::now() + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let end = head_of(&answer);
    let head = String::from_utf8_lossy(&answer[..end - 4]).into_owned();
    let kept = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("date:"));
    let head = kept.collect::<Vec<_>>().join("\r\n");
    [format!("{head}\r\ndate: {date}\r\n\r\n").as_bytes(), &answer[end..]].concat()
}

/// Where an answer's body begins.
fn head_of(answer: &[u8]) -> usize {
    answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head") + 4
}

fn told(answer: &[u8]) -> Value {
    serde_json::from_slice(&answer[head_of(answer)..]).expect("DynamoDB's answer is JSON")
}

fn telling(told: &Value) -> Vec<u8> {
    let (body, head) =
        (told.to_string(), "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// The answer without the rows of those tables that the call reads without asking for consistency.
fn lagging(call: &Received, answer: &[u8]) -> Vec<u8> {
    let asked: Value = serde_json::from_slice(&call.body).expect("a call to DynamoDB is JSON");
    let mut told = told(answer);
    for (table, rows) in told["Responses"].as_object_mut().expect("a BatchGetItem was to be spoiled") {
        if asked["RequestItems"][table]["ConsistentRead"] != true {
            *rows = json!([]);
        }
    }
    telling(&told)
}

/// The answer to the first half of each table's keys; the others are left.
fn by_half(call: &Received, answer: &[u8]) -> Vec<u8> {
    leaving_some(call, answer, |all| all[all.len().div_ceil(2)..].to_vec())
}

/// The answer without what has this text in its key.
fn leaving(call: &Received, answer: &[u8], text: &str) -> Vec<u8> {
    leaving_some(call, answer, |all| all.iter().filter(|key| key.to_string().contains(text)).cloned().collect())
}

fn leaving_some(call: &Received, answer: &[u8], those: impl Fn(&[Value]) -> Vec<Value>) -> Vec<u8> {
    let asked: Value = serde_json::from_slice(&call.body).expect("a call to DynamoDB is JSON");
    let mut told = told(answer);
    let mut left = json!({});
    for (table, keys) in asked["RequestItems"].as_object().expect("a BatchGetItem was to be spoiled") {
        let later = those(keys["Keys"].as_array().expect("keys"));
        if later.is_empty() {
            continue;
        }
        let is_of = |row: &Value, key: &Value| key.as_object().is_some_and(|key| key.iter().all(|(n, v)| row[n] == *v));
        if let Some(rows) = told["Responses"][table].as_array_mut() {
            rows.retain(|row| !later.iter().any(|key| is_of(row, key)));
        }
        left[table] = keys.clone();
        left[table]["Keys"] = json!(later);
    }
    told["UnprocessedKeys"] = left;
    telling(&told)
}

/// The answer where every other statement, carried out or not, says that it was throttled.
fn in_part(answer: &[u8]) -> Vec<u8> {
    let mut told = told(answer);
    let throttled = json!({"Error": {"Code": "ThrottlingError", "Message": "spoiled by a test"}});
    if let Some(all) = told["Responses"].as_array_mut() {
        all.iter_mut().step_by(2).for_each(|one| *one = throttled.clone());
    }
    telling(&told)
}

/// Passes the call on as it is, since it is signed, but for the connection's end.
async fn forward(call: &Received, upstream: &str) -> std::io::Result<Vec<u8>> {
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", call.method, call.path);
    let is_ours = |name: &str| name.eq_ignore_ascii_case("connection") || name.eq_ignore_ascii_case("content-length");
    for (name, value) in call.headers.iter().filter(|(name, _)| !is_ours(name)) {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("content-length: {}\r\n", call.body.len());
    let mut wire = TcpStream::connect(upstream).await?;
    wire.write_all(&[head.as_bytes(), b"\r\n", &call.body].concat()).await?;
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await?;
    Ok(answer)
}
