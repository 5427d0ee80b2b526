//! Patterns, by an engine that never goes back: what one costs on a text follows from its size and the text's.

use regex_lite::{Regex, RegexBuilder};

/// What a pattern may take once it is compiled, in bytes.
pub const MAX_PATTERN_BYTES: usize = 32 * 1024;
/// How nearly it is found out what a pattern takes: to an eighth.
const NEARLY: usize = 8;
/// Of what a pattern takes, so many bytes are looked at in a step.
const BYTES_A_STEP: u64 = 128;

/// A pattern that may stand anywhere in a text.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    engine: Regex,
    /// What each character of a text costs, at the most.
    steps_a_byte: u64,
}

impl Pattern {
    /// Compiles one; what is amiss where it is none, or would be too large.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let compile = |bytes: usize| RegexBuilder::new(text).size_limit(bytes).build();
        let mut engine = compile(MAX_PATTERN_BYTES).map_err(|error| {
            format!("a pattern that can be matched without going back, of at most {MAX_PATTERN_BYTES} bytes once it is compiled; {error}")
        })?;
        // How much it takes nobody tells, so it is tried with less.
        let (mut least, mut bytes) = (0, MAX_PATTERN_BYTES);
        while bytes - least > bytes / NEARLY {
            let between = (least + bytes) / 2;
            match compile(between) {
                Ok(smaller) => (engine, bytes) = (smaller, between),
                Err(_) => least = between,
            }
        }
        let steps_a_byte = u64::try_from(bytes).unwrap_or(u64::MAX) / BYTES_A_STEP;
        Ok(Self { engine, steps_a_byte })
    }

    /// What it costs at the most to look for it in a text.
    pub(crate) fn steps(&self, text: &str) -> u64 {
        self.steps_a_byte.saturating_mul(u64::try_from(text.len()).unwrap_or(u64::MAX)) + 1
    }

    /// Whether it stands somewhere in a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.engine.is_match(text)
    }

    /// The pattern as it was written.
    pub(crate) fn text(&self) -> &str {
        self.engine.as_str()
    }
}
