//! A receiver on a raw socket: it counts the POSTs that come, by HTTP/1.1 or HTTP/2, and answers by a script.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::frames;
use super::script::{End, Progress, Step, play};
use crate::support::request::Received;
use crate::support::stack::Stack;

/// How a receiver is spoken to.
#[derive(Clone)]
pub(super) enum Speech {
    /// Not even TLS: what comes is bytes.
    Bytes,
    /// HTTP over TLS.
    Tls(Arc<ServerConfig>),
    /// TLS, behind which nothing is ever read; no POST is counted.
    Deaf(Arc<ServerConfig>),
    /// HTTP over TLS, both of which begin late.
    Late(Arc<ServerConfig>, Delays),
}

/// What a late receiver takes its time for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delays {
    /// Before the TLS handshake.
    pub(super) handshake: Duration,
    /// Before the request is read.
    pub(super) reading: Duration,
}

/// What has happened at a receiver.
#[derive(Debug, Default)]
struct Tally {
    posts: AtomicUsize,
    connections: AtomicUsize,
    /// Connections that the sender has ended.
    hung_up: AtomicUsize,
    /// How long the sender kept the one that it kept longest, in milliseconds.
    kept: AtomicU64,
}

/// A listening receiver; it stops when it is dropped.
#[derive(Debug)]
pub(super) struct Raw {
    address: SocketAddr,
    tally: Arc<Tally>,
    listening: JoinHandle<()>,
}

impl Raw {
    /// A receiver that the stack trusts and that speaks HTTP/1.1.
    pub(super) async fn http1(stack: &Stack, steps: Vec<Step>) -> Self {
        let tls = &stack.receiver_tls;
        Self::start(Speech::Tls(server_config(&tls.cert, &tls.key, &[b"http/1.1"])), steps).await
    }

    /// A receiver that the stack trusts and that speaks HTTP/2.
    pub(super) async fn http2(stack: &Stack, steps: Vec<Step>) -> Self {
        let tls = &stack.receiver_tls;
        Self::start(Speech::Tls(server_config(&tls.cert, &tls.key, &[b"h2"])), steps).await
    }

    /// A receiver that plays its script on every connection.
    pub(super) async fn start(speech: Speech, steps: Vec<Step>) -> Self {
        let listener = listener(matches!(speech, Speech::Late(..)));
        let address = listener.local_addr().expect("a bound listener has an address");
        let tally = Arc::new(Tally::default());
        let listening = tokio::spawn(listen(listener, speech, steps.into(), Arc::clone(&tally)));
        Self { address, tally, listening }
    }

    /// A receiver that takes a connection when the one before has ended.
    pub(super) async fn one_at_a_time(stack: &Stack, steps: Vec<Step>) -> Self {
        let listener = listener(false);
        let address = listener.local_addr().expect("a bound listener has an address");
        let tally = Arc::new(Tally::default());
        let tls = &stack.receiver_tls;
        let speech = Speech::Tls(server_config(&tls.cert, &tls.key, &[b"http/1.1"]));
        let (steps, counted): (Arc<[Step]>, _) = (steps.into(), Arc::clone(&tally));
        let listening = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::SeqCst);
                serve(socket, speech.clone(), Arc::clone(&steps), Arc::clone(&counted)).await;
            }
        });
        Self { address, tally, listening }
    }

    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}/hook", self.address.port())
    }

    /// POSTs whose heads have come.
    pub(super) fn posts(&self) -> usize {
        self.tally.posts.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.tally.connections.load(Ordering::SeqCst)
    }

    /// Whether the sender has ended every connection.
    pub(super) fn is_left(&self) -> bool {
        self.tally.hung_up.load(Ordering::SeqCst) == self.connections()
    }

    /// How long the sender kept the connection that it kept longest, of those that it has ended.
    pub(super) fn kept(&self) -> Duration {
        Duration::from_millis(self.tally.kept.load(Ordering::SeqCst))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// TLS with a certificate of the test's choice.
pub(super) fn server_config(cert: &Path, key: &Path, protocols: &[&[u8]]) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring should speak the default versions")
        .with_no_client_auth();
    let (chain, key) = identity(cert, key);
    let mut config = builder.with_single_cert(chain, key).expect("the certificate should fit its key");
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// A certificate chain and its key, from their files.
pub(super) fn identity(cert: &Path, key: &Path) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .unwrap_or_else(|error| panic!("{}: {error}", cert.display()));
    let key = PrivateKeyDer::from_pem_file(key).unwrap_or_else(|error| panic!("{}: {error}", key.display()));
    (chain, key)
}

/// A listener on loopback; a narrow one's connections take in little before they are read.
fn listener(narrow: bool) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    if narrow {
        socket.set_recv_buffer_size(4096).expect("a socket of ours takes the option");
    }
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a loopback port should be free");
    socket.listen(1024).expect("a bound socket listens")
}

async fn listen(listener: TcpListener, speech: Speech, steps: Arc<[Step]>, tally: Arc<Tally>) {
    // Connections live as long as their receiver.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        tally.connections.fetch_add(1, Ordering::SeqCst);
        connections.spawn(serve(socket, speech.clone(), Arc::clone(&steps), Arc::clone(&tally)));
    }
}

async fn serve(socket: TcpStream, speech: Speech, steps: Arc<[Step]>, tally: Arc<Tally>) {
    let (progress, watched) = watch::channel(Progress::Connected);
    let begun = Instant::now();
    match speech {
        Speech::Bytes => {
            let (mut reading, mut writing) = socket.into_split();
            let reader = drain(&mut reading, &progress);
            let end = converse(reader, &mut writing, &steps, &watched).await;
            finish(&writing.reunite(reading).expect("halves of one socket"), end);
        }
        Speech::Tls(_) | Speech::Late(..) => {
            let (config, delays) = match speech {
                Speech::Late(config, delays) => (config, delays),
                Speech::Tls(config) | Speech::Deaf(config) => (config, Delays::default()),
                Speech::Bytes => return,
            };
            tokio::time::sleep(delays.handshake).await;
            // A failed handshake is the sender's business.
            let Ok(wire) = TlsAcceptor::from(config).accept(socket).await else { return };
            tokio::time::sleep(delays.reading).await;
            let by_http2 = wire.get_ref().1.alpn_protocol() == Some(b"h2");
            let (mut reading, mut writing) = tokio::io::split(wire);
            let reader = async {
                if by_http2 {
                    frames::count(&mut reading, &progress, &tally.posts).await;
                } else {
                    count(&mut reading, &progress, &tally.posts).await;
                }
                let kept = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                tally.kept.fetch_max(kept, Ordering::SeqCst);
                tally.hung_up.fetch_add(1, Ordering::SeqCst);
                progress.send_replace(Progress::Gone);
            };
            let end = converse(reader, &mut writing, &steps, &watched).await;
            finish(reading.unsplit(writing).get_ref().0, end);
        }
        Speech::Deaf(config) => {
            let Ok(mut wire) = TlsAcceptor::from(config).accept(socket).await else { return };
            let end = play(&mut wire, &steps, watched).await;
            finish(wire.get_ref().0, end);
        }
    }
}

/// Plays the script while the other half reads. Once it is played, what still comes is read to its end.
async fn converse(
    reader: impl Future<Output = ()>,
    wire: &mut (impl AsyncWrite + Unpin),
    steps: &[Step],
    watched: &watch::Receiver<Progress>,
) -> End {
    tokio::pin!(reader);
    let script = async {
        let end = play(wire, steps, watched.clone()).await;
        if end == End::Played {
            // The sender may have broken it off before.
            let _ = wire.shutdown().await;
        }
        end
    };
    tokio::pin!(script);
    let end = tokio::select! { end = &mut script => end, () = &mut reader => return script.await };
    if end == End::Played {
        reader.await;
    }
    end
}

fn finish(socket: &TcpStream, end: End) {
    if end == End::Reset {
        socket.set_zero_linger().expect("a socket of ours takes the option");
    }
}

async fn drain(wire: &mut (impl AsyncRead + Unpin), progress: &watch::Sender<Progress>) {
    let mut bytes = [0; 4096];
    while wire.read(&mut bytes).await.is_ok_and(|length| length > 0) {
        progress.send_replace(Progress::Speaking);
    }
    progress.send_replace(Progress::Gone);
}

/// Reads HTTP/1.1 requests until the sender hangs up. A head counts as soon as it is there.
async fn count(wire: &mut (impl AsyncRead + Unpin), progress: &watch::Sender<Progress>, posts: &AtomicUsize) {
    let mut rest = Vec::new();
    loop {
        while !rest.windows(4).any(|four| four == b"\r\n\r\n") {
            if !wire.read_buf(&mut rest).await.is_ok_and(|length| length > 0) {
                return;
            }
        }
        posts.fetch_add(1, Ordering::SeqCst);
        progress.send_replace(Progress::Head);
        if Received::read(wire, &mut rest).await.is_none() {
            return;
        }
        progress.send_replace(Progress::Request);
    }
}
