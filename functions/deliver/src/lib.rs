//! What deliver sends with, apart from the function: what sending costs can be measured by itself.

pub mod clients;
mod connecting;
mod failure;
mod keep_alive;
mod moment;
mod retry_after;
pub mod sender;
mod tls_failure;
pub mod trust;
