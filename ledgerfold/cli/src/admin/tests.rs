//! Tests of the arguments of the admin program.

use ledgerfold::context::Context;
use ledgerfold_testkit::{bank::Statements, loyalty};

use super::{Admin, Command, OnContext};
use crate::error::CliError;

fn parsed(arguments: &[&str]) -> Result<Command, clap::Error> {
    let admin = Admin::new(Context::new("bank"));
    let arguments = ["bank-admin"].iter().chain(arguments).map(Into::into);
    admin.parse(arguments).map(|line| line.command)
}

/// The projections of a command, with the other context that they read.
fn chosen(arguments: &[&str]) -> Result<(Vec<&'static str>, Option<&'static str>), CliError> {
    let context = loyalty::context().rows::<Statements>("own");
    let admin = Admin::new(context);
    let arguments = ["loyalty-admin"].iter().chain(arguments).map(Into::into);
    let line = admin.parse(arguments).expect("the arguments are valid");
    let Command::OnContext(command) = line.command else { unreachable!("{line:?}") };
    let chosen = admin.chosen(&command)?;
    let source = admin.source(&chosen)?;
    Ok((chosen, source.map(|source| source.context())))
}

#[test]
fn a_command_reads_one_log() {
    let foreign = ["audit", "--projection", "points", "--projection", "activity"];
    let read = chosen(&foreign).expect("both read the bank");
    assert_eq!(read, (vec!["points", "activity"], Some("bank")));
    assert_eq!(chosen(&["audit"]).expect("the own log"), (vec!["own"], None));
    let mixed = chosen(&["rebuild", "points", "own"]);
    assert!(matches!(mixed, Err(CliError::SeveralSources)), "{mixed:?}");
}

#[test]
fn a_comparison_with_the_own_log_is_recognised() {
    for (arguments, needed) in [
        (&["audit", "--bus"][..], true),
        (&["audit", "--claims"], true),
        (&["repair", "--deadlines"], true),
        (&["audit"], false),
        (&["rebuild", "--all"], false),
    ] {
        let Ok(Command::OnContext(command)) = parsed(arguments) else {
            unreachable!("{arguments:?}")
        };
        assert_eq!(command.needs_own_log(), needed, "{arguments:?}");
    }
}

#[test]
fn invalid_combinations_of_arguments_are_refused() {
    assert!(matches!(parsed(&["audit"]), Ok(Command::OnContext(OnContext::Audit(_)))));
    assert!(parsed(&["audit", "--stream", "account#1", "--stream", "account#2", "--json"]).is_ok());
    assert!(parsed(&["repair", "--projection", "statements", "--overwrite", "--yes"]).is_ok());
    assert!(parsed(&["audit", "--sample", "50", "--projection", "statements"]).is_ok());
    assert!(parsed(&["audit", "--bus", "--since", "2026-11-23T12:00:00Z"]).is_ok());
    assert!(parsed(&["audit", "--deadlines", "--setting", "lending=60"]).is_ok());
    assert!(parsed(&["repair", "--deadlines", "--stream", "account#1", "--yes"]).is_ok());
    assert!(parsed(&["repair", "--bus", "--stream", "account#1", "--rate", "5", "--yes"]).is_ok());
    assert!(
        parsed(&["rebuild", "statements", "totals", "--segments", "4", "--rate", "200"]).is_ok()
    );
    assert!(parsed(&["rebuild", "--all", "--no-switch"]).is_ok());
    assert!(parsed(&["roll-back", "statements", "--yes", "--longest-read", "10"]).is_ok());
    assert!(parsed(&["generations"]).is_ok());
    assert!(parsed(&["generate", "--check", "--into", "project"]).is_ok());
    assert!(parsed(&["audit", "--claims", "--stream", "account#1"]).is_ok());
    assert!(parsed(&["claims", "build", "--segments", "4", "--rate", "200"]).is_ok());
    assert!(parsed(&["claims", "show", "--reservations", "keys", "--json"]).is_ok());
    for bad in [
        vec!["audit", "--stream", "no stream"],
        vec!["audit", "--stream", "account#1", "--from", "x"],
        vec!["audit", "--overwrite"],
        vec!["audit", "--sample", "0"],
        vec!["audit", "--sample", "5", "--stream", "account#1"],
        vec!["audit", "--since", "2026-11-23T12:00:00Z"],
        vec!["audit", "--bus", "--until", "noon"],
        vec!["repair", "--bus", "--overwrite"],
        vec!["repair", "--bus", "--deadlines"],
        vec!["repair", "--deadlines", "--projection", "statements"],
        vec!["audit", "--deadlines", "--setting", "60"],
        vec!["repair", "--bus", "--projection", "statements"],
        vec!["repair", "--rate", "0"],
        vec!["rebuild"],
        vec!["rebuild", "statements", "--all"],
        vec!["rebuild", "statements", "--segments", "0"],
        vec!["rebuild", "statements", "--rate", "0"],
        vec!["roll-back"],
        vec!["claims"],
        vec!["claims", "build", "--segments", "0"],
        vec!["audit", "--claims", "--sample", "5"],
        vec!["audit", "--claims", "--from", "x"],
        vec!["remove-old"],
        vec![],
    ] {
        assert!(parsed(&bad).is_err(), "{bad:?} was accepted");
    }
}
