//! Handlers and tables without a stack: an AWS that says what a test has written down, and remembers what it was asked; and
//! callers of the HTTP API with their keys.
//!
//! It knows none of Postrider's crates but the domain, so that each of the others can have it for its tests.

mod call;
mod caller;
mod expression;
mod item;
mod said;
pub mod sample;
mod scope;
mod script;
mod visitor;

pub use call::{Answer, Call, invocation};
pub use caller::Caller;
pub use expression::expression;
pub use item::{item, keyed};
pub use said::Said;
pub use scope::assert_scope;
pub use script::Script;
pub use visitor::Visitor;
