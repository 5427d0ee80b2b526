//! Where an attempt waits that is no healthy endpoint's first one: among retries, or among what is for slow endpoints. Each queue
//! has functions of its own, so that a slow endpoint's messages stand before nobody else's.

use aws_types::SdkConfig;
use postrider_host::env::BadSetting;

use crate::queue::Queue;

/// The two queues.
#[derive(Clone)]
pub struct Lanes {
    retry: Queue,
    slow: Queue,
}

impl Lanes {
    /// From `RETRY_QUEUE_URL` and `SLOW_QUEUE_URL`.
    ///
    /// # Errors
    /// When a setting is missing.
    pub fn from_env(sdk: &SdkConfig) -> Result<Self, BadSetting> {
        Ok(Self::of(Queue::retry(sdk)?, Queue::slow(sdk)?))
    }

    /// These two.
    pub fn of(retry: Queue, slow: Queue) -> Self {
        Self { retry, slow }
    }

    /// The one for an endpoint that is slow, or is not.
    pub fn queue(&self, is_slow: bool) -> &Queue {
        if is_slow { &self.slow } else { &self.retry }
    }
}
