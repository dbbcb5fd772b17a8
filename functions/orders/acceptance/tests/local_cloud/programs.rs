//! The command lines, run as an operator runs them.

use std::env;
use std::process::Command;

use orders_acceptance::{Stack, eventually};
use serde_json::Value;

use crate::world::PROJECTED;

/// What `orders-admin` answers, and its exit code.
pub(crate) fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    run("orders-admin", arguments)
}

/// What `ledgerfold` answers, and its exit code.
pub(crate) fn ledgerfold(arguments: &[&str]) -> (Option<i32>, Value) {
    run("ledgerfold", arguments)
}

/// A program's JSON document and its exit code. `make up` builds the programs beside the functions.
fn run(program: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let test = env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let output = Command::new(folder.join(program))
        .args(arguments)
        .arg("--json")
        .env("LEDGERFOLD_STACK", Stack::path().expect("the stack is up"))
        .output()
        .expect("`make up` has built the program");
    let said = String::from_utf8_lossy(&output.stderr);
    let answer = serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}"));
    (output.status.code(), answer.expect("a JSON document"))
}

/// Waits until an audit with these arguments finds nothing.
pub(crate) async fn clean_in_the_end(arguments: &[&str]) {
    eventually("the audit finds nothing", PROJECTED, async || match admin(arguments) {
        (Some(0), _) => Ok(()),
        (_, found) => Err(found.to_string()),
    })
    .await
    .expect("the read models are the fold of the log");
}
