//! Numbers as JSON writes them, compared to the last digit: a double would call 0.1 + 0.2 no multiple of 0.1, and two of a ledger's
//! ids the same.

use std::borrow::Cow;
use std::cmp::Ordering;

/// Digits of what something must be a multiple of: a remainder times ten fits 128 bits.
pub const MAX_DIVISOR_DIGITS: usize = 18;
/// How far the point of such a number may be from its digits.
pub const MAX_DIVISOR_SHIFT: i64 = 400;
/// Beyond every number that a double holds, and far from where adding to it would overflow.
const FAR: i64 = 1 << 40;

/// A number by its text.
#[derive(Debug, Clone)]
pub(crate) struct Number<'a>(Cow<'a, str>);

/// 0.HEADTAIL times ten to the power of `point`, without a zero at either end; zero has no digits.
struct Decimal<'a> {
    is_negative: bool,
    head: &'a [u8],
    tail: &'a [u8],
    point: i64,
}

impl<'a> Number<'a> {
    /// The number that is written so in JSON.
    pub(crate) fn new(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The same that borrows nothing.
    pub(crate) fn into_owned(self) -> Number<'static> {
        Number(Cow::Owned(self.0.into_owned()))
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether it has no fraction, however it is written: `1.0` has none.
    pub(crate) fn is_whole(&self) -> bool {
        let decimal = self.decimal();
        decimal.is_zero() || decimal.len() <= decimal.point
    }

    /// Whether it is more than nothing.
    pub(crate) fn is_positive(&self) -> bool {
        let decimal = self.decimal();
        !decimal.is_zero() && !decimal.is_negative
    }

    /// It as a count of things, where it is one; what is more than 64 bits hold is as many as they hold.
    pub(crate) fn count(&self) -> Option<u64> {
        let decimal = self.decimal();
        if decimal.is_zero() {
            return Some(0);
        }
        if decimal.is_negative || !self.is_whole() {
            return None;
        }
        let zeros = std::iter::repeat_n(0, usize::try_from(decimal.point - decimal.len()).unwrap_or(usize::MAX));
        let digits = decimal.digits().map(u64::from).chain(zeros).take(20);
        let count = digits.fold(0_u64, |count, digit| count.saturating_mul(10).saturating_add(digit));
        Some(if decimal.point > 19 { u64::MAX } else { count })
    }

    /// Whether others can be held against it as its multiples.
    pub(crate) fn is_divisor(&self) -> bool {
        let decimal = self.decimal();
        self.is_positive()
            && decimal.len() <= i64::try_from(MAX_DIVISOR_DIGITS).unwrap_or(i64::MAX)
            && decimal.point.abs() <= MAX_DIVISOR_SHIFT
    }

    /// Whether it is so often some divisor, exactly.
    pub(crate) fn is_multiple_of(&self, divisor: &Number<'_>) -> bool {
        let (decimal, by) = (self.decimal(), divisor.decimal());
        let modulus = by.digits().fold(0_u128, |sum, digit| sum * 10 + u128::from(digit));
        if decimal.is_zero() || modulus == 0 {
            return decimal.is_zero();
        }
        // Neither ends with a zero, so with fewer places behind the point than this one has there is always something left.
        let shift = (decimal.point - decimal.len()) - (by.point - by.len());
        let Ok(shift) = usize::try_from(shift) else { return false };
        let zeros = std::iter::repeat_n(0, shift);
        let digits = decimal.digits().chain(zeros);
        digits.fold(0, |rest, digit| (rest * 10 + u128::from(digit)) % modulus) == 0
    }

    fn decimal(&self) -> Decimal<'_> {
        let text = self.0.as_bytes();
        let (is_negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            text => (false, text),
        };
        let split = |text: &'_ [u8], is: fn(&u8) -> bool| text.iter().position(is);
        let (mantissa, exponent) = match split(text, |byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])),
            None => (text, 0),
        };
        let (head, tail) = match split(mantissa, |byte| *byte == b'.') {
            Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
            None => (mantissa, &mantissa[..0]),
        };
        let mut point = exponent + i64::try_from(head.len()).unwrap_or(FAR);
        let (mut head, mut tail) = (head, tail);
        while let [b'0', rest @ ..] = head {
            (head, point) = (rest, point - 1);
        }
        if head.is_empty() {
            while let [b'0', rest @ ..] = tail {
                (tail, point) = (rest, point - 1);
            }
        }
        while let [rest @ .., b'0'] = tail {
            tail = rest;
        }
        if tail.is_empty() {
            while let [rest @ .., b'0'] = head {
                head = rest;
            }
        }
        Decimal { is_negative, head, tail, point }
    }
}

/// What stands behind the `e`.
fn exponent(text: &[u8]) -> i64 {
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        digits => (false, digits),
    };
    let size = digits.iter().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(FAR));
    if is_negative { -size } else { size }
}

impl Decimal<'_> {
    fn is_zero(&self) -> bool {
        self.head.is_empty() && self.tail.is_empty()
    }

    fn len(&self) -> i64 {
        i64::try_from(self.head.len() + self.tail.len()).unwrap_or(FAR)
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.head.iter().chain(self.tail).map(|digit| digit - b'0')
    }

    fn sign(&self) -> i8 {
        match (self.is_zero(), self.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.decimal(), other.decimal());
        let by_size = || one.point.cmp(&two.point).then_with(|| one.digits().cmp(two.digits()));
        one.sign().cmp(&two.sign()).then_with(|| match one.sign() {
            0 => Ordering::Equal,
            -1 => by_size().reverse(),
            _ => by_size(),
        })
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn n(text: &str) -> Number<'_> {
        Number::new(text)
    }

    #[test]
    fn numbers_are_ordered_by_what_they_mean() {
        let ordered =
            ["-1e300", "-12.5", "-12.05", "-0.1", "0", "1e-400", "0.09", "0.1", "1", "1.5", "12", "1e2", "1e308"];
        for (at, one) in ordered.iter().enumerate() {
            for (by, other) in ordered.iter().enumerate() {
                assert_eq!(n(one).cmp(&n(other)), at.cmp(&by), "{one} {other}");
            }
        }
    }

    #[test]
    fn one_number_has_many_spellings() {
        for same in [
            &["0", "-0", "0.0", "0e9", "-0.00E-7", "0e99999999999999999999"][..],
            &["1", "1.0", "1e0", "0.1e1", "10e-1"],
        ] {
            for one in same {
                assert_eq!(n(one), n(same[0]), "{one}");
            }
        }
        assert_ne!(n("9007199254740993"), n("9007199254740992"), "a double takes them for the same");
        assert_ne!(n("1e-999999999999999999999"), n("0"));
    }

    #[test]
    fn what_is_whole_can_be_a_count() {
        for (text, count) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("70e-1", Some(7)),
            ("1e3", Some(1000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("1e30", Some(u64::MAX)),
            ("1e308", Some(u64::MAX)),
            ("-1", None),
            ("0.5", None),
        ] {
            assert_eq!((n(text).count(), n(text).is_whole() && text != "-1"), (count, count.is_some()), "{text}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (text, by) in [
            ("0.3", "0.1"),
            ("19.99", "0.01"),
            ("1e308", "0.5"),
            ("9007199254740993", "3"),
            ("0", "7"),
            ("-4.5", "1.5"),
            ("1e2", "50"),
            ("123456789012345678901234567890", "10"),
        ] {
            assert!(n(text).is_multiple_of(&n(by)), "{text} {by}");
        }
        for (text, by) in
            [("0.35", "0.1"), ("19.995", "0.01"), ("9007199254740993", "2"), ("1e-400", "0.1"), ("1", "3"), ("5", "10")]
        {
            assert!(!n(text).is_multiple_of(&n(by)), "{text} {by}");
        }
        for (text, is) in [
            ("0.01", true),
            ("0", false),
            ("-1", false),
            ("1e399", true),
            ("1e400", false),
            ("1234567890123456789", false),
        ] {
            assert_eq!(n(text).is_divisor(), is, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_agree_with_whole_ones(one in -1_000_000_i64..1_000_000, other in -1_000_000_i64..1_000_000, places in 0_u32..6) {
            let spelled = |number: i64| format!("{number}e-{places}");
            let (one_text, other_text) = (spelled(one), spelled(other));
            prop_assert_eq!(n(&one_text).cmp(&n(&other_text)), one.cmp(&other));
            if other > 0 {
                prop_assert_eq!(n(&one_text).is_multiple_of(&n(&other_text)), one % other == 0);
            }
        }
    }
}
