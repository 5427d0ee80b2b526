//! What a page's handler answers.

use maud::Markup;

use crate::form::Errors;
use crate::trouble::Trouble;

/// What is shown.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A page.
    Page(Box<Page>),
    /// What was asked for is done: the reader is sent on, to a path below the portal's own.
    See { path: String, left: Left },
    /// A picture, which a page shows.
    Picture(Markup),
    /// A part of a page, which the script puts in its place.
    Part(Markup),
    /// A file that never changes under its name.
    File { content_type: &'static str, text: String },
}

/// A page, without what stands around all of them.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) main: Markup,
    pub(crate) left: Left,
}

/// What is left of an answer beside what is seen of it.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// In the browser, as `Set-Cookie` has it.
    pub(crate) cookies: Vec<String>,
    /// In the log: what went wrong, where the answer is more than a page that says so.
    pub(crate) trouble: Option<Trouble>,
}

impl Shown {
    /// A page with a title.
    pub(crate) fn page(title: impl Into<String>, main: Markup) -> Self {
        Self::Page(Box::new(Page { status: 200, title: title.into(), main, left: Left::default() }))
    }

    /// The way to where what was asked for is to be seen.
    pub(crate) fn see(path: impl Into<String>) -> Self {
        Self::See { path: path.into(), left: Left::default() }
    }

    /// The same with another status, where it is a page.
    pub(crate) fn with_status(mut self, new: u16) -> Self {
        if let Self::Page(page) = &mut self {
            page.status = new;
        }
        self
    }

    /// A form with what is wrong with it, if anything is: with this status where it is what was typed, or else with that of what went wrong.
    pub(crate) fn with_errors(self, errors: &Errors, status: u16) -> Self {
        match errors.trouble() {
            _ if errors.is_empty() => self,
            None => self.with_status(status),
            Some(trouble) => self.with_status(trouble.status()).with_trouble(trouble.clone()),
        }
    }

    /// The same with cookies, where it can leave any.
    pub(crate) fn with_cookies(mut self, new: impl IntoIterator<Item = String>) -> Self {
        if let Some(left) = self.left() {
            left.cookies.extend(new);
        }
        self
    }

    /// The same, where something went wrong all the same.
    pub(crate) fn with_trouble(mut self, trouble: Trouble) -> Self {
        if let Some(left) = self.left() {
            left.trouble = Some(trouble);
        }
        self
    }

    fn left(&mut self) -> Option<&mut Left> {
        match self {
            Self::Page(page) => Some(&mut page.left),
            Self::See { left, .. } => Some(left),
            Self::Picture(_) | Self::Part(_) | Self::File { .. } => None,
        }
    }

    /// What went wrong all the same.
    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        match self {
            Self::Page(page) => page.left.trouble.as_ref(),
            Self::See { left, .. } => left.trouble.as_ref(),
            Self::Picture(_) | Self::Part(_) | Self::File { .. } => None,
        }
    }
}
