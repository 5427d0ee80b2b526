//! Jobs: started by customers, reported on by workers over HTTP or the bus, told of once when they end.

mod bounds;
mod bus;
mod generate;
mod handler;
mod operations;
mod platform;
mod report;
mod reporter;
mod requests;
mod starter;
mod task_status;
mod tasks;
mod title;
mod view;

pub use handler::Jobs;
