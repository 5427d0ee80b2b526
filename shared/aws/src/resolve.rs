//! Name look-up for webhook URLs: every answer must be an address that may be sent to.

use std::net::SocketAddr;
use std::time::Duration;

use postrider_domain::egress::PrivateTargets;
use postrider_domain::invalid::Invalid;
use postrider_domain::webhook_url::{Target, WebhookUrl};

/// How long a look-up may take: name servers that stay silent must not use up a function's whole time.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(5);

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The name has no address, or the look-up failed.
    #[error("the name does not resolve")]
    NoAddress,
    /// One of its addresses may not be sent to; one is enough, or a mixed answer could slip through.
    #[error("the name resolves to an address that is refused: {why}")]
    Refused {
        /// Why it is refused.
        why: &'static str,
    },
}

/// The addresses of a name, all of them checked.
///
/// # Errors
/// [`Unresolved`].
pub async fn resolve(name: &str, port: u16, private: PrivateTargets) -> Result<Vec<SocketAddr>, Unresolved> {
    let look_up = tokio::time::timeout(LOOK_UP_LIMIT, tokio::net::lookup_host((name, port)));
    let found: Vec<SocketAddr> = match look_up.await {
        Ok(Ok(found)) => found.collect(),
        Ok(Err(_)) | Err(_) => return Err(Unresolved::NoAddress),
    };
    for address in &found {
        private.check(address.ip()).map_err(|why| Unresolved::Refused { why })?;
    }
    if found.is_empty() { Err(Unresolved::NoAddress) } else { Ok(found) }
}

/// Takes a webhook URL at creation: what its text allows is refused still if its name resolves to what may not be sent to.
/// A name that does not resolve yet is taken, since every attempt checks again.
///
/// # Errors
/// [`Invalid`] for `field`, naming the rule.
pub async fn check_url(field: &str, url: &str, private: PrivateTargets) -> Result<(), Invalid> {
    let parsed = WebhookUrl::parse(field, url, private)?;
    let Target::Name(name, port) = parsed.target() else { return Ok(()) };
    match resolve(&name, port, private).await {
        Ok(_) | Err(Unresolved::NoAddress) => Ok(()),
        Err(refused @ Unresolved::Refused { .. }) => Err(Invalid::new(field, format!("a public HTTPS URL; {refused}"))),
    }
}
