//! Programs that verify this webhook's requests.

use maud::{Markup, html};
use postrider_domain::dialect::{Dialect, DialectRef, STANDARD, SecretWhenNone};
use postrider_domain::secret::KeyDerivation;
use postrider_domain::signature::{Content, Signing};

use super::{above, asked_for};
use crate::answers::Webhook;
use crate::code::{Runtime, program};
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The dialect that a webhook speaks.
pub(super) fn dialect_of(visit: &Visit<'_>, webhook: &Webhook) -> &'static Dialect {
    let named = webhook.dialect.as_deref().or(visit.session.dialect.as_deref());
    named.and_then(DialectRef::named).map_or(&STANDARD, |found| found.0)
}

/// The programs, and what to know of the signature.
pub(crate) async fn show(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = asked_for(visit).await?;
    let dialect = dialect_of(visit, &webhook);
    let texts = &visit.texts.deeds.code;
    let main = html! {
        (above(visit, &webhook, visit.texts.webhook.actions.code))
        h2 { (texts.title) }
        p { (texts.means) }
        @if dialect.secret_when_none == SecretWhenNone::Unsigned { (parts::notice("warn", texts.unsigned)) }
        (programs(visit, dialect))
        p { a href=(visit.to("doctor")) { (texts.doctor) } }
    };
    Ok(Shown::page(texts.title, main))
}

/// How a dialect signs, and the programs for it, one beside the other: they open without a script.
pub(crate) fn programs(visit: &Visit<'_>, dialect: &Dialect) -> Markup {
    let texts = &visit.texts.deeds.code;
    html! {
        (signature(visit, &dialect.signing))
        p { (texts.bytes) }
        @if dialect.signing.content == Content::Body { p { (texts.replays) } }
        div.programs {
            @for runtime in Runtime::ALL {
                @let id = format!("program-{}", runtime.file().replace('.', "-"));
                details open[*runtime == Runtime::Python] {
                    summary { (runtime.as_str()) }
                    p { (texts.file) ": " code { (runtime.file()) } " "
                        button.plain type="button" data-copy=(id) hidden { (visit.texts.common.copy) }
                    }
                    pre tabindex="0" aria-label=(runtime.as_str()) { code #(id) { (program(*runtime, dialect)) } }
                }
            }
        }
    }
}

fn signature(visit: &Visit<'_>, signing: &Signing) -> Markup {
    let texts = &visit.texts.deeds.code;
    html! {
        dl.facts {
            div { dt { (texts.header) } dd { @for name in signing.names() { code { (name) } " " } } }
            div {
                dt { (texts.signed) }
                dd { (if signing.content == Content::Body { texts.signed_body } else { texts.signed_dated }) }
            }
            div {
                dt { (texts.key) }
                dd {
                    @match signing.key {
                        KeyDerivation::WholeText => (texts.key_whole),
                        KeyDerivation::Base64After(prefix) => ((texts.key_decoded)(prefix)),
                    }
                }
            }
        }
    }
}
