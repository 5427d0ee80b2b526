//! `make smoke`: on a stack that is well every row holds, and of one that is broken it names what is. `tests/smoke/drive.py` breaks
//! it, has it smoked, and puts it back.

use std::process::Command;

use super::{Alone, alone};
use crate::support::verifier::{root, run, words};

/// With the stack to itself and its timer on, as it is deployed: it is looked at, too.
async fn driven(case: &str) {
    let (_world, Alone { _timer: timer, _turn }) = alone().await;
    drop(timer);
    let mut driver = Command::new(root().join("local/.venv/bin/python"));
    driver.arg("tests/smoke/drive.py").arg(case).current_dir(root());
    let ended = tokio::task::spawn_blocking(move || run(&mut driver, b"")).await.expect("it ends");
    assert!(ended.status.success(), "{}", words(&ended));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn of_a_stack_that_is_well_every_row_holds() {
    driven("whole").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn that_first_attempts_get_no_function_is_told_at_once() {
    driven("stopped").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn that_deliveries_are_signed_with_another_secret_is_told() {
    driven("mistaken").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn that_no_sweep_comes_is_told() {
    driven("unswept").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn whoever_interrupts_it_finds_nothing_left() {
    driven("interrupted").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "disturbs the whole stack"]
async fn whoever_interrupts_it_again_and_again_finds_nothing_left() {
    driven("pressed").await;
}
