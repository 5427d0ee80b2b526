//! What a page says that cannot show what was asked for.

use super::With;

/// A title, and what it means for the reader.
pub(crate) type Told = (&'static str, &'static str);

/// See above.
#[derive(Debug)]
pub(crate) struct Troubles {
    pub(crate) ended: Told,
    pub(crate) forbidden: Told,
    pub(crate) not_found: Told,
    pub(crate) no_page: Told,
    pub(crate) no_method: Told,
    pub(crate) forged: Told,
    pub(crate) refused: Told,
    pub(crate) too_long: Told,
    pub(crate) busy: Told,
    pub(crate) failed: Told,
    /// Above a form that keeps what was typed.
    pub(crate) kept_busy: &'static str,
    /// With the request's id.
    pub(crate) kept_failed: With,
    /// Where no form can keep it.
    pub(crate) typed: &'static str,
    pub(crate) typed_means: &'static str,
    /// Before what the API says.
    pub(crate) reason: &'static str,
    /// Before the request's id.
    pub(crate) reference: &'static str,
    pub(crate) to_start: &'static str,
}
