//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod catalogued;
mod chunks;
mod first_pages;
mod handler;
mod intake;
mod judge;
mod listing;
mod merge;
mod producers;
mod record;
pub mod redrive;
mod spans;
mod stretch;
mod to_do;
pub mod turn;
pub mod unfinished;
mod walk;
#[cfg(test)]
mod world;

pub use intake::Intake;
