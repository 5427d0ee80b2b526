//! The API's document, for whoever asks, and a page that shows it. The function has no right on anything, and reads nothing.

mod handler;
mod operations;
mod page;

pub use handler::Reference;
