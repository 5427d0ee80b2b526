//! The ledger over HTTP: what became of every event x endpoint.

mod handler;
mod places;
mod view;

pub use handler::Ledger;
