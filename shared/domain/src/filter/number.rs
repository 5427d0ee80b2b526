//! Numbers as JSON has them: 300, 300.0 and 3.0e2 are one.

use std::cmp::Ordering;
use std::fmt;

/// A whole number of 64 bits, exactly, or any other one as a double.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Whole(i64),
    /// Beyond what `Whole` holds.
    Large(u64),
    Double(f64),
}

/// Up to here a double has every whole number.
const EXACT: u64 = 1 << 53;
/// From here on a double is beyond all whole numbers that there are here.
const BEYOND: f64 = 36_893_488_147_419_103_232.0;

#[expect(clippy::cast_precision_loss, reason = "only what a double has is made one")]
impl Number {
    pub(super) fn of(number: &serde_json::Number) -> Self {
        match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Self::Whole(whole),
            (None, Some(large)) => Self::Large(large),
            // One that is none of them does not come without a feature that is off.
            (None, None) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    fn whole(self) -> Result<i128, f64> {
        match self {
            Self::Whole(whole) => Ok(whole.into()),
            Self::Large(large) => Ok(large.into()),
            Self::Double(double) => Err(double),
        }
    }

    /// Which is the larger.
    #[inline]
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (Self::Double(one), Self::Double(other)) => one.partial_cmp(&other),
            // A double has each of them.
            (Self::Whole(one), Self::Double(other)) if one.unsigned_abs() <= EXACT => (one as f64).partial_cmp(&other),
            (Self::Double(one), Self::Whole(other)) if other.unsigned_abs() <= EXACT => {
                one.partial_cmp(&(other as f64))
            }
            _ => self.compare_exactly(other),
        }
    }

    fn compare_exactly(self, other: Self) -> Option<Ordering> {
        match (self.whole(), other.whole()) {
            (Ok(one), Ok(other)) => Some(one.cmp(&other)),
            (Err(one), Err(other)) => one.partial_cmp(&other),
            (Ok(one), Err(other)) => whole_with_double(one, other),
            (Err(one), Ok(other)) => whole_with_double(other, one).map(Ordering::reverse),
        }
    }

    pub(super) fn is(self, other: Self) -> bool {
        self.compare(other) == Some(Ordering::Equal)
    }
}

fn whole_with_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double.abs() >= BEYOND {
        return Some(if double > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let floor = double.floor();
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and smaller than 2 to the 65")]
    let below = floor as i128;
    Some(whole.cmp(&below).then(if double > floor { Ordering::Less } else { Ordering::Equal }))
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(whole) => whole.fmt(f),
            Self::Large(large) => large.fmt(f),
            // As JSON writes it: all digits of 1e300 are nothing to read.
            Self::Double(double) => match serde_json::Number::from_f64(*double) {
                Some(number) => number.fmt(f),
                None => f.write_str("a number"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_compare_by_value_however_they_are_written() {
        let ascending = [
            "-1e300",
            "-9223372036854775809",
            "-9223372036854775808",
            "-1.5",
            "-1",
            "0",
            "0.1",
            "300",
            "300.5",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "1e300",
        ];
        // A double has no 9223372036854775809: it is the next one that there is.
        let is_same = |one: usize, other: usize| (one.min(other), one.max(other)) == (1, 2);
        for (one, low) in ascending.iter().enumerate() {
            for (other, high) in ascending.iter().enumerate() {
                let expected = if is_same(one, other) { Ordering::Equal } else { one.cmp(&other) };
                assert_eq!(number(low).compare(number(high)), Some(expected), "{low} {high}");
            }
        }
        for (one, other) in [
            ("300", "3.0e2"),
            ("300.0", "300"),
            ("0", "-0.0"),
            ("-0", "0"),
            ("1e2", "100.000"),
            ("9226229.59", "9226229.59000000000000000000"),
            ("123456789012345678900", "1.234567890123456789e20"),
            ("1.5e-30", "1.50e-30"),
        ] {
            assert!(number(one).is(number(other)), "{one} {other}");
        }
        assert!(!number("9007199254740993").is(number("9007199254740992.0")));
    }
}
