//! Postrider's AWS: the tables (a file each), queues, schedules, keys, the HTTP API's shapes, and telemetry.
//!
//! Everything is a concrete struct over an SDK client; what is decided is decided in `postrider_domain`.

pub mod auth;
pub mod batch_reader;
pub mod bus;
pub mod chance;
pub mod clock;
mod conditional;
pub mod config_table;
pub mod deadline;
pub mod deliveries_table;
pub mod deployment_secret;
pub mod env;
pub mod error;
pub mod event_row;
pub mod events_table;
pub mod http;
pub mod invocation;
pub mod item;
pub mod jobs_table;
pub mod keyring;
pub mod letters;
pub mod metrics;
mod page;
mod pause;
pub mod put_once;
pub mod queue;
pub mod recoverer;
mod remembered;
#[cfg(test)]
mod replay;
pub mod resolve;
pub mod retries;
mod roots;
pub mod rotation;
pub mod rows;
#[cfg(test)]
mod sample;
pub mod sdk;
pub mod telemetry;
pub mod trigger;
mod wire;

pub use error::AwsError;

/// An SDK call allocates hundreds of times, so the allocator shows in what a delivery costs (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
