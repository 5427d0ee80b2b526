//! The accent colour, and what is legible with it: black or white on it, and it as a text on a page, by WCAG 2.2's contrast.

use std::fmt;

/// What text needs against what is behind it (WCAG 2.2, 1.4.3).
const ENOUGH: f64 = 4.5;
/// In as many steps a colour is moved to black or white, until it is legible.
const STEPS: u8 = 25;

const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([255; 3]);

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour(pub(crate) [u8; 3]);

impl Colour {
    /// Reads `#1d5f8a`, with or without its `#`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        let mut parts = [0; 3];
        hex::decode_to_slice(digits, &mut parts).ok()?;
        Some(Self(parts))
    }

    /// Black or white: what stands out more on it. One of them always does enough.
    pub(crate) fn text_on(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// This colour, or one as near as may be that is legible on a page of that colour.
    pub(crate) fn legible_on(self, page: Self) -> Self {
        let towards = page.text_on();
        let mut mixed = (0..=STEPS).map(|steps| self.mixed(towards, f64::from(steps) / f64::from(STEPS)));
        mixed.find(|colour| colour.contrast(page) >= ENOUGH).unwrap_or(towards)
    }

    fn mixed(self, other: Self, part: f64) -> Self {
        let mut mixed = self.0;
        for (own, other) in mixed.iter_mut().zip(other.0) {
            let value = f64::from(*own) + (f64::from(other) - f64::from(*own)) * part;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two colours' values")]
            let value = value.round() as u8;
            *own = value;
        }
        Self(mixed)
    }

    /// From 1, the same, to 21, black and white.
    pub(crate) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// Its six digits.
impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Colour> {
        let steps = || (0..=255).step_by(17);
        steps().flat_map(move |r| steps().flat_map(move |g| steps().map(move |b| Colour([r, g, b]))))
    }

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!(Colour::read("#1d5f8a"), Some(Colour([0x1d, 0x5f, 0x8a])));
        assert_eq!(Colour::read("1D5F8A").unwrap().to_string(), "1d5f8a");
        for slip in ["", "#", "#fff", "#1d5f8a00", "red", "#1d5f8g", "##1d5f8", "#1d5f8a;}", "é5f8a"] {
            assert_eq!(Colour::read(slip), None, "{slip}");
        }
    }

    #[test]
    fn contrast_is_as_wcag_has_it() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9 && (WHITE.contrast(WHITE) - 1.0).abs() < 1e-9);
        // The grey that is just legible on white.
        assert!(Colour([0x76; 3]).contrast(WHITE) >= ENOUGH && Colour([0x77; 3]).contrast(WHITE) < ENOUGH);
    }

    #[test]
    fn what_stands_on_any_accent_is_legible() {
        for colour in all() {
            assert!(colour.contrast(colour.text_on()) >= ENOUGH, "{colour}");
        }
    }

    #[test]
    fn any_accent_is_legible_on_a_light_page_and_on_a_dark_one() {
        for page in [WHITE, Colour([0x0f, 0x14, 0x1a])] {
            for colour in all() {
                assert!(colour.legible_on(page).contrast(page) >= ENOUGH, "{colour}");
            }
        }
    }

    #[test]
    fn an_accent_that_is_legible_stays_as_it_is() {
        let blue = Colour([0x1d, 0x5f, 0x8a]);
        assert_eq!(blue.legible_on(WHITE), blue);
        assert_eq!(blue.text_on(), WHITE);
        assert_eq!(Colour([0xff, 0xd4, 0x00]).text_on(), BLACK);
    }
}
