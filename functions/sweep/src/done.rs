//! What a part of a sweep did, and what failed meanwhile: it goes on past a failure, and tells of it at the end.

use postrider_aws::Failure;

/// What was done, and the first failure, if there was one.
pub(crate) struct Swept<T> {
    pub(crate) done: T,
    pub(crate) failure: Option<Failure>,
}

/// Failures of a part: the first stands for all, the others are in the log.
#[derive(Default)]
pub(crate) struct Failures(Option<Failure>);

impl Failures {
    pub(crate) fn add(&mut self, error: Failure) {
        self.0.get_or_insert(error);
    }

    pub(crate) fn beside<T>(self, done: T) -> Swept<T> {
        Swept { done, failure: self.0 }
    }
}
