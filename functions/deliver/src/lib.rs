//! What deliver sends with, apart from the function: what sending costs can be measured by itself.

mod failure;
pub mod sender;
