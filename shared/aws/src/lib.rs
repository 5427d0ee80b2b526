//! Postrider's AWS: the tables (a file each), queues, schedules, secrets and the bus.
//!
//! Everything is a concrete struct over an SDK client; what is decided is decided in `postrider_domain`.

pub mod admin_key;
pub mod batch_reader;
pub mod bus;
pub mod catalogue;
pub mod composer;
mod conditional;
pub mod config_table;
pub mod deliveries_table;
pub mod deployment_secret;
pub mod error;
pub mod event_meter;
pub mod event_row;
pub mod events_table;
pub mod item;
mod item_size;
pub mod jobs_table;
pub mod keyring;
pub mod lanes;
pub mod notices;
mod page;
pub mod put_once;
pub mod queue;
pub mod recoverer;
pub mod retries;
mod roots;
pub mod rows;
#[cfg(test)]
mod sample;
pub mod sdk;
pub mod set_aside;
mod tell;
mod told;
pub mod used_up;
mod wire;

pub use aws_sdk_dynamodb::types::TransactWriteItem;
pub use conditional::Recorded;
pub use error::{AwsError, Failure};
pub use page::Page;
pub use told::Told;
