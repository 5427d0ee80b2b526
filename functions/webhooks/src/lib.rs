//! Webhooks over HTTP: make, see, change, delete. Also the API's default route, since an unknown path needs an answer in
//! the default error shape.

mod handler;
mod input;
mod operations;
mod requests;
mod verify;
mod view;

pub use handler::Webhooks;
