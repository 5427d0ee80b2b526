//! Every few minutes: what is overdue goes back to the queue, and what a queue gave up on is put on record.

pub mod dead_letters;
pub mod deletions;
mod done;
mod failures;
mod handler;
pub mod overdue;
pub mod pace;
mod parked;
#[cfg(test)]
mod sample;
mod timer;
mod waits;

pub use handler::Sweep;
