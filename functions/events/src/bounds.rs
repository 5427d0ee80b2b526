//! How much of what is taken.

/// Events of a batch.
pub(crate) const MAX_BATCH: usize = 25;
