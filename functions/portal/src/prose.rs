//! Texts with names of fields in them, which stand between backquotes.

use maud::{Markup, html};

/// A text on one line, its names as code.
pub(crate) fn line(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_all_of_it_is_text() {
        assert_eq!(line("Mend what `error` says.").into_string(), "Mend what <code>error</code> says.");
        assert_eq!(line("<b> `<i>`").into_string(), "&lt;b&gt; <code>&lt;i&gt;</code>");
    }
}
