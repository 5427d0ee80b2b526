//! The published implementations of Standard Webhooks, in three languages: each must say the same of a delivery.

use std::process::{Command, Output};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::request::Received;
use super::verifier::{root, run, words};

const NAMES: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// The signed parts of a delivery, to be verified as they are or changed.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) signature: String,
    pub(crate) body: Vec<u8>,
}

impl Signed {
    #[track_caller]
    pub(crate) fn of(received: &Received) -> Self {
        let [id, timestamp, signature] = NAMES.map(|name| {
            received.header(name).unwrap_or_else(|| panic!("no {name} in {:?}", received.headers)).to_owned()
        });
        Self { id, timestamp, signature, body: received.body.clone() }
    }

    /// Whether the implementations accept it under this secret; they must agree.
    #[track_caller]
    pub(crate) fn is_accepted_with(&self, secret: &str) -> bool {
        let python = self.by(Command::new(root().join("local/.venv/bin/python")).arg(program("standard.py")), secret);
        let node = self.by(Command::new("node").arg(program("standard.mjs")), secret);
        for output in [&python, &node] {
            let refused = words(output).starts_with("refused: ");
            assert!(output.status.success() || refused, "a verifier failed: {}", words(output));
        }
        let verdicts = [self.by_rust(secret), python.status.success(), node.status.success()];
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "they disagree: {verdicts:?} on {self:?}");
        verdicts[0]
    }

    fn by(&self, command: &mut Command, secret: &str) -> Output {
        run(command.args([&self.id, &self.timestamp, &self.signature]).env("SECRET", secret), &self.body)
    }

    fn by_rust(&self, secret: &str) -> bool {
        let values = [&self.id, &self.timestamp, &self.signature];
        let headers: HeaderMap = NAMES
            .into_iter()
            .zip(values)
            .map(|(name, value)| {
                let value = HeaderValue::from_str(value).expect("a header that came over the wire");
                (HeaderName::from_static(name), value)
            })
            .collect();
        let webhook = standardwebhooks::Webhook::new(secret).expect("the secret is base64");
        webhook.verify(&self.body, &headers).is_ok()
    }
}

fn program(name: &str) -> std::path::PathBuf {
    root().join("tests/verifiers").join(name)
}
