//! Where a span stands in its trace, as W3C Trace Context writes it: `00-<trace>-<span>-<flags>`. It travels with an event: in the row,
//! in messages, and to receivers that ask for it. It is a hint: one that makes no sense is none, and fails nothing.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::invalid::Invalid;

/// What a field of this name is to be.
pub const EXPECTED: &str = "a `traceparent` of W3C Trace Context, such as 00-<32 hex digits>-<16 hex digits>-01";
/// The header, and the field of rows and messages.
pub const NAME: &str = "traceparent";
/// How long after its event a trace is followed: a message does not carry one for as long as somebody retries.
pub const FOLLOWED: SignedDuration = SignedDuration::from_hours(24);

/// The length of what version 00 writes; later versions may say more behind it.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;
/// The bits of an id that X-Ray leaves to chance; those above them are its time.
const RANDOM_BITS: u32 = 96;

/// A span's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traceparent {
    /// The trace's id, which is never 0.
    trace: u128,
    /// The span's, which is never 0.
    pub span: u64,
    /// Whether the trace is recorded; decided once, where it begins.
    pub sampled: bool,
}

/// What the header with which Lambda invokes a function says, `Root=1-…-…;Parent=…;Sampled=1`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invoked {
    /// The trace and the span that leads to the invocation, where both are there.
    pub from: Option<(u128, u64)>,
    /// Whether Lambda records the invocation, where it says so.
    pub sampled: Option<bool>,
}

impl Traceparent {
    /// The first span of a trace that begins now. X-Ray wants the time in the id, and W3C does not mind.
    pub fn first(now: Timestamp, random: u128, span: u64, sampled: bool) -> Self {
        let seconds = u128::try_from(now.as_second()).unwrap_or_default() & u128::from(u32::MAX);
        let random = random & ((1 << RANDOM_BITS) - 1);
        Self { trace: (seconds << RANDOM_BITS | random).max(1), span: span.max(1), sampled }
    }

    /// The first span of ours in somebody else's trace.
    pub fn within(trace: u128, span: u64, sampled: bool) -> Self {
        Self { trace: trace.max(1), span: span.max(1), sampled }
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn with_span(self, span: u64) -> Self {
        Self { span: span.max(1), ..self }
    }

    /// The trace's id.
    pub fn trace(&self) -> u128 {
        self.trace
    }

    /// The trace's id as X-Ray writes it: eight digits, and 24.
    pub fn xray_id(&self) -> String {
        let digits = format!("{:032x}", self.trace);
        format!("1-{}-{}", &digits[..8], &digits[8..])
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

impl FromStr for Traceparent {
    type Err = Invalid;

    /// By the grammar of its version, or as far as version 00 goes where it is a later one.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        read(text).ok_or_else(|| Invalid::new(NAME, EXPECTED))
    }
}

fn read(text: &str) -> Option<Traceparent> {
    let (known, further) = (text.get(..LENGTH)?, text.get(LENGTH..)?);
    let mut parts = known.split('-');
    let mut digits = |length: usize| parts.next().filter(|part| part.len() == length);
    let (version, trace, span, flags) = (digits(2)?, digits(32)?, digits(16)?, digits(2)?);
    let version = u8::try_from(number(version)?).ok().filter(|version| *version != u8::MAX)?;
    let may_follow = further.is_empty() || (version > 0 && further.starts_with('-'));
    let trace = number(trace).filter(|trace| *trace > 0 && may_follow)?;
    let span = u64::try_from(number(span)?).ok().filter(|span| *span > 0)?;
    let flags = u8::try_from(number(flags)?).ok()?;
    Some(Traceparent { trace, span, sampled: flags & SAMPLED != 0 })
}

/// Digits in lower case alone, as the specification has them.
fn number(digits: &str) -> Option<u128> {
    let are_digits = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    u128::from_str_radix(digits, 16).ok().filter(|_| are_digits)
}

impl Invoked {
    /// Reads the header; what of it makes no sense is not there.
    pub fn read(header: &str) -> Self {
        let value = |name: &str| {
            header.split(';').find_map(|part| part.trim().split_once('=').filter(|(n, _)| *n == name)).map(|(_, v)| v)
        };
        let root = value("Root").and_then(|root| {
            let (time, random) = root.strip_prefix("1-")?.split_once('-')?;
            (time.len() == 8 && random.len() == 24).then(|| number(&format!("{time}{random}")))?
        });
        let parent = value("Parent").filter(|parent| parent.len() == 16).and_then(number);
        let parent = parent.and_then(|parent| u64::try_from(parent).ok());
        let sampled = match value("Sampled") {
            Some("1") => Some(true),
            Some("0") => Some(false),
            _ => None,
        };
        let from = root.zip(parent).filter(|(root, parent)| *root > 0 && *parent > 0);
        Self { from, sampled }
    }
}

impl Serialize for Traceparent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads a field that may be anything; give it `#[serde(default)]`. A row may be a producer's, and no event fails for its trace.
///
/// # Errors
/// Only the deserializer's own.
pub fn if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Traceparent>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Else(IgnoredAny),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Text(text) => read(&text),
        Written::Else(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written_the_same() {
        let read: Traceparent = WRITTEN.parse().unwrap();
        assert_eq!((read.to_string().as_str(), read.sampled), (WRITTEN, true));
        assert_eq!(read.xray_id(), "1-4bf92f35-77b34da6a3ce929d0e0e4736");
        let other = format!("{}00", &WRITTEN[..53]);
        assert_eq!(other.parse::<Traceparent>().unwrap().to_string(), other);
    }

    #[test]
    fn flags_beyond_ours_and_later_versions_are_read_as_far_as_they_are_known() {
        let with = |version: &str, flags: &str, further: &str| format!("{version}{}{flags}{further}", &WRITTEN[2..53]);
        for (version, flags, further, sampled) in [
            ("00", "03", "", true),
            ("00", "fe", "", false),
            ("01", "01", "", true),
            ("cc", "01", "-what-comes", true),
            ("fe", "00", "-", false),
        ] {
            let text = with(version, flags, further);
            assert_eq!(text.parse::<Traceparent>().unwrap().sampled, sampled, "{text}");
        }
    }

    #[test]
    fn what_the_specification_refuses_is_none() {
        let (zeros, upper) = ("0".repeat(32), WRITTEN.to_uppercase());
        let long = format!("{WRITTEN}-00");
        for bad in [
            "",
            "00",
            &WRITTEN[..54],
            &format!("{WRITTEN}0"),
            &format!("cc{}.", &WRITTEN[2..]),
            &long,
            &upper,
            &WRITTEN.replacen("00-", "ff-", 1),
            &WRITTEN.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros),
            &WRITTEN.replace("00f067aa0ba902b7", &zeros[..16]),
            &WRITTEN.replace("00f067aa0ba902b7", "00f067aa0ba902bg"),
            &WRITTEN.replace("00f067aa0ba902b7", "+0f067aa0ba902b7"),
            &WRITTEN.replace('-', "_"),
            &format!(" {}", &WRITTEN[..54]),
            &"\u{e9}".repeat(55),
        ] {
            assert_eq!(bad.parse::<Traceparent>().unwrap_err().field, "traceparent", "{bad}");
        }
    }

    #[test]
    fn a_trace_that_begins_has_its_time_in_its_id() {
        let at = Timestamp::from_second(0x5759_e988).unwrap();
        let begun = Traceparent::first(at, u128::MAX, 7, true);
        assert_eq!(begun.xray_id(), "1-5759e988-ffffffffffffffffffffffff");
        let none = Traceparent::first(Timestamp::UNIX_EPOCH, 0, 0, false);
        assert!(none.to_string().parse::<Traceparent>().is_ok(), "no id is all zeros: {none}");
    }

    #[test]
    fn what_lambda_says_of_an_invocation_is_read_as_far_as_it_makes_sense() {
        let (root, parent) = (0x5759_e988_bd86_2e3f_e1be_46a9_9427_2793, 0x5399_5c3f_42cd_8ad8);
        let from = Some((root, parent));
        for (header, expected) in [
            ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", (from, Some(true))),
            (
                "Root=1-5759e988-bd862e3fe1be46a994272793; Parent=53995c3f42cd8ad8; Sampled=0; Lineage=a:1",
                (from, Some(false)),
            ),
            ("Sampled=?;Parent=53995c3f42cd8ad8;Root=1-5759e988-bd862e3fe1be46a994272793", (from, None)),
            ("Root=1-5759e988-bd862e3fe1be46a994272793", (None, None)),
            ("Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8", (None, None)),
            ("Root=1-5759e988bd862e3fe1be46a994272793;Parent=short;Sampled=1", (None, Some(true))),
            ("", (None, None)),
        ] {
            let read = Invoked::read(header);
            assert_eq!((read.from, read.sampled), expected, "{header}");
        }
    }

    #[test]
    fn a_field_that_makes_no_sense_is_none() {
        #[derive(Deserialize)]
        struct Row {
            #[serde(default, deserialize_with = "if_any")]
            traceparent: Option<Traceparent>,
        }
        for (row, there) in [
            (serde_json::json!({"traceparent": WRITTEN}), true),
            (serde_json::json!({}), false),
            (serde_json::json!({"traceparent": null}), false),
            (serde_json::json!({"traceparent": "mine"}), false),
            (serde_json::json!({"traceparent": 7}), false),
            (serde_json::json!({"traceparent": {"a": [1]}}), false),
        ] {
            let read: Row = serde_json::from_value(row.clone()).unwrap();
            assert_eq!(read.traceparent.is_some(), there, "{row}");
        }
    }
}
