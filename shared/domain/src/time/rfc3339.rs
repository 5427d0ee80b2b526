//! The grammar of RFC 3339 (section 5.6), to the letter: parsers of dates take a good deal more.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// `2026-01-15T14:30:00`: what stands before the fraction and the offset.
const SHAPE: &[u8] = b"0000-00-00T00:00:00";
/// What an instant can hold of a second's fraction; the grammar knows no end of them.
const MAX_DIGITS: usize = 9;

/// The instant that `text` is.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    // The grammar takes `t` and `z` as well.
    let text = text.to_ascii_uppercase();
    let (date, rest) = text.split_at_checked(SHAPE.len())?;
    if !date.bytes().zip(SHAPE).all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape })
    {
        return None;
    }
    // A leap second is no instant of ours, and the parser would take any sixtieth second for the one before.
    if date.ends_with(":60") {
        return None;
    }
    let (fraction, offset) = fraction_of(rest)?;
    let local: DateTime = format!("{date}.{}", &fraction[..fraction.len().min(MAX_DIGITS)]).parse().ok()?;
    let offset = offset_of(offset)?;
    match offset.to_timestamp(local) {
        Ok(at) => Some(at),
        // Half of the world writes "for ever" so; the last hours of that year are beyond what a time can be here.
        Err(_) if local.year() == 9999 => Some(Timestamp::MAX),
        Err(_) => None,
    }
}

/// A fraction's digits, `0` where there is none, and what follows them.
fn fraction_of(text: &str) -> Option<(&str, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some(("0", text)) };
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// `Z`, or hours and minutes with a sign.
fn offset_of(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let two = |text: &str, most: i32| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number: &i32| is_number && *number <= most)
    };
    let seconds = two(hours, 23)? * 3600 + two(minutes, 59)? * 60;
    match sign {
        "+" => Offset::from_seconds(seconds).ok(),
        "-" => Offset::from_seconds(-seconds).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_grammar_has_is_read() {
        for (text, at) in [
            ("2026-01-15T14:30:00Z", "2026-01-15T14:30:00Z"),
            ("2026-01-15t14:30:00.000z", "2026-01-15T14:30:00Z"),
            ("2026-01-15T14:30:00.1234567891Z", "2026-01-15T14:30:00.123456789Z"),
            ("2026-01-15T14:30:00+01:30", "2026-01-15T13:00:00Z"),
            ("2026-01-15T14:30:00-23:59", "2026-01-16T14:29:00Z"),
            ("2026-01-15T14:30:00-00:00", "2026-01-15T14:30:00Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(text), Some(at.parse().unwrap()), "{text}");
        }
        for for_ever in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999Z", "9999-12-30T23:00:00-05:00"] {
            assert_eq!(read(for_ever), Some(Timestamp::MAX), "{for_ever}");
        }
    }

    #[test]
    fn what_merely_looks_like_it_is_not() {
        for text in [
            "",
            "Z",
            "yesterday",
            "2030-01-01",
            "2030-01-01T00:00:00",
            "2030-01-01T00:00Z",
            "2030-01-01 00:00:00Z",
            "2030-W01-1T00:00:00Z",
            "2030-1-1T00:00:00Z",
            "20300101T000000Z",
            "+002030-01-01T00:00:00Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00,5Z",
            "2030-01-01T00:00:00+0100",
            "2030-01-01T00:00:00+01",
            "2030-01-01T00:00:00+1:00",
            "2030-01-01T00:00:00+24:00",
            "2030-01-01T00:00:00+01:60",
            "2030-01-01T00:00:00+01:00:00",
            "2030-01-01T00:00:00+01:00[Europe/Paris]",
            "2030-01-01T00:00:00Z[UTC]",
            "2030-01-01T00:00:00ZZ",
            "2030-01-01T00:00:00Z ",
            " 2030-01-01T00:00:00Z",
            "2030-02-30T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T00:61:00Z",
            "2030-01-01T12:34:60Z",
            "2030-01-01T12:34:61Z",
            "2016-12-31T23:59:60Z",
            "9999-12-3garbage",
            "9999-12-31T23:59:59Z; x",
            "9999-12-32T23:59:59Z",
            "9999-12-31",
            "２０30-01-01T00:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
