//! At what a filter did not let an event through.

use std::collections::BTreeMap;

use futures::future::join_all;
use postrider_domain::withheld::NotDelivered;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Event;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// Webhooks whose filters are asked for a page: each costs two calls.
const MOST: usize = 3;

/// What the filters of some webhooks say, in the API's own words.
#[derive(Debug, Default)]
pub(super) struct Explained(BTreeMap<String, String>);

#[derive(Deserialize)]
struct Webhook {
    #[serde(default)]
    filter: Option<Box<RawValue>>,
}

/// As the API is asked: what was published, number for number.
#[derive(Serialize)]
struct Asked<'a, T> {
    filter: &'a RawValue,
    event: &'a str,
    data: &'a RawValue,
    tags: &'a T,
}

#[derive(Deserialize)]
struct Tested {
    #[serde(default)]
    why: Option<String>,
}

impl Explained {
    pub(super) fn of(&self, webhook_id: &str) -> Option<&str> {
        self.0.get(webhook_id).map(String::as_str)
    }
}

/// What the filters say that held it up, of the first few webhooks.
///
/// # Errors
/// Where the session has ended. Whatever else goes wrong leaves the page without it.
pub(super) async fn explained(visit: &Visit<'_>, event: &Event) -> Result<Explained, Trouble> {
    let Some(data) = &event.data else { return Ok(Explained::default()) };
    let filtered = event.not_delivered.iter().filter(|missed| missed.reason == NotDelivered::Filtered).take(MOST);
    let asked = filtered.map(async |missed| (&missed.webhook_id, why(visit, &missed.webhook_id, event, data).await));
    let mut explained = Explained::default();
    for (id, answered) in join_all(asked).await {
        match answered {
            Ok(Some(why)) => explained.0.extend([(id.clone(), why)]),
            Err(Trouble::Ended) => return Err(Trouble::Ended),
            Ok(None) | Err(_) => {}
        }
    }
    Ok(explained)
}

async fn why(visit: &Visit<'_>, webhook_id: &str, event: &Event, data: &RawValue) -> Result<Option<String>, Trouble> {
    let webhook: Webhook = visit.get(&["v1", "webhooks", webhook_id], &[]).await?;
    let Some(filter) = webhook.filter else { return Ok(None) };
    let asked = Asked { filter: &filter, event: &event.event, data, tags: &event.tags };
    let tested: Tested = visit.post(&["v1", "webhooks", "filter", "test"], &asked).await?;
    Ok(tested.why)
}
