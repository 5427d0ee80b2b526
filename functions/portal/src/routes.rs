//! How a request finds its page.

use futures::future::LocalBoxFuture;

use crate::session::Capability;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::{Guest, VARIABLES, Visit};

/// What stands in a path is no longer: types of events have names of 128 characters, tokens and ids are shorter.
const MOST_CHARS: usize = 256;

/// Shows a page to whoever asks.
pub(crate) type ForAll = for<'a> fn(&'a Guest<'_>) -> LocalBoxFuture<'a, Result<Shown, Trouble>>;
/// Shows a page to whoever has a session, or does what a form of his asks for.
pub(crate) type ForVisitors = for<'a> fn(&'a Visit<'_>) -> LocalBoxFuture<'a, Result<Shown, Trouble>>;

/// Who is shown a page, and by what.
pub(crate) enum Handler {
    All(ForAll),
    Visitors(Capability, ForVisitors),
}

/// A method of a path.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    /// Such as `webhooks/{id}`, below the portal's own.
    pub(crate) path: &'static str,
    pub(crate) handler: Handler,
}

impl Route {
    /// A page for whoever has a session. All may see who may do anything.
    pub(crate) const fn page(path: &'static str, handler: ForVisitors) -> Self {
        Self { method: "GET", path, handler: Handler::Visitors(Capability::View, handler) }
    }

    /// A page that is of use to those alone who may do this, such as a form.
    pub(crate) const fn page_to(needs: Capability, path: &'static str, handler: ForVisitors) -> Self {
        Self { method: "GET", path, handler: Handler::Visitors(needs, handler) }
    }

    /// A form that is posted by those who may do this.
    pub(crate) const fn form(needs: Capability, path: &'static str, handler: ForVisitors) -> Self {
        Self { method: "POST", path, handler: Handler::Visitors(needs, handler) }
    }

    /// What is for whoever asks.
    pub(crate) const fn open(method: &'static str, path: &'static str, handler: ForAll) -> Self {
        Self { method, path, handler: Handler::All(handler) }
    }
}

/// A request that no page is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Astray {
    /// There is no such path.
    NoPath,
    /// The path takes other methods.
    NoMethod { path: &'static str, allowed: String },
}

/// The page of a request, and its path's variables; `segments` are those behind the portal's own.
///
/// # Errors
/// [`Astray`].
pub(crate) fn find<'r, 'a>(
    routes: &'r [Route],
    method: &str,
    segments: &'a [String],
) -> Result<(&'r Route, [&'a str; VARIABLES]), Astray> {
    let mut fitting = routes.iter().filter_map(|route| Some((route, variables(route.path, segments)?)));
    let (first, values) = fitting.next().ok_or(Astray::NoPath)?;
    let of_path = || routes.iter().filter(|route| route.path == first.path);
    match of_path().find(|route| route.method == method) {
        Some(route) => Ok((route, values)),
        None => {
            let allowed: Vec<_> = of_path().map(|route| route.method).collect();
            Err(Astray::NoMethod { path: first.path, allowed: allowed.join(", ") })
        }
    }
}

fn variables<'a>(path: &str, segments: &'a [String]) -> Option<[&'a str; VARIABLES]> {
    let (mut values, mut found) = ([""; VARIABLES], 0);
    let mut segments = segments.iter();
    for expected in path.split('/').filter(|expected| !expected.is_empty()) {
        let segment = segments.next()?;
        if expected.starts_with('{') {
            *values.get_mut(found)? = segment;
            found += 1;
            if !is_name(segment) {
                return None;
            }
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(values)
}

/// Whether it can be an id, a name of a type, or a file's: anything else is in no path of ours.
fn is_name(segment: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_.:".contains(char);
    !matches!(segment, "" | "." | "..") && segment.len() <= MOST_CHARS && segment.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing<'a>(_: &'a Visit<'_>) -> LocalBoxFuture<'a, Result<Shown, Trouble>> {
        Box::pin(async { Ok(Shown::see("")) })
    }

    const ROUTES: &[Route] = &[
        Route::page("", nothing),
        Route::page("things/new", nothing),
        Route::page("things/{id}", nothing),
        Route::form(Capability::Edit, "things/{id}", nothing),
        Route::page("things/{id}/parts/{part}", nothing),
    ];

    fn found(method: &str, path: &str) -> Result<(&'static str, [String; VARIABLES]), Astray> {
        let segments: Vec<String> = path.split('/').filter(|_| !path.is_empty()).map(str::to_owned).collect();
        find(ROUTES, method, &segments).map(|(route, values)| (route.path, values.map(str::to_owned)))
    }

    #[test]
    fn a_request_finds_its_page_and_what_stands_in_its_path() {
        let values = |one: &str, other: &str| [one.to_owned(), other.to_owned()];
        assert_eq!(found("GET", ""), Ok(("", values("", ""))));
        assert_eq!(found("GET", "things/new"), Ok(("things/new", values("", ""))));
        assert_eq!(found("POST", "things/wh_7"), Ok(("things/{id}", values("wh_7", ""))));
        assert_eq!(found("GET", "things/7/parts/a.b"), Ok(("things/{id}/parts/{part}", values("7", "a.b"))));
    }

    #[test]
    fn a_path_that_nobody_has_or_a_method_that_it_has_not_is_told() {
        for path in [
            "things",
            "things/",
            "things//parts/8",
            "Things/7",
            "things/..",
            "things/a b",
            "things/%2e%2e",
            "things/<b>",
        ] {
            assert_eq!(found("GET", path), Err(Astray::NoPath), "{path}");
        }
        let allowed = "GET, POST".to_owned();
        assert_eq!(found("DELETE", "things/7"), Err(Astray::NoMethod { path: "things/{id}", allowed }));
    }
}
