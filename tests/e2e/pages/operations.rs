//! The page for whoever runs a stack: what it says of restoring a table.

use super::blocks;
use super::shell::Shell;
use crate::support::World;
use crate::support::cli::{aws, try_aws};

const PAGE: &str = "docs/operations.md";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_restored_beside_the_one_that_it_is_a_copy_of() {
    let world = World::open();
    let stack = world.stack;
    let table = &stack.tables.jobs;
    let restored = format!("{table}-restored");
    let delete: &[&str] = &["dynamodb", "delete-table", "--table-name", &restored];
    try_aws(stack, &[delete]);
    let said = Shell::new(stack, "operations").given("TABLE", table).run(&blocks::run(PAGE));
    let keys =
        |name: &str| aws(stack, &["dynamodb", "describe-table", "--table-name", name])["Table"]["KeySchema"].take();
    let (copy, own) = (keys(&restored), keys(table));
    try_aws(stack, &[delete]);
    assert!(said.concat().contains("ACTIVE"), "{said:?}");
    assert_eq!(copy, own);
}
