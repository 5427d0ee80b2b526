//! Instants as they stand on the wire and in the tables: UTC, milliseconds, `Z`.

use jiff::{Timestamp, Unit};

use crate::invalid::Invalid;

mod rfc3339;

/// `2026-01-15T14:30:00.000Z`: the form of every timestamp that Postrider shows, sends or stores.
pub fn wire(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Reads an RFC 3339 instant, and nothing that merely looks like one; `field` names it in the error.
///
/// # Errors
/// [`Invalid`] when the text is no instant.
pub fn parse(field: &str, text: &str) -> Result<Timestamp, Invalid> {
    rfc3339::read(text).ok_or_else(|| Invalid::new(field, "an RFC 3339 time such as 2026-01-15T14:30:00.000Z"))
}

/// The same where nobody wrote it to us who could be told: a row may be a producer's, so it is read by the same grammar.
fn read(text: &str) -> Result<Timestamp, &'static str> {
    rfc3339::read(text).ok_or("no RFC 3339 time")
}

/// The instant with everything below a millisecond cut off, so that what is stored equals what is shown.
pub fn to_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// The next whole second: a retry is due then, since schedules know no fractions.
pub fn ceil_second(at: Timestamp) -> Timestamp {
    let options = jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Ceil);
    at.round(options).unwrap_or(at)
}

/// Moves an instant by whole milliseconds, stopping at the end of representable time rather than failing.
pub fn plus_millis(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond().saturating_add(millis)).unwrap_or(Timestamp::MAX)
}

/// Serde form of an instant: its wire text.
pub mod as_wire {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the wire text.
    ///
    /// # Errors
    /// Only the serializer's own.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::wire(*at))
    }

    /// Reads the wire text.
    ///
    /// # Errors
    /// When the text is no instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        super::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Serde form of an instant that may be absent; give such a field `#[serde(default)]`.
pub mod as_wire_option {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the wire text, or null.
    ///
    /// # Errors
    /// Only the serializer's own.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_str(&super::wire(*at)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads the wire text, or null.
    ///
    /// # Errors
    /// When the text is no instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| super::read(&text).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_has_three_decimals_and_z() {
        let at = parse("at", "2026-01-15T14:30:00Z").unwrap();
        assert_eq!(wire(at), "2026-01-15T14:30:00.000Z");
        assert_eq!(wire(plus_millis(at, 7)), "2026-01-15T14:30:00.007Z");
    }

    #[test]
    fn a_row_and_a_request_are_read_by_one_grammar() {
        #[derive(serde::Deserialize)]
        struct Row {
            #[serde(with = "as_wire")]
            at: Timestamp,
            #[serde(default, with = "as_wire_option")]
            end: Option<Timestamp>,
        }
        let row = |text: &str| serde_json::from_str::<Row>(&format!(r#"{{"at":"{text}","end":"{text}"}}"#)).ok();
        for text in [
            "2026-01-15T14:30:00.000Z",
            "2026-01-15t14:30:00z",
            "2026-01-15T14:30:00.12345678901Z",
            "9999-12-31T23:59:59Z",
            "2026-01-15T14:30:00+23:59",
            "2026-01-15 14:30:00Z",
            "2026-01-15T14:30Z",
            "2026-01-15T14:30:60Z",
            "2026-01-15T14:30:00Z[UTC]",
            "20260115T143000Z",
        ] {
            let read = parse("at", text).ok();
            assert_eq!(row(text).map(|row| row.at), read, "{text}");
            assert_eq!(row(text).and_then(|row| row.end), read, "{text}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_is_rounded_up() {
        let at = parse("at", "2026-01-15T14:30:00.001Z").unwrap();
        assert_eq!(wire(ceil_second(at)), "2026-01-15T14:30:01.000Z");
        let whole = parse("at", "2026-01-15T14:30:00Z").unwrap();
        assert_eq!(ceil_second(whole), whole);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        assert_eq!(parse("since", "yesterday").unwrap_err().field, "since");
    }
}
