//! Requests and answers as text: whatever somebody sent is shown, and nothing of it does anything.

use maud::{Markup, html};
use serde_json::Value;

use crate::answers::Map;

/// Headers, each on a line of its own.
pub(crate) fn headers(title: &str, headers: &Map) -> Markup {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    html! {
        @if !headers.is_empty() {
            p { strong { (title) } }
            pre { code { @for (name, value) in headers { (name) ": " (text(value)) "\n" } } }
        }
    }
}

/// A body, as it is.
pub(crate) fn body(title: &str, body: &str) -> Markup {
    html! {
        p { strong { (title) } }
        pre { code { (body) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_sent_is_text() {
        let hostile = "</code></pre><script>alert(1)</script>";
        let map: Map =
            [(hostile.to_owned(), Value::from(hostile)), ("n".to_owned(), Value::from(7))].into_iter().collect();
        let drawn = headers("Headers", &map).into_string() + &body("Body", hostile).into_string();
        assert!(!drawn.contains("<script") && drawn.contains("n: 7\n"), "{drawn}");
        assert_eq!(drawn.matches("&lt;script&gt;").count(), 3);
    }
}
