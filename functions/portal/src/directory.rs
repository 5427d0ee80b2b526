//! The webhooks that a session sees, for pages that name them.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _};
use postrider_domain::event::{EventPattern, EventType};
use serde::Deserialize;

use crate::answers::Pagination;
use crate::trouble::Trouble;
use crate::visit::{AT_ONCE, Visit};

/// As many as the API lists at once.
const MOST: usize = 200;
/// Webhooks whose names are read, which lists leave out: each is a call.
const NAMED: usize = 6;

/// The first of them, by id.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    by_id: BTreeMap<String, Listed>,
    /// Whether these are all.
    pub(crate) is_complete: bool,
}

/// A webhook as it is listed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) url: String,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    pub(crate) status: String,
    /// Where it has one, and it was read.
    #[serde(default)]
    pub(crate) name: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    webhooks: Vec<Listed>,
    #[serde(default)]
    pagination: Pagination,
}

impl Directory {
    pub(crate) async fn of(visit: &Visit<'_>) -> Result<Self, Trouble> {
        let page: Page = visit.get(&["v1", "webhooks"], &[("limit", &MOST.to_string())]).await?;
        let is_complete = page.pagination.next_cursor.is_none();
        Ok(Self { by_id: page.webhooks.into_iter().map(|listed| (listed.id.clone(), listed)).collect(), is_complete })
    }

    /// The same with names, where there are few.
    pub(crate) async fn with_names(visit: &Visit<'_>) -> Result<Self, Trouble> {
        let mut directory = Self::of(visit).await?;
        if directory.is_complete && directory.len() <= NAMED {
            let ids: Vec<String> = directory.by_id.keys().cloned().collect();
            let name = async |id: String| {
                let named = visit.get::<Named>(&["v1", "webhooks", &id], &[]).await;
                // Its address will do.
                (id, named.ok().and_then(|named| named.name))
            };
            let named: Vec<_> = stream::iter(ids).map(name).buffered(AT_ONCE).collect().await;
            for (id, name) in named {
                directory.by_id.entry(id).and_modify(|listed| listed.name = name);
            }
        }
        Ok(directory)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Listed> {
        self.by_id.get(id)
    }

    /// In the order in which they were made.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Listed> {
        self.by_id.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl Listed {
    /// Whether it asks for events of this type, whatever its filter says.
    pub(crate) fn asks_for(&self, event: &EventType) -> bool {
        self.events.iter().filter_map(|pattern| EventPattern::kept(pattern).ok()).any(|pattern| pattern.takes(event))
    }

    /// Its name with its address, or else its address.
    pub(crate) fn title(&self) -> String {
        self.name.as_ref().map_or_else(|| self.url.clone(), |name| format!("{name} ({})", self.url))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }
}
