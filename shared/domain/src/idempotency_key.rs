//! What a producer or a customer calls a request of his own, so that it can come again and count once.

use crate::invalid::Invalid;

/// Of a key.
pub const MAX_CHARS: usize = 256;

/// Takes a key from `field`: the header, or an event's `id`.
///
/// # Errors
/// [`Invalid`] for a text that is empty, too long, or holds what no log shows.
pub fn check(field: &str, key: &str) -> Result<(), Invalid> {
    if (1..=MAX_CHARS).contains(&key.chars().count()) && !key.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("1 to {MAX_CHARS} characters, none of them a control character")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_some_text_that_is_not_too_long() {
        for good in ["a", " ", "invoice 7", "\u{e9}", &"\u{e9}".repeat(MAX_CHARS)] {
            assert_eq!(check("id", good), Ok(()), "{good}");
        }
        for bad in ["", "a\nb", "\u{0}", "\u{85}", &"a".repeat(MAX_CHARS + 1)] {
            assert_eq!(check("id", bad).unwrap_err().field, "id", "{bad:?}");
        }
    }
}
