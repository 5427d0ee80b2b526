//! The operator's side: tenants, their keys, and provider keys.

mod handler;
mod view;

pub use handler::Operator;
