//! The programs of the command line, which `make up` builds with the functions.

use std::env;
use std::process::Command;

use banking_acceptance::Stack;
use serde_json::Value;

/// The answer of `banking-admin`, with its exit code.
pub(crate) fn admin(arguments: &[&str]) -> (Option<i32>, Value) {
    run("banking-admin", arguments)
}

/// The answer of `ledgerfold`, with its exit code.
pub(crate) fn ledgerfold(arguments: &[&str]) -> (Option<i32>, Value) {
    run("ledgerfold", arguments)
}

fn run(program: &str, arguments: &[&str]) -> (Option<i32>, Value) {
    let test = env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/debug/deps");
    let mut command = Command::new(folder.join(program));
    command.env("LEDGERFOLD_STACK", Stack::path().expect("the stack is up"));
    command.env("LEDGERFOLD_CONTEXT", "banking");
    let output = command.args(arguments).arg("--json").output();
    let output = output.expect("scripts/test.sh has built it");
    let errors = String::from_utf8_lossy(&output.stderr);
    let answer =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {errors}"));
    (output.status.code(), answer.expect("a JSON document"))
}
