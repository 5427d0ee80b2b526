//! Letters whatever their case.

use std::cell::OnceCell;

/// A character in lower case by way of upper case, so that the two small sigmas are one, and `ß` is `ss`.
fn fold_char(c: char) -> impl DoubleEndedIterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// A text whatever its case, character by character.
fn folded(text: &str) -> impl DoubleEndedIterator<Item = char> {
    text.chars().flat_map(fold_char)
}

/// What texts are compared with whatever their case.
#[derive(Debug)]
pub(super) struct Folded(Box<[char]>);

impl Folded {
    pub(super) fn of(text: &str) -> Self {
        Self(folded(text).collect())
    }

    /// How many characters it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A text that many are compared with: it is folded once, and no further than they are long.
pub(super) struct Folding<'t> {
    text: &'t str,
    most: usize,
    head: OnceCell<Vec<char>>,
    /// Backwards.
    tail: OnceCell<Vec<char>>,
}

impl<'t> Folding<'t> {
    /// For comparisons with what has at most so many characters.
    pub(super) fn new(text: &'t str, most: usize) -> Self {
        Self { text, most, head: OnceCell::new(), tail: OnceCell::new() }
    }

    /// The beginning, and one character more than is asked for, where there is one.
    fn head(&self) -> &[char] {
        self.head.get_or_init(|| folded(self.text).take(self.most + 1).collect())
    }

    fn tail(&self) -> &[char] {
        self.tail.get_or_init(|| folded(self.text).rev().take(self.most).collect())
    }

    pub(super) fn is(&self, wanted: &Folded) -> bool {
        self.head() == &*wanted.0
    }

    pub(super) fn begins_with(&self, wanted: &Folded) -> bool {
        self.head().starts_with(&wanted.0)
    }

    pub(super) fn ends_with(&self, wanted: &Folded) -> bool {
        self.tail().len() >= wanted.len()
            && self.tail().iter().zip(wanted.0.iter().rev()).all(|(one, other)| one == other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_no_difference_wherever_a_text_is_compared() {
        let long = "x".repeat(300);
        for (text, wanted, equal, begins, ends) in [
            ("Straße", "STRASSE", true, true, true),
            ("ΣΊΣΥΦΟς", "σίσυφοσ", true, true, true),
            ("ABC", "ab", false, true, false),
            ("ABC", "bc", false, false, true),
            ("ab", "abc", false, false, false),
            ("", "", true, true, true),
            ("a", "", false, true, true),
            (long.as_str(), "X", false, true, true),
        ] {
            let (folding, wanted) = (Folding::new(text, 20), Folded::of(wanted));
            let found = (folding.is(&wanted), folding.begins_with(&wanted), folding.ends_with(&wanted));
            assert_eq!(found, (equal, begins, ends), "{text} {wanted:?}");
        }
    }
}
