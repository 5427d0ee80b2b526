//! The operator's side: tenants, their keys, and provider keys.

mod bounds;
mod handler;
mod operations;
mod requests;
mod view;

pub use handler::Operator;
