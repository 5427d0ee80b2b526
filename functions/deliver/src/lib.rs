//! From an SQS batch to signed POSTs, side by side, each recorded as it finishes.
//!
//! What sends can be used apart from the function: what sending costs is measured by itself.

mod attempt;
pub mod batch;
pub mod clients;
mod connecting;
mod failure;
mod followed;
mod handler;
mod health;
mod keep_alive;
mod limits;
mod moment;
mod noted;
mod parked;
mod pauses;
mod recorder;
mod records;
mod retry_after;
pub mod send_pool;
pub mod sender;
mod shares;
mod slow;
mod tally;
pub mod tls_failure;
pub mod trust;
mod waiting;

pub use handler::Deliver;
