//! JSON Schema, draft 2020-12: what an event's `data` has to be.
//!
//! Whoever writes a schema may make a mistake, and whoever publishes may mean harm. So a schema is bounded when it is made (its bytes,
//! its parts, its patterns, and nothing outside of itself), and judging by it is bounded by a number of steps that follows from the
//! data's size. It ends however both are made, and each time with the same verdict, which a time limit could not promise.
//!
//! What is asserted: every keyword of the applicator, unevaluated and validation vocabularies. `format` and the keywords about content
//! are annotations, as the draft has them unless somebody asks otherwise, and what is unknown is ignored. Patterns are matched by an engine
//! that never goes back: what needs one that does, such as look-ahead, is refused.

mod compile;
mod fault;
mod judge;
mod number;
mod pattern;
mod rule;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod value;

pub use compile::{DRAFT, MAX_CHAIN, MAX_PATTERNS, MAX_SUBSCHEMAS};
pub use fault::{Fault, MAX_FAULTS, MAX_NAME_BYTES, MAX_PATH_BYTES};
pub use judge::MAX_NESTING;
pub use number::{MAX_DIVISOR_DIGITS, MAX_DIVISOR_SHIFT};
pub use pattern::MAX_PATTERN_BYTES;

use self::compile::{Compiled, compile};
use self::judge::{Judge, TooMuch};
use self::value::Value;

/// Of a schema, as it is written.
pub const MAX_BYTES: usize = 32 * 1024;
/// Steps that judging may take whatever the data.
pub const STEPS: u64 = 2_000_000;
/// Steps more for each byte of the data.
pub const STEPS_A_BYTE: u64 = 32;

/// A schema that is ready to judge by.
#[derive(Debug)]
pub struct Schema(Compiled);

impl Schema {
    /// Reads a schema from JSON that was checked where it came in.
    ///
    /// # Errors
    /// The first thing that is amiss.
    pub fn new(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_BYTES {
            return Err(Fault::new("", format!("expected at most {MAX_BYTES} bytes")));
        }
        let value =
            Value::read(text).ok_or_else(|| Fault::new("", "expected a schema: an object, `true` or `false`"))?;
        compile(&value).map(Self)
    }

    /// Holds JSON that was checked where it came in to it.
    ///
    /// # Errors
    /// The first [`MAX_FAULTS`] things that are amiss, at least one.
    pub fn judge(&self, data: &str) -> Result<(), Vec<Fault>> {
        let steps = STEPS.saturating_add(STEPS_A_BYTE.saturating_mul(u64::try_from(data.len()).unwrap_or(u64::MAX)));
        self.judge_in(steps, data).map(drop)
    }

    /// The same in so many steps; how many are left.
    fn judge_in(&self, steps: u64, data: &str) -> Result<u64, Vec<Fault>> {
        let whole = |message: &str| vec![Fault::new("", message)];
        let value = Value::read(data).ok_or_else(|| whole("expected JSON"))?;
        let judged = Judge::new(&self.0, steps).judge(&value);
        let (faults, left) = judged.map_err(|TooMuch| {
            whole("expected data that the schema can judge in a bounded number of steps; see docs/event-types.md")
        })?;
        if faults.is_empty() { Ok(left) } else { Err(faults) }
    }
}
