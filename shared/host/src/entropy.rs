//! Entropy, which the domain is told.

use postrider_domain::attempt::Mark;
use rand::RngExt as _;

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
