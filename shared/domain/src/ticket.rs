//! The ticket that stands for one step of an endpoint's parking: which endpoint and which step, never a delivery.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::endpoint::parking::Parking;
use crate::id::{EndpointId, TenantId};
use crate::message::VERSION;

/// What it is a ticket for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum For {
    /// A step of an endpoint's parking.
    Parking,
}

/// A request to make one step: a probe, or a page of what is drained. It goes by the queues of attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The messages' version.
    pub v: u32,
    /// Which kind of work it asks for.
    pub ticket: For,
    /// Whose endpoint it is.
    pub tenant_id: TenantId,
    /// Which endpoint.
    pub endpoint_id: EndpointId,
    /// Which of its parkings, by when that began.
    #[serde(with = "crate::time::as_wire")]
    pub since: Timestamp,
    /// Which step of it.
    pub step: u32,
}

impl Ticket {
    /// The one for the next step of an endpoint's parking.
    pub fn of(endpoint: &Endpoint, parking: &Parking) -> Self {
        Self {
            v: VERSION,
            ticket: For::Parking,
            tenant_id: endpoint.tenant_id.clone(),
            endpoint_id: endpoint.id.clone(),
            since: parking.since,
            step: parking.step,
        }
    }

    /// Reads a ticket, if this is one.
    pub fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|ticket: &Self| ticket.v == VERSION)
    }
}
