//! Name look-up for webhook URLs: every answer must be an address that may be sent to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use postrider_domain::egress::Egress;
use postrider_domain::invalid::Invalid;
use postrider_domain::webhook_url::{Target, WebhookUrl};

/// How long a look-up may take while a caller of the API waits.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(3);

/// Asks the DNS for a name's addresses.
pub type LookUp = dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync;

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

/// Looks names up, and answers with addresses only that may be sent to.
#[derive(Clone)]
pub struct Resolver {
    egress: Arc<Egress>,
    look_up: Arc<LookUp>,
}

impl Resolver {
    /// A resolver that asks the system's.
    pub fn new(egress: Egress) -> Self {
        Self::asking(egress, Arc::new(|name| Box::pin(ask_system(name))))
    }

    /// A resolver that asks `look_up`.
    pub fn asking(egress: Egress, look_up: Arc<LookUp>) -> Self {
        Self { egress: Arc::new(egress), look_up }
    }

    /// Reads a URL, as [`WebhookUrl::parse`] does.
    ///
    /// # Errors
    /// [`Invalid`] for `field`, naming the rule.
    pub fn parse(&self, field: &str, url: &str) -> Result<WebhookUrl, Invalid> {
        WebhookUrl::parse(field, url, &self.egress)
    }

    /// The addresses of a name, all of them checked; a look-up that takes longer than `limit` has found none.
    ///
    /// # Errors
    /// [`Unresolved`].
    pub async fn resolve(&self, name: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Unresolved> {
        let found = match tokio::time::timeout(limit, (self.look_up)(name.to_owned())).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) | Err(_) => return Err(Unresolved::NoAddress),
        };
        for address in &found {
            self.egress.check_address(*address).map_err(|why| Unresolved::Refused { why })?;
        }
        if found.is_empty() {
            return Err(Unresolved::NoAddress);
        }
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }

    /// Takes a webhook URL at creation: what its text allows is refused still if its name resolves to what may not be sent
    /// to. A name that does not resolve yet is taken, since every attempt checks again.
    ///
    /// # Errors
    /// [`Invalid`] for `field`, naming the rule.
    pub async fn check_url(&self, field: &str, url: &str) -> Result<(), Invalid> {
        let Target::Name(name, port) = WebhookUrl::take(field, url, &self.egress)?.target() else { return Ok(()) };
        match self.resolve(&name, port, LOOK_UP_LIMIT).await {
            Ok(_) | Err(Unresolved::NoAddress) => Ok(()),
            Err(refused @ Unresolved::Refused { .. }) => {
                Err(Invalid::new(field, format!("a public HTTPS URL; {refused}")))
            }
        }
    }
}

/// Follows a chain of CNAMEs to its end, as `getaddrinfo` does.
async fn ask_system(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
}
