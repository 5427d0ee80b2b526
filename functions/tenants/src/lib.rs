//! The operator's side: tenants, their keys, and provider keys.

mod bounds;
mod deletion;
mod handler;
mod operations;
mod requests;
mod stats;
mod upsert;
mod view;

pub use handler::Operator;
