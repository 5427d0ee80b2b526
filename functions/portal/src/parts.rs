//! Pieces that many pages have.

use maud::{Markup, html};
use url::Url;

use crate::forgery;
use crate::form::Errors;
use crate::prose;
use crate::visit::Visit;

/// What every form carries, so that it is known to come from here.
pub(crate) fn token(visit: &Visit<'_>) -> Markup {
    html! { input type="hidden" name=(forgery::FIELD) value=(forgery::token(visit.secret)); }
}

/// A button that posts to a path below the portal's own; its class is `primary`, `plain`, `danger` or `quiet`.
pub(crate) fn button_form(visit: &Visit<'_>, path: &str, text: &str, class: &str) -> Markup {
    html! {
        form.inline method="post" action=(visit.to(path)) {
            (token(visit))
            button.(class) type="submit" { (text) }
        }
    }
}

/// A link that looks like a button.
pub(crate) fn button_link(href: &str, text: &str, class: &str) -> Markup {
    html! { a.button.(class) href=(href) { (text) } }
}

/// A state in words, with a colour beside them: `good`, `warn`, `bad` or `idle`.
pub(crate) fn badge(kind: &str, text: &str) -> Markup {
    html! { span.badge.(kind) { (text) } }
}

/// What stands where there is nothing: why, and what to do next.
pub(crate) fn empty(title: &str, means: &str, next: Markup) -> Markup {
    html! { div.empty { p { strong { (title) } } p { (means) } (next) } }
}

/// Says that something is done, or what to know; it is read out when it appears.
pub(crate) fn notice(kind: &str, text: &str) -> Markup {
    html! { p.notice.(kind) role="status" { (text) } }
}

/// A text to copy, in a box, with a button that the script shows. `id` is its place on the page.
pub(crate) fn copyable(visit: &Visit<'_>, id: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            code #(id) { (text) }
            button.plain type="button" data-copy=(id) hidden { (visit.texts.common.copy) }
        }
    }
}

/// The way on through a list that is read page by page: `query` is what else the list was asked for.
pub(crate) fn pager(visit: &Visit<'_>, path: &str, query: &[(&str, &str)], next_cursor: Option<&str>) -> Markup {
    let texts = &visit.texts.common;
    let is_first = visit.query("cursor").is_none();
    html! {
        @if !is_first || next_cursor.is_some() {
            nav.pager aria-label=(texts.pages) {
                @if !is_first { a href=(visit.to(&with_query(path, query))) { (texts.newest) } }
                @if let Some(cursor) = next_cursor {
                    @let query: Vec<_> = query.iter().copied().chain([("cursor", cursor)]).collect();
                    a rel="next" href=(visit.to(&with_query(path, &query))) { (texts.older) }
                }
            }
        }
    }
}

/// A part of a page that goes on changing until it is done: the script loads it again, from the path below the portal's own where it is
/// shown, and stops where what comes has `data-final` on it. Without the script [`look_again`] is in it.
pub(crate) fn watched(visit: &Visit<'_>, path: &str, is_done: bool, part: Markup) -> Markup {
    let place = visit.to(path);
    html! {
        div data-load=[(!is_done).then_some(&place)] data-reload=[(!is_done).then_some("2")] { (part) }
    }
}

/// The link that loads a page again for whom no script does.
pub(crate) fn look_again(visit: &Visit<'_>, path: &str) -> Markup {
    html! { noscript { p { a href=(visit.to(path)) { (visit.texts.common.look_again) } } } }
}

/// The first page of a list, which changes while it is looked at: the script loads it again from there, and leaves the reader where he is. A
/// page further down stays as it is.
pub(crate) fn refreshed(visit: &Visit<'_>, path: &str, is_first: bool, list: Markup) -> Markup {
    html! {
        div data-load=[is_first.then(|| visit.to(path))] data-reload=[is_first.then_some("10")] { (list) }
    }
}

/// A path with a query behind it.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{query}")
}

/// What is wrong with a form, each with a link to its field. The script puts the focus here.
pub(crate) fn error_summary(visit: &Visit<'_>, errors: &Errors) -> Markup {
    html! {
        @if !errors.is_empty() {
            div.errors #errors role="alert" tabindex="-1" {
                h2 { (visit.texts.common.errors) }
                ul { @for (field, message) in errors.iter() { li { a href={ "#" (field) } { (prose::line(message)) } } } }
            }
        }
    }
}

/// An address that a link may lead to: HTTP's, and none that a browser would run or open otherwise.
pub(crate) fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "https" | "http").then(|| url.to_string())
}

/// A part in percent, which says 100 only where it is all.
pub(crate) fn percent(part: f64) -> String {
    let rounded = (part * 1000.0).floor() / 10.0;
    format!("{rounded:.1} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_is_all_of_it() {
        for (part, shown) in [(1.0, "100.0 %"), (0.999_99, "99.9 %"), (0.5, "50.0 %"), (0.0, "0.0 %")] {
            assert_eq!(percent(part), shown);
        }
    }

    #[test]
    fn a_link_leads_to_the_web_and_nowhere_else() {
        assert_eq!(web_address("https://app.example.com/a?b=c").as_deref(), Some("https://app.example.com/a?b=c"));
        for hostile in [
            "javascript:alert(1)",
            " javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            "//evil.example",
            "",
            "/x",
        ] {
            assert_eq!(web_address(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn a_query_is_written_as_a_browser_reads_it() {
        assert_eq!(with_query("events", &[]), "events");
        assert_eq!(
            with_query("events", &[("event", "a&b"), ("cursor", "x=y\"<")]),
            "events?event=a%26b&cursor=x%3Dy%22%3C"
        );
    }
}
