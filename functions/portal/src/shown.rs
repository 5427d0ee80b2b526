//! What a page's handler answers.

use maud::Markup;

/// What is shown.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A page.
    Page(Box<Page>),
    /// What was asked for is done: the reader is sent on, to a path below the portal's own.
    See { path: String, cookie: Option<String> },
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
    /// What it leaves in the browser, as `Set-Cookie` has it.
    pub(crate) cookie: Option<String>,
}

impl Shown {
    /// A page with a title.
    pub(crate) fn page(title: impl Into<String>, main: Markup) -> Self {
        Self::Page(Box::new(Page { status: 200, title: title.into(), main, cookie: None }))
    }

    /// The way to where what was asked for is to be seen.
    pub(crate) fn see(path: impl Into<String>) -> Self {
        Self::See { path: path.into(), cookie: None }
    }

    /// The same with another status, where it is a page.
    pub(crate) fn with_status(mut self, new: u16) -> Self {
        if let Self::Page(page) = &mut self {
            page.status = new;
        }
        self
    }

    /// The same with a cookie, where it can leave one.
    pub(crate) fn with_cookie(mut self, new: String) -> Self {
        match &mut self {
            Self::Page(page) => page.cookie = Some(new),
            Self::See { cookie, .. } => *cookie = Some(new),
            Self::Picture(_) | Self::Part(_) | Self::File { .. } => {}
        }
        self
    }
}
