//! The API's document, for whoever asks, and a page that shows it. The function has no right on anything, and reads nothing.

mod handler;
mod operations;
mod page;
mod published;

pub use handler::Reference;
