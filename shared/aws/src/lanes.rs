//! Where an attempt waits that is no healthy endpoint's first one: among retries, or among what is for slow endpoints. Each queue
//! has functions of its own, so that a slow endpoint's messages stand before nobody else's.

use std::time::Duration;

use aws_types::SdkConfig;
use futures::future::join;
use postrider_domain::message::Message;
use postrider_host::env::BadSetting;

use crate::queue::{Left, Queue};

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

    /// Sends as many as are taken, each to be seen after a delay of its own, in the queue where it belongs: what is left.
    pub async fn send(&self, messages: Vec<(Message, Duration)>, is_slow: impl Fn(&Message) -> bool) -> Left {
        let (slow, others): (Vec<_>, Vec<_>) =
            messages.into_iter().enumerate().partition(|(_, (message, _))| is_slow(message));
        let (slow, others) = join(self.send_part(true, slow), self.send_part(false, others)).await;
        Left { places: [slow.places, others.places].concat(), why: slow.why.or(others.why) }
    }

    /// Sends those of a batch that go to one queue, each with its place in the batch.
    async fn send_part(&self, is_slow: bool, part: Vec<(usize, (Message, Duration))>) -> Left {
        let (places, messages): (Vec<usize>, Vec<_>) = part.into_iter().unzip();
        let left = self.queue(is_slow).send_each_after(&messages).await;
        Left { places: left.places.into_iter().map(|place| places[place]).collect(), why: left.why }
    }
}
