//! The webhooks that a session sees, for pages that name them.

use std::collections::BTreeMap;

use postrider_domain::event::{EventPattern, EventType};
use serde::Deserialize;

use crate::answers::Pagination;
use crate::trouble::Trouble;
use crate::visit::Visit;

/// As many as the API lists at once.
const MOST: usize = 200;

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

    pub(crate) fn is_active(&self) -> bool {
        self.status == "active"
    }
}
