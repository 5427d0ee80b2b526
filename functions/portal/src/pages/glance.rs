//! How a webhook is doing, at a glance: the last 24 hours as a picture, how much was delivered, and the last failure in words.

use maud::{Markup, html};

use crate::answers::{Deliveries, Stats};
use crate::chart;
use crate::parts;
use crate::shown::Shown;
use crate::time;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// The picture. Without numbers it is an empty line.
pub(crate) async fn bar(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let stats = counted(visit, visit.variables[0]).await?;
    Ok(Shown::Picture(chart::strip(visit.texts, &stats)))
}

/// The words, for the script to put beside the picture.
pub(crate) async fn glance(visit: &Visit<'_>) -> Result<Shown, Trouble> {
    let (stats, undelivered) = asked(visit, visit.variables[0]).await;
    match stats {
        Err(trouble @ (Trouble::NotFound | Trouble::Ended)) => Err(trouble),
        stats => Ok(Shown::Part(words(visit, stats, undelivered))),
    }
}

/// The words. Where they cannot be had just now they say so, and take nothing else away.
pub(crate) async fn said(visit: &Visit<'_>, id: &str) -> Markup {
    let (stats, undelivered) = asked(visit, id).await;
    words(visit, stats, undelivered)
}

type Told<T> = Result<T, Trouble>;

/// What a day came to, and the newest of what was not delivered.
async fn asked(visit: &Visit<'_>, id: &str) -> (Told<Stats>, Told<Deliveries>) {
    let path = ["v1", "webhooks", id, "deliveries"];
    let query = [("status", "undelivered"), ("limit", "1")];
    futures::join!(counted(visit, id), visit.get::<Deliveries>(&path, &query))
}

fn words(visit: &Visit<'_>, stats: Told<Stats>, undelivered: Told<Deliveries>) -> Markup {
    let texts = &visit.texts.webhooks;
    let Ok(stats) = stats else { return html! { p.soft { (texts.not_counted) } } };
    html! {
        p {
            @match stats.success_rate {
                Some(rate) => ((texts.rate)(&parts::percent(rate))),
                None => (if stats.seen == 0 { texts.nothing_sent } else { texts.nothing_ended }),
            }
            @if stats.waiting() > 0 { ", " ((texts.waiting)(&stats.waiting().to_string())) }
        }
        @if let Ok(found) = undelivered { (last_failure(visit, &found)) }
    }
}

async fn counted(visit: &Visit<'_>, id: &str) -> Result<Stats, Trouble> {
    visit.get(&["v1", "webhooks", id, "stats"], &[]).await
}

/// Of what was not delivered, the newest, with what its last attempt came to.
fn last_failure(visit: &Visit<'_>, found: &Deliveries) -> Markup {
    let texts = &visit.texts.webhooks;
    let newest = found.deliveries.first().and_then(|delivery| Some((delivery, delivery.attempts.last()?)));
    html! {
        @match newest {
            Some((delivery, attempt)) => {
                p {
                    (texts.last_failure) " "
                    a href=(visit.to(&format!("deliveries/{}", delivery.id))) { (chart::outcome_in_words(visit.texts, &attempt.outcome)) }
                    " " (time::shown(attempt.at))
                }
            }
            // Where only a part was looked through, nothing is known.
            None if found.deliveries.is_empty() && found.pagination.next_cursor.is_none() => p.soft { (texts.no_failure) },
            None => {}
        }
    }
}
