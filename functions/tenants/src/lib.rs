//! The operator's side: tenants, their keys, and provider keys.

mod handler;
mod routes;
mod view;

pub use handler::Operator;
