//! The ledger over HTTP: what became of every event x endpoint.

mod asked;
mod expunge;
mod handler;
mod operations;
mod outcome;
mod places;
mod rebuilt;
mod recovery_view;
mod requests;
mod send;
mod stats;
mod view;

pub use handler::Ledger;
