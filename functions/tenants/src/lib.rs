//! The operator's side: tenants, their keys, provider keys, and links to the customers' portal with the sessions that come of them.

mod access;
mod bounds;
mod deletion;
mod handler;
mod operations;
mod operator;
mod portal;
mod portal_operations;
mod portal_view;
mod requests;
mod smoke;
mod stats;
mod upsert;
mod view;

pub use operator::Operator;
