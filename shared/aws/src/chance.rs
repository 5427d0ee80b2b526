//! The clock and chance, which the domain is told.

use jiff::Timestamp;
use postrider_domain::attempt::Mark;
use rand::RngExt as _;

use crate::clock;

/// Now, to the millisecond, which is all that is stored or shown; by AWS's clock where this machine's is wrong.
pub fn now() -> Timestamp {
    postrider_domain::time::to_millis(clock::now())
}

/// From 0 up to but not including 1.
pub fn jitter() -> f64 {
    rand::rng().random()
}

/// 64 random bits, for an id.
pub fn bits64() -> u64 {
    rand::rng().random()
}

/// 128 random bits, for an id.
pub fn bits128() -> u128 {
    rand::rng().random()
}

/// 256 random bits, for a key or a secret. The generator is a CSPRNG, seeded by the operating system.
pub fn bits256() -> [u8; 32] {
    rand::rng().random()
}

/// A mark for an attempt or a change, which nobody else has.
pub fn mark() -> Mark {
    Mark::new(bits64())
}
