//! Webhooks' own headers before they are written: bounded, and sealed.

use std::mem;

use postrider_aws::Failure;
use postrider_aws::keyring::{Keyring, sealed_bytes};
use postrider_domain::endpoint::Endpoint;
use postrider_domain::invalid::Invalid;
use postrider_domain::own_header::MAX_BYTES;
use postrider_domain::secret::Secret;

/// Refuses headers that have become too many bytes. What earlier versions took stays, and may become less.
///
/// # Errors
/// [`Invalid`] naming the field.
pub(crate) fn check_bytes(before: &Endpoint, after: &Endpoint) -> Result<(), Invalid> {
    let bytes = bytes(after);
    if bytes <= MAX_BYTES || bytes <= self::bytes(before) {
        return Ok(());
    }
    Err(Invalid::new("headers", format!("at most {MAX_BYTES} bytes of names and values together")))
}

fn bytes(endpoint: &Endpoint) -> usize {
    let sealed = endpoint.sealed_headers.iter().map(|(name, value)| name.len() + sealed_bytes(value));
    let clear = endpoint.headers.iter().map(|(name, value)| name.len() + value.len());
    sealed.chain(clear).sum()
}

/// Seals every value that is in the clear: what was given just now, and what an earlier version kept so.
///
/// # Errors
/// When the key cannot be read; nothing of it may be written then.
pub(crate) async fn seal(keyring: &Keyring, endpoint: &mut Endpoint) -> Result<(), Failure> {
    for (name, value) in mem::take(&mut endpoint.headers) {
        let sealed = keyring.seal(&endpoint.header_owner(&name), &Secret::stored(value)).await?;
        endpoint.sealed_headers.entry(name.to_ascii_lowercase()).or_insert(sealed);
    }
    Ok(())
}
