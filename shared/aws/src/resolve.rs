//! Name look-up for webhook URLs: every answer must be an address that may be sent to.

use std::net::SocketAddr;

use postrider_domain::egress::PrivateTargets;

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The name has no address, or the look-up failed.
    #[error("the name does not resolve")]
    NoAddress,
    /// One of its addresses may not be sent to; one is enough, or a mixed answer could slip through.
    #[error("the name resolves to {address}, which is refused: {why}")]
    Refused {
        /// The address.
        address: std::net::IpAddr,
        /// Why it is refused.
        why: &'static str,
    },
}

/// The addresses of a name, all of them checked.
///
/// # Errors
/// [`Unresolved`].
pub async fn resolve(name: &str, port: u16, private: PrivateTargets) -> Result<Vec<SocketAddr>, Unresolved> {
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((name, port)).await.map_err(|_| Unresolved::NoAddress)?.collect();
    for address in &found {
        private.check(address.ip()).map_err(|why| Unresolved::Refused { address: address.ip(), why })?;
    }
    if found.is_empty() { Err(Unresolved::NoAddress) } else { Ok(found) }
}
