//! Texts of the document: paragraphs, lists, and names between backticks.

use maud::{Markup, html};

/// A text with its paragraphs and lists.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for part in text.split("\n\n").filter(|part| !part.is_empty()) {
            @if part.starts_with("- ") {
                ul { @for item in part.split('\n') { li { (line(item.trim_start_matches("- "))) } } }
            } @else {
                p { (line(part)) }
            }
        }
    }
}

/// A text on one line.
pub(super) fn line(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}
