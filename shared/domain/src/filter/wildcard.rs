//! Wildcards: `*` stands for any characters, none included.

/// Bytes of a text in which a part is looked for place by place: to prepare a better search would take longer.
const SHORT: usize = 32;

/// One, taken apart at its stars.
#[derive(Debug)]
pub(super) struct Wildcard {
    first: String,
    /// What follows each star, the last one included. None without a star.
    rest: Vec<String>,
}

impl Wildcard {
    /// Takes it apart. A backslash goes before a star or a backslash that is meant as it stands.
    ///
    /// # Errors
    /// What it may not be, to be read after the word "expected".
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => return Err("no two `*` in a row"),
                '*' => parts.push(String::new()),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => add(&mut parts, escaped),
                    _ => return Err(r"a backslash only as `\*` or `\\`"),
                },
                other => add(&mut parts, other),
            }
        }
        let first = parts.remove(0);
        Ok(Self { first, rest: parts })
    }

    /// Whether a text is as it says. It goes through the text once, whatever it is: each part is looked for behind the one before,
    /// and the first place is as good as any later one.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((last, between)) = self.rest.split_last() else { return text == self.first };
        // The ends first: they are looked at in no time, and mostly settle it.
        let within = text.strip_prefix(self.first.as_str()).and_then(|left| left.strip_suffix(last.as_str()));
        let Some(mut left) = within else { return false };
        between.iter().all(|part| {
            let behind = behind_first(left, part);
            left = behind.unwrap_or_default();
            behind.is_some()
        })
    }
}

/// What follows the first place where a part stands, if there is one. No part between two stars is empty.
fn behind_first<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    if text.len() > SHORT {
        // In a time that grows with the text alone, whatever the part.
        return text.split_once(part).map(|(_, behind)| behind);
    }
    let (bytes, wanted) = (text.as_bytes(), part.as_bytes());
    let (first, others) = wanted.split_first()?;
    let last = bytes.len().checked_sub(wanted.len())?;
    let is_there = |at: &usize| bytes[*at] == *first && bytes[at + 1..at + wanted.len()] == *others;
    let at = (0..=last).find(is_there)?;
    // A part is whole characters, so it is found at no character's middle.
    text.get(at + wanted.len()..)
}

fn add(parts: &mut [String], character: char) {
    if let Some(last) = parts.last_mut() {
        last.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(wildcard: &str, text: &str) -> bool {
        Wildcard::parse(wildcard).unwrap().matches(text)
    }

    #[test]
    fn a_star_stands_for_any_characters_and_an_escaped_one_for_itself() {
        for (wildcard, text) in [
            ("*", ""),
            ("*", "anything"),
            ("", ""),
            ("dir/*.png", "dir/a/b.png"),
            ("a*a", "aa"),
            ("*ab*", "ab"),
            (r"5\*", "5*"),
            (r"a\\*", r"a\b"),
            ("é*ü", "éü"),
        ] {
            assert!(matches(wildcard, text), "{wildcard} {text}");
        }
        for (wildcard, text) in [("a*a", "a"), ("", "x"), ("a*", "ba"), ("*a*b", "ba"), (r"\*", "x"), ("a*b*c", "acb")]
        {
            assert!(!matches(wildcard, text), "{wildcard} {text}");
        }
        for bad in ["**", "a**b", r"a\b", r"a\"] {
            assert!(Wildcard::parse(bad).is_err(), "{bad}");
        }
        assert!(Wildcard::parse(r"\**").is_ok());
    }

    /// By the definition: a star takes nothing, or a character and stays.
    fn by_definition(wildcard: &[char], text: &[char]) -> bool {
        match (wildcard.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => by_definition(rest, text),
            (Some(('*', rest)), Some((_, behind))) => by_definition(rest, text) || by_definition(wildcard, behind),
            (Some((wanted, rest)), Some((found, behind))) => wanted == found && by_definition(rest, behind),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_matches_what_it_does_by_its_definition(wildcard in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assume!(!wildcard.contains("**"));
            let (by_hand, as_characters): (Vec<char>, Vec<char>) = (wildcard.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&wildcard, &text), by_definition(&by_hand, &as_characters));
        }
    }
}
