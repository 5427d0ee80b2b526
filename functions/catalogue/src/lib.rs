//! The deployment's event types: what can be published, and what its `data` has to be.

mod bounds;
mod handler;
mod input;
mod operations;
mod refusals;
mod requests;
mod view;

pub use handler::EventTypes;
