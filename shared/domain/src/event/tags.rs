//! Tags: a producer's words about an event, which filters see and receivers do not.

use std::collections::BTreeMap;

use crate::invalid::Invalid;

/// Of one event.
pub const MAX_TAGS: usize = 8;
/// Of a tag's name, in characters, each of which is a byte.
pub const MAX_TAG_NAME_CHARS: usize = 64;
/// Of a tag's value, in characters, of up to four bytes each.
pub const MAX_TAG_CHARS: usize = 256;

/// Takes an event's tags.
///
/// # Errors
/// [`Invalid`] naming the tag.
pub fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), Invalid> {
    if tags.len() > MAX_TAGS {
        return Err(Invalid::new("tags", format!("at most {MAX_TAGS} tags")));
    }
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    for (name, value) in tags {
        let field = format!("tags.{name}");
        if name.is_empty() || name.len() > MAX_TAG_NAME_CHARS || !name.bytes().all(is_of_a_name) {
            let expected = format!("a tag's name of 1 to {MAX_TAG_NAME_CHARS} letters, digits, `_`, `.`, `:` or `-`");
            return Err(Invalid::new(field, expected));
        }
        if value.chars().count() > MAX_TAG_CHARS || value.chars().any(char::is_control) {
            return Err(Invalid::new(field, format!("at most {MAX_TAG_CHARS} characters, none a control character")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(tags: &[(&str, &str)]) -> Result<(), String> {
        let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check_tags(&tags).map_err(|invalid| invalid.field)
    }

    #[test]
    fn tags_are_few_and_short() {
        let names: Vec<String> = (0..9).map(|n| format!("n{n}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
        assert_eq!((verdict(&many[..8]), verdict(&many)), (Ok(()), Err("tags".to_owned())));
        let longest = "n".repeat(64);
        assert_eq!(verdict(&[(&longest, &"🙂".repeat(256)), ("team:a.b-c_d", ""), ("a", "two words")]), Ok(()));
        for (name, value) in [
            ("", "v"),
            ("a b", "v"),
            ("é", "v"),
            (&*"n".repeat(65), "v"),
            ("a", "\n"),
            ("a", "\0"),
            ("a", &"v".repeat(257)),
        ] {
            assert!(verdict(&[(name, value)]).is_err_and(|field| field.starts_with("tags.")), "{name} {value}");
        }
    }
}
