//! What the attempts of a batch have said already.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// What was noted already: ten attempts at one endpoint have one thing to say about it, and each write that says it again
/// is paid for.
pub(crate) struct Noted<T>(Mutex<HashSet<T>>);

impl<T> Default for Noted<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> Noted<T> {
    /// Whether somebody in this batch has noted it.
    pub(crate) fn has(&self, what: &T) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(what)
    }

    /// Whether nobody in this batch has noted it. Should the write then fail, the endpoint's next batch says it again.
    pub(crate) fn is_new(&self, what: T) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what)
    }
}
