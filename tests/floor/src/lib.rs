//! What the programs here share: the bytes that are sent, and how their cost is told.

use std::io::Write as _;
use std::time::Duration;

/// A webhook's id, for the header and the signature.
pub const ID: &str = "evt_7Hq2mZx0Lr5Wc9Tb1Kdn";
/// A secret as the standard dialect has it.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// A body of about the size that webhooks have.
pub const BODY: &str = r#"{"type":"invoice.paid","timestamp":"2026-01-15T14:30:00.000Z","data":{"invoice":{"id":"in_1Q8xYw2eZvKYlo2C","number":"2026-000815","currency":"eur","total":12900,"paid_at":"2026-01-15T14:29:58Z","lines":[{"sku":"seat-monthly","quantity":12,"amount":10800},{"sku":"storage-gb","quantity":70,"amount":2100}]},"customer":{"id":"cus_9s6XKzkNRiz8i3","name":"Example Ltd."}}}"#;

/// How the POSTs of a run reach their receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// One connection that is kept.
    Kept,
    /// A connection for each POST.
    New,
}

/// What a run is asked to do: `<url> <POSTs> kept|new`.
#[derive(Debug)]
pub struct Run {
    /// Where the receiver is.
    pub url: String,
    /// How many POSTs are measured.
    pub posts: u32,
    /// Over what connections.
    pub connections: Connections,
}

impl Run {
    /// From the command line.
    ///
    /// # Errors
    /// When it says something else.
    pub fn from_args() -> Result<Self, String> {
        let usage = || "usage: <url> <POSTs> kept|new".to_owned();
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [url, posts, connections] = args.as_slice() else { return Err(usage()) };
        let connections = match connections.as_str() {
            "kept" => Connections::Kept,
            "new" => Connections::New,
            _ => return Err(usage()),
        };
        Ok(Self { url: url.clone(), posts: posts.parse().map_err(|_| usage())?, connections })
    }
}

/// Prints the CPU time of one POST in microseconds, for the bench to read.
///
/// # Errors
/// When nobody reads.
pub fn tell(spent: Duration, posts: u32) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:.2}", spent.as_secs_f64() * 1e6 / f64::from(posts))
}
