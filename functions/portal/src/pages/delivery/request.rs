//! The request of a delivery, made again.

use maud::{Markup, html};

use crate::answers::Rebuilt;
use crate::pages::message;
use crate::visit::Visit;

pub(super) fn shown(visit: &Visit<'_>, rebuilt: &Rebuilt) -> Markup {
    let texts = &visit.texts.delivery;
    html! {
        section {
            h2 { (texts.request) }
            @if rebuilt.lacking.is_some() {
                p { (texts.request_lacking) " " span lang="en" { (rebuilt.about) } }
            } @else {
                p.soft { (texts.request_means) }
                details {
                    summary { (texts.request) }
                    @if let Some(url) = &rebuilt.url { p { code { "POST " (url) } } }
                    @if let Some(headers) = &rebuilt.headers { (message::headers(texts.headers, headers)) }
                    @if !rebuilt.left_out.is_empty() {
                        p.soft { (texts.left_out) " " @for name in &rebuilt.left_out { code { (name) } " " } }
                    }
                    @if let Some(body) = &rebuilt.body { (message::body(texts.body, body)) }
                }
            }
        }
    }
}
