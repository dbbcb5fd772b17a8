//! The programs of the command line, which `make up` builds with the functions.

use std::env;
use std::process::Command;

use orders_acceptance::{Stack, eventually};
use serde_json::Value;

use crate::world::PROJECTED;

/// One of the programs, with the stack file of this test.
pub(crate) fn program(name: &str) -> Command {
    let test = env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let mut command = Command::new(folder.join(name));
    command.env("LEDGERFOLD_STACK", Stack::path().expect("the stack is up"));
    command.env("LEDGERFOLD_CONTEXT", "orders");
    command
}

/// The answer of `orders-admin`, with its exit code.
pub(crate) fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    run("orders-admin", arguments)
}

/// The answer of `ledgerfold`, with its exit code.
pub(crate) fn ledgerfold(arguments: &[&str]) -> (Option<i32>, Value) {
    run("ledgerfold", arguments)
}

/// The answer of a program, with its exit code.
pub(crate) fn run(name: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = program(name).args(arguments).arg("--json").output();
    let output = output.expect("`make up` has built it");
    let output_text = String::from_utf8_lossy(&output.stderr);
    let answer =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {output_text}"));
    (output.status.code(), answer.expect("a JSON document"))
}

/// Waits until an audit with these arguments finds no faults.
pub(crate) async fn clean_in_the_end(audit: &[&str]) {
    eventually("the audit finds nothing", PROJECTED, async || match admin(audit) {
        (Some(0), _) => Ok(()),
        (_, found) => Err(found.to_string()),
    })
    .await
    .expect("the read models are the fold of the log");
}
