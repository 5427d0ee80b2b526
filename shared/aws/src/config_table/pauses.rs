//! Endpoints whose receivers asked to be left alone for a while.

use jiff::Timestamp;
use postrider_domain::endpoint::Endpoint;
use postrider_domain::time;

use super::{ConfigTable, endpoint_place};
use crate::conditional;
use crate::error::Failure;
use crate::item::{number, text};

impl ConfigTable {
    /// Notes until when an endpoint is to be left alone, unless it is known to be for as long. It is a hint, so it counts as no change
    /// of the endpoint: a receiver that answers so again and again overtakes no change of its owner's, and a change that was made from
    /// what stood before undoes it, which costs one more such answer. A lost answer's second try is refused by the time that stands
    /// there, and that is all it wanted.
    ///
    /// # Errors
    /// When the write failed; the next answer says it again.
    pub async fn note_pause(&self, endpoint: &Endpoint, until: Timestamp) -> Result<(), Failure> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(endpoint_place(&endpoint.tenant_id, &endpoint.id)))
            .update_expression("SET paused_until = :until")
            .condition_expression(format!(
                "attribute_exists(pk) AND (attribute_not_exists(paused_until) OR paused_until < :until) AND {}",
                Self::is_where_it_was(endpoint)
            ))
            .expression_attribute_values(":url", number(endpoint.url_version))
            .expression_attribute_values(":until", text(time::wire(until)));
        conditional::try_update("UpdateItem pause", update).await.map(drop)
    }
}
