//! The threads that POSTs are made on, apart from the one that does all else.
//!
//! A receiver that floods its connection keeps the thread busy that reads it. With more threads than a batch has messages its
//! batch mates have theirs, and how many processors there are does not matter, since it is the system that is fair. AWS is
//! called from one thread, since threads that wake each other cost more than such a call.

use std::sync::OnceLock;

use lambda_runtime::Error;
use tokio::runtime::{Builder, Runtime};

/// Threads that POSTs are made on: one for each message of a batch, and some.
pub const THREADS: usize = 12;
/// Threads that names are looked up on. A look-up that was cut keeps its own until the system's resolver gives up, which it
/// does within the time that a few batches take.
const LOOK_UPS: usize = 64;

/// The threads, once there is something to do for them: a function's start has to wait for nothing.
#[derive(Default)]
pub(crate) struct SendPool(OnceLock<Runtime>);

impl SendPool {
    /// Does the work on one of the threads.
    ///
    /// # Errors
    /// When there are no threads to be had, or the work panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        Ok(self.threads()?.spawn(work).await?)
    }

    fn threads(&self) -> Result<&Runtime, Error> {
        if let Some(threads) = self.0.get() {
            return Ok(threads);
        }
        let threads =
            Builder::new_multi_thread().worker_threads(THREADS).max_blocking_threads(LOOK_UPS).enable_all().build()?;
        Ok(self.0.get_or_init(|| threads))
    }
}

impl Drop for SendPool {
    /// Without waiting for what is still read, which an asynchronous context forbids.
    fn drop(&mut self) {
        if let Some(threads) = self.0.take() {
            threads.shutdown_background();
        }
    }
}
