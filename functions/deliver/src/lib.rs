//! What deliver sends with, apart from the function: what sending costs can be measured by itself.

pub mod clients;
mod failure;
mod retry_after;
pub mod sender;
mod tls_failure;
