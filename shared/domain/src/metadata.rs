//! What a provider keeps beside a thing of ours, for itself: names with texts. Nothing here reads them.

use std::collections::BTreeMap;

use crate::invalid::Invalid;

/// Names at the most.
pub const MAX_ENTRIES: usize = 20;
/// Of a name.
pub const MAX_NAME_CHARS: usize = 40;
/// Of a text.
pub const MAX_VALUE_CHARS: usize = 256;
/// Of all names and texts together, as UTF-8. They lie in rows that every batch of attempts reads: beyond four kibibytes such a row
/// would cost a unit more each time.
pub const MAX_BYTES: usize = 2048;

/// Names and their texts.
pub type Metadata = BTreeMap<String, String>;

/// Takes a request's `metadata`.
///
/// # Errors
/// [`Invalid`] where there is too much of it; of one entry it names the entry.
pub fn check(metadata: &Metadata) -> Result<(), Invalid> {
    if metadata.len() > MAX_ENTRIES {
        return Err(Invalid::new("metadata", format!("at most {MAX_ENTRIES} names")));
    }
    for (name, value) in metadata {
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            return Err(Invalid::new("metadata", format!("names of 1 to {MAX_NAME_CHARS} characters")));
        }
        if value.chars().count() > MAX_VALUE_CHARS {
            return Err(Invalid::new(format!("metadata.{name}"), format!("at most {MAX_VALUE_CHARS} characters")));
        }
    }
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_BYTES {
        return Err(Invalid::new("metadata", format!("at most {MAX_BYTES} bytes of names and texts")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: usize, name: usize, value: usize) -> Metadata {
        (0..entries).map(|n| (format!("{n:0>name$}"), "é".repeat(value))).collect()
    }

    #[test]
    fn it_is_bounded_by_names_by_texts_and_as_a_whole() {
        for good in [of(0, 1, 0), of(MAX_ENTRIES, MAX_NAME_CHARS, 20), of(3, 1, MAX_VALUE_CHARS)] {
            assert_eq!(check(&good), Ok(()));
        }
        let field = |metadata: &Metadata| check(metadata).unwrap_err().field;
        assert_eq!(field(&of(MAX_ENTRIES + 1, 2, 1)), "metadata");
        assert_eq!(field(&of(1, MAX_NAME_CHARS + 1, 1)), "metadata");
        assert_eq!(field(&[(String::new(), "a".to_owned())].into()), "metadata");
        assert_eq!(field(&of(1, 1, MAX_VALUE_CHARS + 1)), "metadata.0");
        assert_eq!(field(&of(4, 1, MAX_VALUE_CHARS)), "metadata", "{MAX_BYTES} bytes in all");
    }
}
