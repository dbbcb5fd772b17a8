//! The binary from outside: exit codes, and what goes to which stream. No server is needed.

use std::process::{Command, Output};

fn ledgerfold(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledgerfold"))
        .args(arguments)
        .env_remove("LEDGERFOLD_STACK")
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the binary runs")
}

fn check(arguments: &[&str], code: i32, said: &str) {
    let output = ledgerfold(arguments);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    let (spoken, silent) = if code == 0 { (&out, &err) } else { (&err, &out) };
    assert!(spoken.contains(said), "{arguments:?} said {spoken}");
    assert!(silent.is_empty(), "{arguments:?} also said {silent}");
}

#[test]
fn help_is_an_answer() {
    check(&["--help"], 0, "dead-letters");
    check(&["show", "--help"], 0, "--version");
}

#[test]
fn a_wrong_call_is_2() {
    check(&[], 2, "Usage");
    check(&["stream"], 2, "streams");
    check(&["show", "no-stream"], 2, "<category>#<id>");
    check(&["show", "order#1", "--version", "1", "--at", "2026-11-23T12:00:00Z"], 2, "--at");
    check(&["streams"], 2, "--event-table");
    check(&["streams", "--event-table", "t", "--limit", "0"], 2, "--limit");
    check(&["dead-letters", "redrive", "x", "--dead-letter-queue", "y=http://q"], 2, "there are y");
}

#[test]
fn a_file_that_cannot_be_read_is_1() {
    check(&["streams", "--stack", "nowhere/stack.json"], 1, "nowhere/stack.json");
}
