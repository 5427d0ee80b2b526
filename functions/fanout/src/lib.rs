//! From the events table's stream to deliveries: a row and a message for every endpoint that asked for the event.
//!
//! Invoked by hand with `{"redrive": true}` it brings back what it once set aside.

mod announced;
mod handler;
mod intake;
mod producers;
mod record;
pub mod redrive;
pub mod unfinished;

pub use intake::Intake;
