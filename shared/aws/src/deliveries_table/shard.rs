//! Which shard of an index a row lies in.

use postrider_domain::id::DeliveryId;

/// The shard of so many: from the row's id, so that it never changes. An id's last characters are a digest, so any rows come to lie
/// about evenly, and nobody chooses his shard.
pub(super) fn of(id: &DeliveryId, shards: u8) -> u8 {
    id.as_str().bytes().fold(0_u8, u8::wrapping_add) % shards
}
