//! What a function has of the machine it runs on: the time, entropy, names looked up, settings, a log and metrics on standard
//! output, and how much time is left. Nothing here calls AWS.

pub mod clock;
pub mod deadline;
pub mod entropy;
pub mod env;
pub mod metrics;
pub mod pause;
pub mod remembered;
pub mod resolver;
pub mod telemetry;
pub mod traces;

/// An SDK call allocates hundreds of times, so the allocator shows in what a delivery costs (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
