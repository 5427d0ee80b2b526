//! The portal: pages on which a customer sees, tests and mends webhooks. It is a client of the public API with its visitor's session as
//! its credential, and has no right on anything itself: a bug in a page can do no more than the session may.

mod answers;
mod api;
mod assets;
mod brand;
mod chart;
mod client;
pub mod code;
mod colour;
mod cookie;
mod directory;
mod enter;
mod forgery;
mod form;
mod json;
mod layout;
mod pages;
mod parts;
mod policy;
mod portal;
mod prose;
mod routes;
mod serve;
mod session;
mod shown;
#[cfg(test)]
mod stand_in;
mod standing;
mod texts;
mod time;
pub mod told;
mod trouble;
mod visit;

pub use portal::Portal;
pub use serve::serve;
