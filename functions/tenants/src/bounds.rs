//! How much of what is taken.

/// Of a tenant's name, and of a key's.
pub(crate) const MAX_NAME_CHARS: usize = 128;
