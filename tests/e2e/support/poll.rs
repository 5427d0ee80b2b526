//! Patience with an end: ask again until it is so, or fail with what was seen last.

use std::future::Future;
use std::time::{Duration, Instant};

/// Long enough for anything that should happen at once, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// How soon to ask again.
const PACE: Duration = Duration::from_millis(100);

/// Asks `probe` until it answers `Ok`, and fails the test with its last `Err` when `within` is over.
pub(crate) async fn until<T, P, F>(what: &str, within: Duration, mut probe: P) -> T
where
    P: FnMut() -> F,
    F: Future<Output = Result<T, String>>,
{
    let start = Instant::now();
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(seen) if start.elapsed() > within => panic!("waited {within:?} for {what}; seen last: {seen}"),
            Err(_) => tokio::time::sleep(PACE).await,
        }
    }
}
