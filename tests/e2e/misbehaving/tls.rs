//! TLS that proves nothing, is too old, or is no TLS: nothing of the request is sent, and the customer reads why.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::json;

use super::raw::{Raw, Speech, identity, server_config};
use super::script::{Progress, Step, answer};
use super::trial::{Case, hold};
use crate::support::openssl::self_signed;
use crate::support::stack::Stack;
use crate::support::{Tenant, World};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_does_not_fit_gets_nothing_and_is_explained() {
    let world = World::open();
    let tls = &world.stack.receiver_tls;
    let table = [
        ("expired", "has expired"),
        ("not_yet_valid", "not valid yet"),
        ("other_name", "another host name"),
        ("not_for_servers", "not for servers"),
        ("without_intermediate", "unknown authority, or came without its intermediate"),
    ];
    let mut cases = Vec::new();
    for (misfit, told) in table {
        let config = server_config(&tls.misfits[misfit], &tls.key, &[b"http/1.1"]);
        cases.push(refused(misfit, Speech::Tls(config), answer(OK), told).await);
    }
    let (cert, key) = self_signed("misbehaving");
    let config = server_config(&cert, &key, &[b"http/1.1"]);
    cases.push(refused("self-signed", Speech::Tls(config), answer(OK), "self-signed").await);
    let asking = Speech::Tls(asking_for_a_certificate(world.stack));
    cases.push(refused("a client certificate asked for", asking, answer(OK), "client certificate").await);
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_tls_is_explained() {
    let world = World::open();
    let says = |bytes: &[u8]| vec![Step::Until(Progress::Speaking), Step::Send(bytes.to_vec()), Step::Hold];
    let alert = |number: u8| says(&[0x15, 3, 3, 0, 2, 2, number]);
    let mut cases = Vec::new();
    for (name, steps, told) in [
        ("another protocol", says(b"220 mail.example ESMTP\r\n"), "does not speak TLS"),
        ("handshake failure", alert(40), "alert 40"),
        ("an unknown name", alert(112), "does not know the URL's host name"),
        ("an alert of no meaning", alert(255), "alert 255"),
        ("a broken handshake", says(b"\x16\x03\x03\x00\x05hello"), "broke the rules of TLS"),
        ("a record too large", says(&[&[0x16, 3, 3, 0xff, 0xff], &[0; 70_000][..]].concat()), "TLS"),
    ] {
        cases.push(refused(name, Speech::Bytes, steps, told).await);
    }
    hold(&world, cases, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_before_1_2_is_refused() {
    let world = World::open();
    let tenant = world.tenant_on("standard", "pro").await;
    for version in ["-tls1", "-tls1_1"] {
        let server = OldServer::start(world.stack, version);
        let attempt = only_attempt(&tenant, &server.url()).await;
        assert_eq!(attempt["outcome"], "tls_failed", "{attempt}");
        assert_eq!(attempt["error"], "the receiver speaks neither TLS 1.2 nor TLS 1.3", "{attempt}");
    }
}

async fn refused(name: &'static str, speech: Speech, steps: Vec<Step>, told: &'static str) -> Case {
    Case::new(name, "tls_failed", Raw::start(speech, steps).await).unposted().told(told)
}

/// A server that wants to see the client's certificate.
fn asking_for_a_certificate(stack: &Stack) -> Arc<ServerConfig> {
    let (chain, key) = identity(&stack.receiver_tls.cert, &stack.receiver_tls.key);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(chain[0].clone()).expect("a certificate of ours");
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring should speak the default versions")
        .with_client_cert_verifier(verifier.expect("there are roots"))
        .with_single_cert(chain, key);
    Arc::new(config.expect("the certificate should fit its key"))
}

/// The one attempt at a fresh webhook.
async fn only_attempt(tenant: &Tenant, url: &str) -> serde_json::Value {
    let body = json!({"url": url, "events": ["*"], "timeout_seconds": 3, "retry_schedule": []});
    let webhook = tenant.create(&body).await;
    let event = tenant.publish("trial.held", &json!({})).await;
    let id = tenant.delivery_of(&event, &webhook).await;
    let delivery = tenant.settled(&id, "failed", 1).await;
    tenant.api.delete(&format!("/v1/webhooks/{webhook}")).await.ok(204);
    delivery["attempts"][0].clone()
}

/// OpenSSL's server, limited to an old version of TLS.
struct OldServer {
    child: Child,
    port: u16,
}

impl OldServer {
    fn start(stack: &Stack, version: &str) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", version, "-cipher", "DEFAULT@SECLEVEL=0", "-cert"])
            .arg(&stack.receiver_tls.cert)
            .arg("-key")
            .arg(&stack.receiver_tls.key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl should be installed");
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let accept = output.lines().map_while(Result::ok).find(|line| line.starts_with("ACCEPT "));
        let accept = accept.expect("openssl says where it listens");
        let port = accept.rsplit(':').next().and_then(|port| port.parse().ok());
        Self { child, port: port.unwrap_or_else(|| panic!("no port in {accept}")) }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/", self.port)
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.child.kill().and(self.child.wait());
    }
}
