//! What event types may be called.

use super::{EVERY, EventPattern, EventType, MAX_TYPE_CHARS};
use crate::invalid::Invalid;

/// What an operator's own dialect may have in its types' names beside what every name may have. Left out are blanks, the star of
/// patterns, what separates the parts of a key, and what quotes or marks text up.
pub const FURTHER_CHARACTERS: &str = "!$%()+,/;=?@[]^{|}~";

/// The names that event types may have: segments joined by dots, of letters, digits, `_`, `-`, `:` and perhaps further characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeNames {
    further: &'static str,
}

impl TypeNames {
    /// Those of every dialect.
    pub const COMMON: Self = Self { further: "" };
    /// Every name that any dialect may ever have had: what rows are read by.
    const KEPT: Self = Self { further: FURTHER_CHARACTERS };

    /// Those that may also hold these characters.
    ///
    /// # Errors
    /// [`Invalid`] for `field`, where one of them is none of [`FURTHER_CHARACTERS`].
    pub fn with(field: &str, further: &'static str) -> Result<Self, Invalid> {
        match further.chars().find(|c| !FURTHER_CHARACTERS.contains(*c)) {
            None => Ok(Self { further }),
            Some(_) => Err(Invalid::new(field, format!("some of the characters {FURTHER_CHARACTERS}"))),
        }
    }

    /// Whether a type may be called so.
    pub fn has(self, text: &str) -> bool {
        let is_one = |byte: u8| {
            byte.is_ascii_alphanumeric() || b"_-:".contains(&byte) || self.further.as_bytes().contains(&byte)
        };
        let segment = |part: &str| !part.is_empty() && part.bytes().all(is_one);
        text.len() <= MAX_TYPE_CHARS && text.split('.').all(segment)
    }

    /// Whether a pattern of such names can look so.
    pub fn has_pattern(self, text: &str) -> bool {
        text == EVERY || self.has(text.strip_suffix(".*").unwrap_or(text))
    }

    /// Takes a type's name.
    ///
    /// # Errors
    /// [`Invalid`] where it is none of these.
    pub fn read(self, text: &str) -> Result<EventType, Invalid> {
        if self.has(text) {
            return Ok(EventType(text.to_owned()));
        }
        Err(Invalid::new("event", format!("an event type such as `invoice.paid`: {}", self.letters())))
    }

    /// What the names are made of, in words for an error.
    pub fn letters(self) -> String {
        let letters = "letters, digits, `_`, `-`";
        match self.further {
            "" => format!("{letters} and `:`, separated by dots"),
            further => format!("{letters}, `:` and {further}, separated by dots"),
        }
    }
}

impl EventType {
    /// A type as something that is kept names it. Its dialect may have left the deployment since then, and what was taken under it
    /// stays readable.
    ///
    /// # Errors
    /// [`Invalid`] for what no dialect can ever have had.
    pub fn kept(text: &str) -> Result<Self, Invalid> {
        TypeNames::KEPT.read(text)
    }
}

impl EventPattern {
    /// A pattern as something that is kept has it, as [`EventType::kept`].
    ///
    /// # Errors
    /// [`Invalid`] for what no webhook can ever have asked for.
    pub fn kept(text: &str) -> Result<Self, Invalid> {
        if TypeNames::KEPT.has_pattern(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new("events", "event types such as `invoice.paid`, `prefix.*` or `*`"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_well_known_providers_are_taken_as_they_have_them() {
        for name in [
            "customer.subscription.updated",
            "pull_request",
            "app_mention",
            "onMessageAdded",
            "PAYMENT.SALE.COMPLETED",
            "envelope-sent",
            "jira:issue_updated",
            "zen:event-type:ticket.status_changed",
            "s3:ObjectCreated:Put",
            "com.github.pull_request.opened",
            "-",
            "a:b.c-d",
        ] {
            assert!(TypeNames::COMMON.has(name), "{name}");
        }
        let slashed = TypeNames::with("", "/").unwrap();
        for name in ["orders/create", "customers/data_request", "store/cart/lineItem/*"] {
            assert_eq!((TypeNames::COMMON.has(name), slashed.has(name)), (false, !name.contains('*')), "{name}");
        }
        assert!(slashed.has_pattern("*") && slashed.has_pattern("shop/orders.*"));
        for no_pattern in ["orders/*", "*/create", "orders*", "**", "*.*", ".*"] {
            assert!(!slashed.has_pattern(no_pattern), "{no_pattern}");
        }
    }

    #[test]
    fn no_dialect_has_what_would_part_a_key_end_a_pattern_or_quote() {
        for bad in ['*', '#', ' ', '"', '\'', '`', '\\', '<', '>', '&', '\n', '\0', '\u{7f}', 'é', 'a', '_', '.'] {
            let further: &'static str = Box::leak(format!("/{bad}").into_boxed_str());
            assert_eq!(TypeNames::with("here", further).unwrap_err().field, "here", "{bad:?}");
        }
        assert!(TypeNames::with("", FURTHER_CHARACTERS).is_ok());
    }

    #[test]
    fn an_error_names_all_that_may_be_there() {
        let told = |names: TypeNames| names.read("a b").unwrap_err().expected;
        assert!(told(TypeNames::COMMON).ends_with("letters, digits, `_`, `-` and `:`, separated by dots"));
        let own = TypeNames::with("", "/+").unwrap();
        assert!(told(own).ends_with("letters, digits, `_`, `-`, `:` and /+, separated by dots"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever a door has taken is read again, by itself and among patterns, without any dialect.
        #[test]
        fn what_was_taken_is_readable_for_ever(name in "[ -~]{0,10}|[a-z/.:-]{1,9}|[a-z]{120,130}", further in "[!$%/+~]{0,3}") {
            let names = TypeNames::with("", Box::leak(further.into_boxed_str())).unwrap();
            let Ok(taken) = names.read(&name) else { return Ok(()) };
            prop_assert!(name.len() <= MAX_TYPE_CHARS && name.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(!name.contains(['*', '#', '"', '\'', '`', '\\', '<', '>', '&']));
            let row = serde_json::to_string(&taken).unwrap();
            prop_assert_eq!(&serde_json::from_str::<EventType>(&row).unwrap(), &taken);
            for pattern in taken.patterns() {
                prop_assert!(names.has_pattern(pattern.as_str()));
                let row = serde_json::to_string(&pattern).unwrap();
                prop_assert_eq!(&serde_json::from_str::<EventPattern>(&row).unwrap(), &pattern);
            }
        }
    }
}
