//! The API's document, for whoever asks: it has no right on anything, and reads nothing.

mod handler;
mod operations;

pub use handler::Reference;
