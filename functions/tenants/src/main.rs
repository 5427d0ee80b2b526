//! tenants
#![allow(missing_docs)]
fn main() {}
