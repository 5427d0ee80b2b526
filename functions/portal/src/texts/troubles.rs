//! What a page says that cannot show what was asked for.

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
    /// Before what the API says.
    pub(crate) reason: &'static str,
    /// Before the request's id.
    pub(crate) reference: &'static str,
    pub(crate) to_start: &'static str,
}
