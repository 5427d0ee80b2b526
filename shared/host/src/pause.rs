//! The wait between two tries of what a call left undone.

use std::time::Duration;

use crate::entropy;

/// Waits before try number `round`, longer each time; not before the first, which is number 0.
pub async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(longest(round)).await;
    }
}

/// The same for as long at the most, by chance: so that many who were in each other's way come back one by one.
pub async fn scattered(round: u32) {
    if round > 0 {
        let share = u32::try_from(entropy::bits64() % 1000).unwrap_or_default();
        tokio::time::sleep(longest(round) * share / 1000).await;
    }
}

fn longest(round: u32) -> Duration {
    Duration::from_millis(25 << round.min(5))
}
