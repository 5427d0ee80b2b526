//! The message that stands for one attempt: ids, a version and an attempt number, never a payload.

use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::id::{DeliveryId, EndpointId, EventId, TenantId};

/// The version that is written. Readers understand this one and the one before, so that a deploy may happen while
/// messages are on their way; version 1 is the first.
pub const VERSION: u32 = 1;

/// A request to make one attempt, from fan-out, a schedule, the sweep or a person. Also a schedule's input, so that
/// sending that to the retry queue by hand runs time forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// [`VERSION`].
    pub v: u32,
    /// Whose delivery it is.
    pub tenant_id: TenantId,
    /// Where it goes.
    pub endpoint_id: EndpointId,
    /// What it delivers.
    pub event_id: EventId,
    /// Which delivery it is.
    pub delivery_id: DeliveryId,
    /// The attempt to make, counted from 1.
    pub attempt: u32,
}

impl Message {
    /// The message for an attempt at this delivery.
    pub fn new(delivery: &Delivery, attempt: u32) -> Self {
        Self {
            v: VERSION,
            tenant_id: delivery.tenant_id.clone(),
            endpoint_id: delivery.endpoint_id.clone(),
            event_id: delivery.event_id.clone(),
            delivery_id: delivery.id.clone(),
            attempt,
        }
    }

    /// Reads a message's body.
    ///
    /// # Errors
    /// Why it cannot be understood: no JSON, a field amiss, or a version from the future.
    pub fn parse(body: &str) -> Result<Self, String> {
        let message: Self = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if message.v == 0 || message.v > VERSION {
            return Err(format!("version {} is not understood here", message.v));
        }
        if message.delivery_id.endpoint() != message.endpoint_id {
            return Err("delivery_id and endpoint_id do not belong together".to_owned());
        }
        Ok(message)
    }
}
