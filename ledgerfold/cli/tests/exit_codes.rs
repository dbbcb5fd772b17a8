//! Runs the binary and checks exit codes, standard output and standard error. No server is needed.

use std::process::{Command, Output};

fn ledgerfold(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledgerfold"))
        .args(arguments)
        .env_remove("LEDGERFOLD_STACK")
        .current_dir(std::env::temp_dir())
        .output()
        .expect("the binary runs")
}

fn check(arguments: &[&str], code: i32, expected: &str) {
    let output = ledgerfold(arguments);
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{err}");
    let (used, unused) = if code == 0 { (&out, &err) } else { (&err, &out) };
    assert!(used.contains(expected), "{arguments:?} printed {used}");
    assert!(unused.is_empty(), "{arguments:?} also printed {unused}");
}

#[test]
fn help_goes_to_standard_output() {
    check(&["--help"], 0, "dead-letters");
    check(&["show", "--help"], 0, "--version");
    check(&["verify-chain", "--help"], 0, "unreadable");
    check(&["completions", "bash"], 0, "dead-letters");
}

#[test]
fn wrong_usage_exits_with_2() {
    check(&[], 2, "Usage");
    check(&["stream"], 2, "streams");
    check(&["show", "no-stream"], 2, "<category>#<id>");
    check(&["show", "order#1", "--version", "1", "--at", "2026-11-23T12:00:00Z"], 2, "--at");
    check(&["show", "acme/order"], 2, "<tenant>/<category>#<id>");
    check(&["show", "order#1", "--tenant", "a/b"], 2, "--tenant");
    check(&["verify-chain"], 2, "--event-table");
    check(&["streams"], 2, "--event-table");
    check(&["streams", "--event-table", "t", "--limit", "0"], 2, "--limit");
    check(&["auditt"], 2, "audit");
    check(&["tail", "--event-table", "t", "--count", "0"], 2, "--count");
    check(&["costs", "--event-table", "t", "--read-price=-1"], 2, "0 or more");
    check(&["replay", "list"], 2, "--archive");
    check(&["dead-letters", "redrive", "x", "--dead-letter-queue", "y=http://q"], 2, "known: y");
    check(&["token", "--role", "staff"], 2, "--sub");
    check(&["token", "--sub", "ada", "--tenant", "a/b"], 2, "A-Z a-z 0-9 . _ -");
    check(&["token", "--sub", "ada"], 2, "make up");
    check(&["load", "x.jsonl", "--rate", "0"], 2, "0.001");
    check(&["load", "x.jsonl", "--lasting", "10"], 2, "for example 10m");
    check(&["load", "x.jsonl", "--api", "orders"], 2, "http://");
}

#[test]
fn an_unreadable_file_exits_with_1() {
    check(&["streams", "--stack", "nowhere/stack.json"], 1, "nowhere/stack.json");
    check(&["load", "nowhere.jsonl"], 1, "nowhere.jsonl");
}

#[test]
fn a_load_without_an_address_exits_with_2_and_with_a_wrong_scenario_with_1() {
    let path = std::env::temp_dir().join(format!("ledgerfold-load-{}.jsonl", std::process::id()));
    let file = path.to_str().expect("the path is text");
    std::fs::write(&path, r#"{"name": "get", "method": "GET", "path": "/"}"#)
        .expect("it is written");
    check(&["load", file], 2, "--api");
    std::fs::write(&path, "{\"name\": \"get\"}").expect("it is written");
    check(&["load", file], 1, "line 1: missing field `method`");
    std::fs::remove_file(&path).expect("it is removed");
}

/// The admin program here prints its arguments and exits with 3.
#[cfg(unix)]
#[test]
fn commands_that_need_read_models_run_the_context_s_admin_program() {
    use std::{fs, os::unix::fs::PermissionsExt};

    let folder = std::env::temp_dir().join(format!("ledgerfold-cli-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the folder can be made");
    let program = folder.join("bank-admin");
    fs::write(&program, "#!/bin/sh\necho \"$@\"\nexit 3\n").expect("it can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("and be run");
    let stack = folder.join("stack.json");
    fs::write(&stack, r#"{"contexts": {"bank": {}}}"#).expect("it can be written");
    let stack = stack.to_string_lossy();

    for arguments in [
        vec!["--context", "bank", "audit", "--stream", "account#1", "--json"],
        vec!["rebuild", "statements", "--context=bank"],
        vec!["--stack", &stack, "repair", "--overwrite"],
        vec!["generations", "--help", "--stack", &stack],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ledgerfold"))
            .args(&arguments)
            .env("PATH", &folder)
            .env_remove("LEDGERFOLD_STACK")
            .current_dir(std::env::temp_dir())
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), arguments.join(" "));
    }
    check(&["audit", "--context", "films"], 1, "no films-admin beside this program");
    check(&["audit"], 2, "--context");
}
