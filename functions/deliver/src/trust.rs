//! Whom TLS trusts: the platform's roots, read once, since that is most of what a process's first POST costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, Error};
use rustls_platform_verifier::Verifier;

use crate::moment::Moment;

/// How long TLS sessions are resumed. A resumed one shows no certificate, so one that has expired is noticed this late.
const LIFE: Duration = Duration::from_secs(60);
/// Sessions that are remembered.
const SESSIONS: usize = 256;

/// Trust, once it is asked for: a function's start has to wait for nothing.
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
    current: Mutex<Option<(ClientConfig, Moment)>>,
}

impl Trust {
    /// In the platform's roots.
    pub fn platform() -> Self {
        Self::with([])
    }

    /// In these roots, too.
    pub fn with(extra: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        Self { extra: extra.into_iter().collect(), current: Mutex::default() }
    }

    /// How TLS is spoken now. Clients that are made within a minute resume each other's sessions.
    ///
    /// # Errors
    /// Where the platform has no roots.
    pub fn config(&self) -> Result<ClientConfig, Error> {
        self.config_at(Moment::now())
    }

    fn config_at(&self, now: Moment) -> Result<ClientConfig, Error> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let config = match current.take() {
            Some((config, since)) if since.age(now) < LIFE => (config, since),
            Some((mut config, _)) => {
                config.resumption = Resumption::in_memory_sessions(SESSIONS);
                (config, now)
            }
            None => (self.read()?, now),
        };
        Ok(current.insert(config).0.clone())
    }

    fn read(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.extra.iter().cloned(), Arc::clone(&provider))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(config)
    }
}
