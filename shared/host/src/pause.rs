//! The wait between two tries of what a call left undone.

use std::time::Duration;

/// Waits before try number `round`, longer each time; not before the first, which is number 0.
pub async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(Duration::from_millis(25 << round.min(5))).await;
    }
}
