//! How much of what is taken.

/// Of a tenant's name, and of a key's.
pub(crate) const MAX_NAME_CHARS: usize = 128;

/// Deliveries that one call counts.
pub(crate) const MOST_COUNTED: usize = 2_000;
