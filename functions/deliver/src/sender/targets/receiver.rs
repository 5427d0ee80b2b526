//! A receiver on this machine that counts connections and keeps what names it was called by.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::CertifiedKey;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// The names in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Seen {
    /// From the TLS handshake.
    pub(in super::super) server_name: String,
    /// From the header.
    pub(in super::super) host: String,
}

/// Ends with the test's runtime.
pub(in super::super) struct Receiver {
    port: u16,
    certificate: CertificateDer<'static>,
    connections: Arc<AtomicUsize>,
    left: watch::Sender<usize>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Receiver {
    /// Listens on loopback, with a certificate for `names`.
    pub(in super::super) async fn start(names: &[&str]) -> Self {
        Self::shaking(usize::MAX, names).await
    }

    /// The same, but after so many TLS handshakes it lets all others wait.
    pub(in super::super) async fn shaking(hands: usize, names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            certificate: cert.der().clone(),
            connections: Arc::default(),
            left: watch::Sender::default(),
            seen: Arc::default(),
        };
        let (connections, seen) = (receiver.connections.clone(), receiver.seen.clone());
        let left = receiver.left.clone();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let takes_it = connections.fetch_add(1, Ordering::SeqCst) < hands;
                let (acceptor, seen, left) = (acceptor.clone(), seen.clone(), left.clone());
                tokio::spawn(async move {
                    if takes_it {
                        answer(acceptor, stream, seen).await;
                    } else {
                        wait(stream).await;
                    }
                    left.send_modify(|left| *left += 1);
                });
            }
        });
        receiver
    }

    pub(in super::super) fn port(&self) -> u16 {
        self.port
    }

    pub(in super::super) fn trusted(&self) -> CertificateDer<'static> {
        self.certificate.clone()
    }

    pub(in super::super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Once so many connections have ended.
    pub(in super::super) async fn until_left(&self, number: usize) {
        self.left.subscribe().wait_for(|left| *left >= number).await.unwrap();
    }

    pub(in super::super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Answers with 200, and closes, so that the next attempt has to look the name up again. At `/kept` it keeps the connection, at
/// `/hasty` it says that it does so for a second, and at `/silent` it never answers.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) -> Option<()> {
    let mut stream = acceptor.accept(stream).await.ok()?;
    let server_name = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
    loop {
        let mut request = Vec::new();
        while !request.ends_with(b"{}") {
            stream.read_buf(&mut request).await.ok().filter(|read| *read > 0)?;
        }
        let text = String::from_utf8(request).ok()?;
        let host = text.lines().find_map(|line| line.strip_prefix("host: "))?.to_owned();
        seen.lock().unwrap().push(Seen { server_name: server_name.clone(), host });
        if text.starts_with("POST /silent") {
            std::future::pending::<()>().await;
        }
        let announced = if text.starts_with("POST /hasty") { "keep-alive: timeout=1\r\n" } else { "" };
        if announced.is_empty() && !text.starts_with("POST /kept") {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.ok()?;
            return stream.shutdown().await.ok();
        }
        let answer = format!("HTTP/1.1 200 OK\r\n{announced}content-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// Says nothing until the sender hangs up.
async fn wait(mut stream: TcpStream) {
    let mut unheard = [0; 1024];
    while stream.read(&mut unheard).await.is_ok_and(|read| read > 0) {}
}
