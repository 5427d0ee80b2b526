//! How a failed delivery is told of, by the write that makes it failed.

use aws_sdk_dynamodb::types::TransactWriteItem;
use postrider_domain::id::EventId;

/// The row of an event that tells of one failure, to be put together with that.
pub struct Notice {
    pub(crate) event_id: EventId,
    pub(crate) put: TransactWriteItem,
}

/// How a failure is told of.
pub enum Tell {
    /// It is none, or one of which nobody hears.
    Nobody,
    /// By this notice.
    AtOnce(Box<Notice>),
    /// With others, by whoever counts them.
    Together,
}

impl Tell {
    pub(crate) fn notice(&self) -> Option<&Notice> {
        if let Self::AtOnce(notice) = self { Some(notice) } else { None }
    }

    pub(crate) fn is_together(&self) -> bool {
        matches!(self, Self::Together)
    }

    /// How many events are written with it.
    pub fn events(&self) -> usize {
        usize::from(self.notice().is_some())
    }
}
