//! A proxy between a function and AWS that spoils chosen calls: AWS as it is on its worst day.

use std::sync::{Arc, Mutex};

use futures::future::pending;
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
    /// A BatchGetItem's answer is one of a moment ago: of what it reads plainly, nothing was there yet.
    Lag,
}

#[derive(Debug)]
struct Rule {
    operation: &'static str,
    about: String,
    left: u32,
    spoil: Spoil,
    hits: u32,
}

/// A running proxy; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    rules: Arc<Mutex<Vec<Rule>>>,
    listening: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(stack: &Stack) -> Self {
        let upstream = stack.endpoint_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let url = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
        let rules = Arc::default();
        let listening = tokio::spawn(listen(listener, upstream, Arc::clone(&rules)));
        Self { url, rules, listening }
    }

    /// Spoils the next `times` calls of `operation` whose body or path contains `about`.
    pub(crate) fn spoil(&self, operation: &'static str, about: &str, times: u32, spoil: Spoil) {
        let rule = Rule { operation, about: about.to_owned(), left: times, spoil, hits: 0 };
        self.rules.lock().expect("no test panics while it holds this").push(rule);
    }

    /// How many calls have been spoiled.
    pub(crate) fn hits(&self) -> u32 {
        self.rules.lock().expect("no test panics while it holds this").iter().map(|rule| rule.hits).sum()
    }

    /// Spoils nothing any more.
    pub(crate) fn heal(&self) {
        for rule in self.rules.lock().expect("no test panics while it holds this").iter_mut() {
            rule.left = 0;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, upstream: String, rules: Arc<Mutex<Vec<Rule>>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (upstream, rules) = (upstream.clone(), Arc::clone(&rules));
        // A caller that was killed breaks off, and so does this.
        tokio::spawn(async move { serve(socket, &upstream, &rules).await.ok() });
    }
}

/// One call a connection, so that an answer ends where the connection does.
async fn serve(mut client: TcpStream, upstream: &str, rules: &Mutex<Vec<Rule>>) -> std::io::Result<()> {
    let mut rest = Vec::new();
    let Some(call) = Received::read(&mut client, &mut rest).await else { return Ok(()) };
    match verdict(&call, rules) {
        Some(Spoil::Refuse(status, error)) => client.write_all(&refusal(status, error)).await,
        Some(Spoil::LoseAnswer) => forward(&call, upstream).await.map(|_| ()),
        Some(Spoil::Hang) => pending().await,
        Some(Spoil::Lag) => client.write_all(&lagging(&call, &forward(&call, upstream).await?)).await,
        None => client.write_all(&forward(&call, upstream).await?).await,
    }
}

fn verdict(call: &Received, rules: &Mutex<Vec<Rule>>) -> Option<Spoil> {
    let name = format!("{} {} {}", call.method, call.path, call.header("x-amz-target").unwrap_or_default());
    let body = String::from_utf8_lossy(&call.body);
    let mut rules = rules.lock().expect("no test panics while it holds this");
    let rule = rules.iter_mut().find(|rule| {
        rule.left > 0 && name.contains(rule.operation) && (body.contains(&rule.about) || name.contains(&rule.about))
    })?;
    (rule.left, rule.hits) = (rule.left - 1, rule.hits + 1);
    Some(rule.spoil)
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

/// The answer without the rows of those tables that the call reads without asking for consistency.
fn lagging(call: &Received, answer: &[u8]) -> Vec<u8> {
    let asked: Value = serde_json::from_slice(&call.body).expect("a call to DynamoDB is JSON");
    let start = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("an answer has a head") + 4;
    let mut told: Value = serde_json::from_slice(&answer[start..]).expect("DynamoDB's answer is JSON");
    for (table, rows) in told["Responses"].as_object_mut().expect("a BatchGetItem was to be spoiled") {
        if asked["RequestItems"][table]["ConsistentRead"] != true {
            *rows = json!([]);
        }
    }
    let (body, head) =
        (told.to_string(), "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Passes the call on as it is, since it is signed, but for the connection's end.
async fn forward(call: &Received, upstream: &str) -> std::io::Result<Vec<u8>> {
    let mut head = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", call.method, call.path);
    for (name, value) in call.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        head += &format!("{name}: {value}\r\n");
    }
    let mut wire = TcpStream::connect(upstream).await?;
    wire.write_all(&[head.as_bytes(), b"\r\n", &call.body].concat()).await?;
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).await?;
    Ok(answer)
}
