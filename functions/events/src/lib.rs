//! Events: published over HTTP, on the stack's bus or by direct invocation; seen with their deliveries.

mod handler;
mod publish;
mod quota;
mod triggers;
mod view;

pub use handler::Events;
