//! Jobs: started by customers, reported on by workers, told of once when they end, to the URL that came with them.

mod endings;
mod idempotency;
mod ledger;
mod listing;
mod racing;
mod recoveries;
pub(crate) mod refusals;
mod reports;
mod scopes;
mod shapes;
pub(crate) mod titles;
