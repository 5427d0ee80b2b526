//! The ledger over HTTP: what became of every event x endpoint.

mod expunge;
mod handler;
mod operations;
mod outcome;
mod places;
mod requests;
mod send;
mod stats;
mod view;

pub use handler::Ledger;
