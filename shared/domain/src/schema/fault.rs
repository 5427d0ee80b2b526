//! What is told of data, or of a schema, that is not as it should be.

use serde::Serialize;

use super::value::escaped;
use crate::invalid::excerpt;

/// Faults that are told at once.
pub const MAX_FAULTS: usize = 10;
/// Bytes of a place that are told: where it takes more, the nearest place around it is, since a part of a pointer leads nowhere.
pub const MAX_PATH_BYTES: usize = 256;
/// Bytes of a name in it, which is a stranger's to choose; one that has more is told as the place around it.
pub const MAX_NAME_BYTES: usize = 62;
/// Values of a list that are told, of an `enum` for instance.
pub(crate) const MAX_TOLD: usize = 5;

/// One thing that is amiss, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where: a JSON Pointer (RFC 6901) into what was judged; empty for all of it.
    pub path: String,
    /// What was expected there.
    pub message: String,
}

impl Fault {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// A step into a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<'a> {
    /// To what has this name.
    Name(&'a str),
    /// To this item.
    Item(usize),
}

/// The pointer of some steps, as far as it may be told.
pub(crate) fn pointer(steps: &[Step<'_>]) -> String {
    let mut pointer = String::new();
    for step in steps {
        let part = match step {
            Step::Name(name) if name.len() > MAX_NAME_BYTES => break,
            Step::Name(name) => escaped(name),
            Step::Item(at) => at.to_string(),
        };
        if pointer.len() + 1 + part.len() > MAX_PATH_BYTES {
            break;
        }
        pointer.push('/');
        pointer.push_str(&part);
    }
    pointer
}

/// As much of a list as is told.
pub(crate) fn listed<T: ToString>(all: &[T]) -> String {
    let told: Vec<_> = all.iter().take(MAX_TOLD).map(|one| format!("`{}`", excerpt(&one.to_string()))).collect();
    let rest = all.len().saturating_sub(MAX_TOLD);
    if rest == 0 { told.join(", ") } else { format!("{} and {rest} more", told.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_whole_or_as_the_nearest_around_it() {
        let (long, longer) = ("é".repeat(MAX_NAME_BYTES / 2), "x".repeat(MAX_NAME_BYTES + 1));
        assert_eq!(pointer(&[Step::Name("a/b"), Step::Item(3), Step::Name("")]), "/a~1b/3/");
        assert_eq!(pointer(&[]), "");
        assert_eq!(pointer(&[Step::Name(&long), Step::Name(&longer), Step::Item(1)]), format!("/{long}"));
        let many = vec![Step::Name(&long); 100];
        assert_eq!(pointer(&many), format!("/{long}").repeat(MAX_PATH_BYTES / (1 + MAX_NAME_BYTES)));
    }

    #[test]
    fn of_a_long_list_some_are_told() {
        assert_eq!(listed(&["a", "b"]), "`a`, `b`");
        let many: Vec<String> = (0..10_000).map(|n| format!("{n}{}", "x".repeat(100))).collect();
        assert!(listed(&many).ends_with("and 9995 more") && listed(&many).chars().count() < 400);
    }
}
