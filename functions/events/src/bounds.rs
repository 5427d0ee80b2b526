//! How much of what is taken.

/// Events of a batch.
pub(crate) const MAX_BATCH: usize = 25;
/// Of a whole batch. Ten of the largest events fit in.
pub(crate) const MAX_BATCH_BYTES: usize = 2560 * 1024;
