//! Name look-up for webhook URLs: every answer must be an address that may be sent to.

use std::net::SocketAddr;
use std::time::Duration;

use postrider_domain::egress::PrivateTargets;

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
