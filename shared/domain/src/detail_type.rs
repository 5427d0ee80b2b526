//! What stands on the stack's bus, by EventBridge's `detail-type`.

use crate::named;

named! {
    /// A kind of entry, by its name.
    pub enum DetailType {
        /// An event that a producer publishes.
        Event = "Postrider Event",
        /// A worker's report on a job.
        Job = "Postrider Job",
        /// A job that a customer has started, for workers.
        JobCreated = "Postrider Job Created",
        /// An event of Postrider's own about a tenant's webhooks, for the provider's services.
        Notice = "Postrider Notice",
    }
}
