//! Deleting a webhook: a page that says what that means, and its button.

use maud::html;

use crate::pages::webhook;
use crate::parts;
use crate::shown::Shown;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Asks whether it is meant.
pub(crate) async fn ask(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let webhook = webhook::asked_for(visit).await?;
    let texts = &visit.texts.edit.removal;
    let own = format!("webhooks/{}", webhook.id);
    let title = (texts.title)(webhook.title());
    let main = html! {
        div.told {
            h1 { (title) }
            p { code { (webhook.url) } }
            p { (texts.means) }
            p { (texts.pause_instead) }
            div.actions {
                (parts::button_form(visit, &format!("{own}/delete"), texts.button, "danger"))
                a href=(visit.to(&own)) { (texts.keep) }
            }
        }
    };
    Ok(Shown::page(title, main))
}

/// Deletes it.
pub(crate) async fn delete(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    visit.delete(&["v1", "webhooks", visit.variables[0]]).await?;
    Ok(Shown::see("webhooks?done=deleted"))
}
