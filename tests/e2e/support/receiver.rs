//! An HTTPS receiver inside the test: it answers by a script, and keeps what it was sent.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::poll::until;
use super::request::Received;
use super::stack::Stack;

/// What every receiver's URL ends with.
const QUERY: &str = concat!("token=", canary!("query"));

/// What the receiver does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Answers with a status and no more.
    Status(u16),
    /// Answers with a status, headers and a body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Takes the request and answers with 200 once the gate is open.
    Held(Gate),
    /// The same, with another status.
    HeldAs(Gate, u16),
    /// Takes the request and closes the connection without a word.
    Hangup,
    /// Takes the request and answers with these bytes, whatever they are, and closes the connection.
    Raw(Vec<u8>),
    /// Answers with a status, later.
    Late(Duration, u16),
    /// Answers with this status until the gate is open, and with 200 from then on.
    Until(Gate, u16),
    /// Answers with a status that depends on how many requests came before.
    Changing(fn(usize) -> u16),
    /// Answers with a status, and says in its body and in a Location all that the request had in its headers.
    Echo(u16),
}

impl Reply {
    fn bytes(&self, before: usize, request: &Received) -> Vec<u8> {
        match self {
            Self::Status(status) => Self::Full(*status, Vec::new(), Vec::new()).bytes(before, request),
            Self::Full(status, headers, body) => {
                let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
                for (name, value) in headers {
                    head += &format!("{name}: {value}\r\n");
                }
                [head.as_bytes(), b"\r\n", body].concat()
            }
            Self::Held(_) => Self::Status(200).bytes(before, request),
            Self::HeldAs(_, status) => Self::Status(*status).bytes(before, request),
            Self::Hangup => Vec::new(),
            Self::Raw(bytes) => bytes.clone(),
            Self::Late(_, status) => Self::Status(*status).bytes(before, request),
            Self::Until(gate, status) => {
                Self::Status(if gate.is_open() { 200 } else { *status }).bytes(before, request)
            }
            Self::Changing(status) => Self::Status(status(before)).bytes(before, request),
            Self::Echo(status) => {
                // Its owner's stand before what signs.
                let lines: Vec<String> =
                    request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                let values: Vec<&str> = request.headers.iter().map(|(_, value)| value.as_str()).collect();
                let location = ("location", format!("https://localhost/{}", values.join("/")));
                let told = [lines.join("\n"), serde_json::json!({"headers": values}).to_string()].join("\n");
                Self::Full(*status, vec![location], told.into_bytes()).bytes(before, request)
            }
        }
    }
}

/// Holds answers back until the test opens it.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(crate) fn shut() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    fn is_open(&self) -> bool {
        *self.0.borrow()
    }

    async fn wait(&self) {
        let mut open = self.0.subscribe();
        open.wait_for(|open| *open).await.expect("the gate outlives its waiters");
    }
}

#[derive(Debug)]
struct State {
    script: Mutex<VecDeque<Reply>>,
    afterwards: Reply,
    requests: Mutex<Vec<Received>>,
    times: Mutex<Vec<Instant>>,
}

/// A listening receiver; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Receiver {
    port: u16,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

impl Receiver {
    /// A receiver that the stack trusts and that answers everything with 200.
    pub(crate) async fn start(stack: &Stack) -> Self {
        Self::scripted(stack, [], Reply::Status(200)).await
    }

    /// A receiver that the stack trusts; it plays the script once, then answers everything `afterwards`.
    pub(crate) async fn scripted(stack: &Stack, script: impl Into<VecDeque<Reply>>, afterwards: Reply) -> Self {
        Self::with_certificate(&stack.receiver_tls.cert, &stack.receiver_tls.key, script.into(), afterwards).await
    }

    /// A receiver with a certificate of the test's own.
    pub(crate) async fn with_certificate(cert: &Path, key: &Path, script: VecDeque<Reply>, afterwards: Reply) -> Self {
        let chain: Vec<_> = CertificateDer::pem_file_iter(cert)
            .and_then(Iterator::collect)
            .unwrap_or_else(|error| panic!("{}: {error}", cert.display()));
        let key = PrivateKeyDer::from_pem_file(key).unwrap_or_else(|error| panic!("{}: {error}", key.display()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring should speak the default versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("the certificate should fit its key");
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a loopback port should be free");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let state = Arc::new(State {
            script: Mutex::new(script),
            afterwards,
            requests: Mutex::default(),
            times: Mutex::default(),
        });
        let listening = tokio::spawn(listen(listener, TlsAcceptor::from(Arc::new(tls)), Arc::clone(&state)));
        Self { port, state, listening }
    }

    /// The receiver's address with a path of the test's choice, and a canary in its query that no log may show.
    pub(crate) fn url(&self, path: &str) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("https://localhost:{}{path}{joint}{QUERY}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address without a path.
    pub(crate) fn authority(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Everything received so far, in order.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.state.requests.lock().expect("no test panics while it holds this").clone()
    }

    /// When each of them came.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.state.times.lock().expect("no test panics while it holds this").clone()
    }

    /// Waits until at least `count` requests have come, and returns all.
    pub(crate) async fn wait_for(&self, count: usize, within: Duration) -> Vec<Received> {
        until(&format!("{count} requests at the receiver"), within, || {
            let requests = self.requests();
            let enough = if requests.len() >= count { Ok(requests) } else { Err(format!("{requests:?}")) };
            std::future::ready(enough)
        })
        .await
    }

    /// Waits for the one request that must come, and fails if more have.
    pub(crate) async fn only(&self, within: Duration) -> Received {
        let mut requests = self.wait_for(1, within).await;
        assert_eq!(requests.len(), 1, "one request was expected: {requests:?}");
        requests.remove(0)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn listen(listener: TcpListener, tls: TlsAcceptor, state: Arc<State>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (tls, state) = (tls.clone(), Arc::clone(&state));
        tokio::spawn(async move { serve(socket, tls, state).await });
    }
}

/// Serves one connection until either side has had enough; a failed handshake is the sender's business.
async fn serve(socket: TcpStream, tls: TlsAcceptor, state: Arc<State>) {
    let Ok(mut wire) = tls.accept(socket).await else { return };
    let mut rest = Vec::new();
    while let Some(mut request) = Received::read(&mut wire, &mut rest).await {
        // The tests mean the path that they gave.
        if let Some(path) = request.path.strip_suffix(QUERY) {
            request.path = path[..path.len() - 1].to_owned();
        }
        let (reply, before, request) = {
            let mut script = state.script.lock().expect("no test panics while it holds this");
            let mut requests = state.requests.lock().expect("no test panics while it holds this");
            requests.push(request.clone());
            state.times.lock().expect("no test panics while it holds this").push(Instant::now());
            (script.pop_front().unwrap_or_else(|| state.afterwards.clone()), requests.len() - 1, request)
        };
        match &reply {
            Reply::Held(gate) | Reply::HeldAs(gate, _) => gate.wait().await,
            Reply::Late(wait, _) => tokio::time::sleep(*wait).await,
            _ => {}
        }
        let sent = wire.write_all(&reply.bytes(before, &request)).await.and(wire.flush().await);
        if sent.is_err() || matches!(reply, Reply::Hangup | Reply::Raw(_)) {
            // The sender may be gone already, which is what a time-out looks like from here.
            let _ = wire.shutdown().await;
            return;
        }
    }
}
