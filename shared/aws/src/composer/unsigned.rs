//! A request as it can be shown to whoever may not sign one: all of it but the signature, with its owner's headers masked. So no secret
//! is opened for it.

use jiff::Timestamp;
use postrider_domain::dialect::SecretOf;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::event::Event;
use postrider_domain::hidden::MASK;
use postrider_domain::signature::Content;
use postrider_domain::tenant::Tenant;
use postrider_domain::{payload, signature};

use super::laid_out;
use crate::error::Failure;

/// A request without its signature.
#[derive(Debug)]
pub struct Unsigned {
    /// The others of its headers, in their order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// The names of the headers that it has beside these.
    pub left_out: Vec<String>,
}

impl Unsigned {
    /// This event for this endpoint of this tenant's, as an attempt at `at` would have it, or one of which nobody says when it was:
    /// then the header that tells an attempt's time is left out as well. `user_agent` is the deployment's own.
    ///
    /// # Errors
    /// When the event's `data` is no JSON.
    pub fn of(
        (tenant, endpoint): (&Tenant, &Endpoint),
        event: &Event,
        at: Option<Timestamp>,
        user_agent: Option<&str>,
    ) -> Result<Self, Failure> {
        let body = payload::body(endpoint.dialect.body, event, &endpoint.id)
            .map_err(|error| Failure::unreadable("an event's data", error))?;
        let own = endpoint.own_headers().map(|(name, _)| (name.to_owned(), MASK.to_owned())).collect();
        let signing = &endpoint.dialect.signing;
        let mut signed = signature::headers(signing, &[], event.id.as_str(), at.unwrap_or_default(), &body);
        let mut left_out = Vec::new();
        if let (Content::IdTimestampBody { timestamp_header, .. }, None) = (signing.content, at) {
            signed.retain(|(name, _)| *name != timestamp_header);
            left_out.push(timestamp_header.to_ascii_lowercase());
        }
        let is_signed = match endpoint.dialect.secret_of {
            SecretOf::Endpoint => !endpoint.secrets.is_empty(),
            SecretOf::Tenant => !tenant.secrets.is_empty(),
            SecretOf::Deployment => true,
        };
        left_out.extend(is_signed.then(|| signing.header.to_ascii_lowercase()));
        Ok(Self { headers: laid_out(endpoint, own, signed, user_agent), body, left_out })
    }
}
