//! The HTTP client by which the portal calls the API.
//!
//! A function that was frozen knows nothing of what became of its connections meanwhile, and a call that changes something is not sent
//! twice. So connections are kept only while they are in use; what is kept for longer is how TLS is spoken, and its sessions.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use lambda_runtime::Error;
use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls_platform_verifier::Verifier;
use url::Url;

/// How long connections are kept that nobody uses, by the clock that goes on while a function is frozen.
const KEPT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Clients for one address, one at a time.
pub(crate) struct Clients {
    /// Where the API is.
    base: Url,
    tls: OnceLock<ClientConfig>,
    current: Mutex<Option<(Client, SystemTime)>>,
}

impl Clients {
    pub(crate) fn new(base: Url) -> Self {
        Self { base, tls: OnceLock::new(), current: Mutex::default() }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The client to call by now.
    ///
    /// # Errors
    /// Where it cannot be made, such as where the platform has no roots.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        self.client_at(SystemTime::now())
    }

    fn client_at(&self, now: SystemTime) -> Result<Client, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the clock was set back nobody knows how long it was.
        let good = current.take().filter(|(_, last)| now.duration_since(*last).is_ok_and(|idle| idle < KEPT));
        let client = match good {
            Some((client, _)) => client,
            None => self.made()?,
        };
        *current = Some((client.clone(), now));
        Ok(client)
    }

    fn made(&self) -> Result<Client, Error> {
        let builder = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .tls_backend_preconfigured(self.tls()?)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(KEPT);
        // Names below `localhost` are this machine's (RFC 6761), and not every resolver knows it.
        let builder = match self.base.host_str().filter(|host| host.ends_with(".localhost")) {
            Some(host) => builder.resolve(host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            None => builder,
        };
        Ok(builder.build()?)
    }

    /// Read when it is needed first: the platform's roots are most of what a first call costs.
    fn tls(&self) -> Result<ClientConfig, Error> {
        if self.base.scheme() == "http" {
            // Nothing is spoken in TLS here, and so nobody trusted.
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
            return Ok(config);
        }
        if let Some(config) = self.tls.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(Arc::clone(&provider))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(self.tls.get_or_init(|| config).clone())
    }
}
