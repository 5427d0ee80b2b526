//! How much of what is taken.

use std::ops::RangeInclusive;

/// URLs of a job of projects.
pub(crate) const URLS: RangeInclusive<usize> = 1..=3;
/// Projects that are made of each of them.
pub(crate) const VARIANTS: RangeInclusive<u8> = 1..=3;
/// Of a project's title.
pub(crate) const MAX_TITLE_CHARS: usize = 512;
/// JavaScript's largest exact integer; customers parse the number.
pub(crate) const MAX_CREDITS: u64 = (1 << 53) - 1;
/// Of a job of one task.
pub(crate) const MAX_CAPABILITIES: usize = 20;
/// Of a capability's name.
pub(crate) const MAX_CAPABILITY_CHARS: usize = 64;
/// What a request may be: an event on a bus takes 256 KiB, and most of it should be room to spare.
pub(crate) const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Projects of one job at the most.
pub(crate) fn most_projects() -> usize {
    URLS.end() * usize::from(*VARIANTS.end())
}
