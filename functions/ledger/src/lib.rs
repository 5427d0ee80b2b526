//! The ledger over HTTP: what became of every event x endpoint.

mod handler;
mod operations;
mod outcome;
mod places;
mod rebuilt;
mod requests;
mod stats;
mod view;

pub use handler::Ledger;
