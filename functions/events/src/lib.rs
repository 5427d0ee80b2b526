//! Events: published over HTTP, on the stack's bus or by direct invocation; seen with their deliveries.

mod bounds;
mod get;
mod handler;
mod list;
mod operations;
mod publish;
mod quota;
mod requests;
mod triggers;
mod view;
mod waits;

pub use handler::Events;
