//! Tests of the arguments of the admin program.

use std::io::Write;

use async_trait::async_trait;
use ledgerfold::context::Context;
use ledgerfold_testkit::{bank::Statements, loyalty};

use super::{Admin, Command, Line, LogReport, OnContext, Outcome, ReportError, ReportLog};
use crate::error::CliError;

fn parsed(arguments: &[&str]) -> Result<Command, clap::Error> {
    known(&Admin::new(Context::new("bank")), arguments)
}

/// A command that every admin program has.
fn known(admin: &Admin, arguments: &[&str]) -> Result<Command, clap::Error> {
    let arguments = ["bank-admin"].iter().chain(arguments).map(Into::into);
    match admin.parse(arguments)? {
        Line::Known(line) => Ok(line.command),
        Line::Own(..) => unreachable!("these programs have no reports"),
    }
}

/// The projections of a command, with the other context that they read.
fn chosen(arguments: &[&str]) -> Result<(Vec<&'static str>, Option<&'static str>), CliError> {
    let context = loyalty::context().rows::<Statements>("own");
    let admin = Admin::new(context);
    let command = known(&admin, arguments).expect("the arguments are valid");
    let Command::OnContext(command) = command else { unreachable!("{command:?}") };
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
fn a_command_on_whole_generations_covers_all_tenants() {
    for (arguments, all) in [
        (&["rebuild", "--all"][..], true),
        (&["roll-back", "statements"], true),
        (&["remove-old", "statements"], true),
        (&["abandon", "statements"], true),
        (&["audit", "--tenant", "acme"], false),
        (&["repair", "--tenant", "acme"], false),
    ] {
        let Ok(Command::OnContext(command)) = parsed(arguments) else {
            unreachable!("{arguments:?}")
        };
        assert_eq!(command.covers_all_tenants(), all, "{arguments:?}");
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

/// A report with an option.
#[derive(clap::Args)]
struct Counting {
    /// Count only up to this many
    #[arg(long)]
    most: u64,
}

#[async_trait]
impl LogReport for Counting {
    const NAME: &'static str = "count";
    const ABOUT: &'static str = "Count the streams";

    async fn write(
        self,
        _: &ReportLog,
        out: &mut (dyn Write + Send),
    ) -> Result<Outcome, ReportError> {
        writeln!(out, "{}", self.most)?;
        Ok(Outcome::Fine)
    }
}

#[test]
fn a_report_of_the_context_is_a_command_with_its_own_options() {
    let admin = Admin::new(Context::new("bank")).reporting::<Counting>();
    let parsed =
        |arguments: &[&str]| admin.parse(["bank-admin"].iter().chain(arguments).map(Into::into));
    assert!(matches!(parsed(&["count", "--most", "7", "--tenant", "acme"]), Ok(Line::Own(..))));
    assert!(matches!(parsed(&["audit"]), Ok(Line::Known(_))));
    assert!(parsed(&["count"]).is_err(), "--most is required");
    assert!(parsed(&["count", "--unknown"]).is_err());
}
