//! What somebody notes about a thing of his for programs of his own: Postrider keeps it, shows it, and reads nothing into it.

use std::collections::BTreeMap;

use crate::invalid::Invalid;

/// Of one thing.
pub const MAX_ENTRIES: usize = 20;
/// Of an entry's name.
pub const MAX_KEY_CHARS: usize = 64;
/// Of an entry's text.
pub const MAX_VALUE_CHARS: usize = 512;
/// Of all names and texts together, in UTF-8.
pub const MAX_BYTES: usize = 4096;

/// Names with their texts.
pub type Metadata = BTreeMap<String, String>;

/// Takes a request's `metadata`.
///
/// # Errors
/// [`Invalid`] naming the entry, or `metadata` where it is too much in all.
pub fn check_metadata(metadata: &Metadata) -> Result<(), Invalid> {
    if metadata.len() > MAX_ENTRIES {
        return Err(Invalid::new("metadata", format!("at most {MAX_ENTRIES} entries")));
    }
    for (key, value) in metadata {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        let field = || format!("metadata.{key}");
        if key.is_empty() || key.len() > MAX_KEY_CHARS || !key.bytes().all(is_name) {
            let expected = format!("a name of 1 to {MAX_KEY_CHARS} letters, digits, `_`, `-` and `.`");
            return Err(Invalid::new(field(), expected));
        }
        if value.chars().count() > MAX_VALUE_CHARS || value.chars().any(char::is_control) {
            let expected = format!("a text of at most {MAX_VALUE_CHARS} characters, none of them a control character");
            return Err(Invalid::new(field(), expected));
        }
    }
    let bytes: usize = metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MAX_BYTES {
        return Err(Invalid::new("metadata", format!("at most {MAX_BYTES} bytes of names and texts together")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(entries: &[(&str, &str)]) -> Option<String> {
        let metadata = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        check_metadata(&metadata).err().map(|invalid| invalid.field)
    }

    #[test]
    fn names_are_plain_and_texts_are_anybodys() {
        assert_eq!(refused(&[]), None);
        assert_eq!(refused(&[("a.b-c_D9", ""), ("customer", "naïve ✓ 👍")]), None);
        assert_eq!(refused(&[(&"k".repeat(64), &"é".repeat(512))]), None);
        let long = "k".repeat(65);
        for key in ["", " ", "a b", "a:b", "é", "a\n", &long] {
            assert_eq!(refused(&[(key, "x")]), Some(Invalid::new(format!("metadata.{key}"), "").field), "{key:?}");
        }
        for value in ["a\nb", "\u{7f}", "\u{9b}", &"é".repeat(513)] {
            assert_eq!(refused(&[("key", value)]).as_deref(), Some("metadata.key"), "{value:?}");
        }
    }

    #[test]
    fn it_is_bounded_in_entries_and_in_bytes() {
        let many = |count: usize, chars: usize| -> BTreeMap<String, String> {
            (0..count).map(|n| (format!("{n:02}"), "é".repeat(chars))).collect()
        };
        assert!(check_metadata(&many(20, 1)).is_ok());
        assert_eq!(check_metadata(&many(21, 1)).unwrap_err().field, "metadata");
        // 4 times 2 and 1,022 bytes.
        assert!(check_metadata(&many(4, 511)).is_ok());
        let mut more = many(4, 511);
        more.insert("x".to_owned(), String::new());
        assert_eq!(check_metadata(&more).unwrap_err().field, "metadata");
    }
}
