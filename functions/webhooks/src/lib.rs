//! Webhooks over HTTP: make, see, change, delete. Also the API's default route, since an unknown path needs an answer in
//! the default error shape.

mod filter_test;
mod handler;
mod headers;
mod input;
mod operations;
mod preview;
mod previewed;
mod requests;
mod teller;
mod trial;
mod verify;
mod view;

pub use handler::Webhooks;
