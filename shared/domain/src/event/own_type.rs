//! The types of Postrider's own events.

use super::EventType;
use crate::named;

named! {
    /// Such a type, by its name in the event's row and to receivers.
    pub enum OwnType {
        /// A webhook was made. Goes to those of its tenant's webhooks that ask for it by name, as all of a webhook's do.
        WebhookCreated = "webhook.created",
        /// Somebody has changed it, its secret too.
        WebhookUpdated = "webhook.updated",
        /// Somebody has deleted it.
        WebhookDeleted = "webhook.deleted",
        /// Somebody has it sent to again.
        WebhookEnabled = "webhook.enabled",
        /// It is sent to no more: by its owner's doing, or by Postrider's.
        WebhookDisabled = "webhook.disabled",
        /// It answers nothing any more: what is for it is parked.
        WebhookFailing = "webhook.failing",
        /// It answers again, and what was parked is sent.
        WebhookRecovered = "webhook.recovered",
        /// A delivery was given up.
        DeliveryFailed = "webhook.delivery_failed",
        /// A customer has started a job. Goes to workers, on the stack's bus.
        JobCreated = "job.created",
        /// A job ended well, or in part. Goes to the job's own URL, as the other ends do.
        JobCompleted = "job.completed",
        /// A job failed.
        JobFailed = "job.failed",
        /// Its customer or its worker has called a job off.
        JobCancelled = "job.cancelled",
    }
}

impl From<OwnType> for EventType {
    fn from(own: OwnType) -> Self {
        Self(own.as_str().to_owned())
    }
}

impl OwnType {
    /// Whether it tells of what was done to a webhook, and by whom; most often by somebody, else by Postrider.
    pub fn is_change(self) -> bool {
        matches!(
            self,
            Self::WebhookCreated
                | Self::WebhookUpdated
                | Self::WebhookDeleted
                | Self::WebhookEnabled
                | Self::WebhookDisabled
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_types_are_types_and_no_producer_tells_of_a_webhook() {
        for &own in OwnType::ALL {
            let event_type = EventType::from(own);
            assert_eq!(own.as_str().parse().as_ref(), Ok(&event_type));
            assert_eq!(event_type.is_operational(), own.as_str().starts_with("webhook."), "{own:?}");
        }
    }
}
