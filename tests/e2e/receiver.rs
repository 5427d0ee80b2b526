//! The receiver that judges the deliveries, judged itself: it must keep what is on the wire, and keep to its script.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::support::openssl::self_signed;
use crate::support::{Gate, Receiver, Reply, SOON};

async fn connect(receiver: &Receiver, ca: &std::path::Path) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).expect("a certificate was made")).expect("it can be trusted");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring should speak the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = TcpStream::connect(receiver.authority()).await.expect("the receiver should listen");
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.expect("the handshake should succeed")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_keeps_the_bytes_and_plays_its_script() {
    let (cert, key) = self_signed("receiver");
    let gate = Gate::shut();
    let script = [Reply::Full(503, vec![("retry-after", "7".to_owned())], b"busy".to_vec()), Reply::Held(gate.clone())];
    let receiver = Receiver::with_certificate(&cert, &key, script.into(), Reply::Hangup).await;
    let mut wire = connect(&receiver, &cert).await;
    let mut answer = vec![0; 1024];

    // In two pieces, with odd spelling and a body that is no text.
    wire.write_all(b"POST /a?b=%20c HTTP/1.1\r\nHost: localhost\r\nx-ODD-Case:  spaced \r\nContent-")
        .await
        .expect("sent");
    wire.flush().await.expect("sent");
    wire.write_all(b"Length: 5\r\n\r\n\x00\xff\r\n{").await.expect("sent");
    let length = wire.read(&mut answer).await.expect("an answer");
    let expected = "HTTP/1.1 503 Scripted\r\ncontent-length: 4\r\nretry-after: 7\r\n\r\nbusy";
    assert_eq!(String::from_utf8_lossy(&answer[..length]), expected);
    let first = receiver.only(SOON).await;
    assert_eq!(
        (first.method.as_str(), first.path.as_str(), &first.body[..]),
        ("POST", "/a?b=%20c", &b"\x00\xff\r\n{"[..])
    );
    let headers = [("Host", "localhost"), ("x-ODD-Case", "spaced"), ("Content-Length", "5")];
    assert_eq!(first.headers, headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(first.header("X-Odd-Case"), Some("spaced"));

    wire.write_all(b"POST /held HTTP/1.1\r\ncontent-length: 0\r\n\r\n").await.expect("sent");
    receiver.wait_for(2, SOON).await;
    let early = tokio::time::timeout(Duration::from_millis(50), wire.read(&mut answer)).await;
    assert!(early.is_err(), "nothing may be answered while the gate is shut");
    gate.open();
    let length = wire.read(&mut answer).await.expect("an answer");
    assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));

    wire.write_all(b"POST /last HTTP/1.1\r\ncontent-length: 0\r\n\r\n").await.expect("sent");
    assert_eq!(wire.read(&mut answer).await.expect("a clean end"), 0);
    assert_eq!(receiver.requests().len(), 3);
}
