//! Plans: what a tenant pays for.

use crate::named;
use crate::named::stored_by_name;

named! {
    /// What a tenant pays for: its quotas, and some dialects give webhooks to some plans only.
    pub enum Plan {
        /// Pays nothing.
        Free = "free",
        /// Pays the list price.
        Pro = "pro",
        /// Pays by contract.
        Enterprise = "enterprise",
    }
}

stored_by_name!(Plan);

impl Plan {
    /// Whether it includes webhooks, where a dialect gives them to some plans only.
    pub fn includes_webhooks(self) -> bool {
        matches!(self, Self::Pro | Self::Enterprise)
    }
}
