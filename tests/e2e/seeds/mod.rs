//! The providers' own pages decide: their verification programs, taken from the pages and run unchanged, accept what we
//! send and nothing else.

mod netraflow;
mod nouvel;
mod nur;
mod requests;

use std::path::PathBuf;

use crate::support::stack::say;
use crate::support::verifier::root;

/// A provider's page, where the pages are kept; they are no part of the repository.
pub(crate) fn page(name: &str) -> Option<PathBuf> {
    let page = root().join("../shared/seeds").join(name);
    if page.exists() {
        return Some(page);
    }
    say(&format!("{name}: the page's own verification programs skipped: ../shared/seeds is not here"));
    None
}

/// The signature with another last digit.
fn other_than(signature: &str) -> String {
    let digit = if signature.ends_with('0') { '1' } else { '0' };
    format!("{}{digit}", &signature[..signature.len() - 1])
}
