//! The arguments of `ledgerfold` and the dispatch to its commands.

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    admin_program::{self, AdminArguments},
    completions::{self, Completions},
    costs::{self, EstimateCosts},
    dead_letters::{self, DeadLetters},
    deadlines::{self, Deadlines},
    error::{CliError, exit},
    load::{self, Load},
    new_project::{self, New},
    output::Output,
    parked::{self, Parked},
    replay::{self, Replay},
    show::{self, Show},
    streams::{self, ListStreams},
    tail::{self, Tail},
    target::{Target, TargetOptions},
    token::{self, Token},
    transparency::{self, Prove, Verify, VerifyProof},
    verify_certificate::{self, VerifyCertificate},
    verify_chain::{self, VerifyChain},
};

/// Looks inside a log, its bus and its queues, on AWS or in a local cloud
#[derive(Debug, Parser)]
#[command(name = "ledgerfold", disable_help_subcommand = true, after_help = crate::error::EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    OnTarget(OnTarget),
    #[command(flatten)]
    Admin(Admin),
    VerifyProof(VerifyProof),
    /// Make a token for a caller of the local cloud
    Token(Token),
    VerifyCertificate(VerifyCertificate),
    /// Write a repository with a small service that runs
    New(New),
    /// Write completions for a shell
    Completions(Completions),
}

/// Commands that need only tables, queues and the bus, no domain code.
#[derive(Debug, Subcommand)]
enum OnTarget {
    /// List the streams of the event table; a full list reads the whole table
    Streams(ListStreams),
    /// Show the events of a stream as they were stored
    Show(Show),
    /// Show events as they are appended
    Tail(Tail),
    VerifyChain(VerifyChain),
    Verify(Verify),
    Prove(Prove),
    /// Show, redrive or purge the messages in dead-letter queues
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Show quarantined streams and their reasons, retry them, or skip events
    Parked(Parked),
    /// Show overdue and failed deadlines of a process, and retry them
    Deadlines(Deadlines),
    /// Replay events from the bus's archive
    #[command(subcommand)]
    Replay(Replay),
    /// Estimate the cost of commands on the log
    Costs(EstimateCosts),
    /// Send requests to the API at a fixed rate, and report latencies
    Load(Load),
}

/// Commands that need a context's read models, so that its own program runs them.
#[derive(Debug, Subcommand)]
enum Admin {
    /// Compare the read models with the log (runs `<context>-admin`)
    Audit(AdminArguments),
    /// Write the events that read models are missing (runs `<context>-admin`)
    Repair(AdminArguments),
    /// Rebuild a read model (runs `<context>-admin`)
    Rebuild(AdminArguments),
    /// Build or show the reservations of unique keys (runs `<context>-admin`)
    Claims(AdminArguments),
    /// Show the generations of read models (runs `<context>-admin`)
    Generations(AdminArguments),
    /// Export events as Parquet files, wait for windows, verify files, or list them (runs `<context>-admin`)
    Export(AdminArguments),
}

/// Runs the command in these arguments. The first argument is the program's name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match CommandLine::try_parse_from(&arguments) {
        Ok(line) => exit(line.run(&arguments).await),
        Err(error) => crate::error::usage(&error),
    }
}

impl CommandLine {
    async fn run(self, arguments: &[OsString]) -> Result<ExitCode, CliError> {
        let mut output = Output::of(&self.target);
        match self.command {
            Command::OnTarget(command) => command.run(&self.target.resolve()?, &mut output).await,
            Command::Admin(_) => admin_program::run(arguments.get(1..).unwrap_or_default()),
            Command::VerifyProof(command) => transparency::verify_proof(&command, &mut output),
            Command::Token(command) => {
                token::run(&command, &self.target.tenant, self.target.stack()?, &mut output)
            }
            Command::VerifyCertificate(command) => verify_certificate::run(&command, &mut output),
            Command::New(options) => new_project::run(&options, &mut output),
            Command::Completions(command) => {
                completions::run(&command, Self::command(), &mut output)
            }
        }
    }
}

impl OnTarget {
    async fn run(self, target: &Target, output: &mut Output) -> Result<ExitCode, CliError> {
        match self {
            Self::Streams(command) => streams::run(&command, target, output).await,
            Self::Show(command) => show::run(&command, target, output).await,
            Self::Tail(command) => tail::run(&command, target, output).await,
            Self::VerifyChain(command) => verify_chain::run(&command, target, output).await,
            Self::Verify(command) => transparency::verify(&command, target, output).await,
            Self::Prove(command) => transparency::prove(&command, target, output).await,
            Self::DeadLetters(command) => dead_letters::run(&command, target, output).await,
            Self::Parked(command) => parked::run(&command, target, output).await,
            Self::Deadlines(command) => deadlines::run(&command, target, output).await,
            Self::Replay(command) => replay::run(&command, target, output).await,
            Self::Costs(command) => costs::run(&command, target, output).await,
            Self::Load(command) => load::run(&command, target, output).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::CommandLine;

    #[test]
    fn deadlines_need_a_process() {
        for good in [
            "deadlines payment-deadline",
            "deadlines payment-deadline --until 2026-11-23T12:00:00Z",
            "deadlines retry payment-deadline --json",
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        for bad in ["deadlines", "deadlines retry", "deadlines No_Process"] {
            let arguments = ["ledgerfold"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn parked_lists_retries_and_skips() {
        let skip = "skip shipment order#1 3 --actor ada --reason=none";
        let good = [skip, "unskip shipment order#1 3 --actor ada", "skips", "skips shipment"];
        for good in good.map(|action| format!("parked {action}")) {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        let no_reason = "skip shipment order#1 3 --actor ada";
        let no_stream = "skip shipment order 3 --actor ada --reason=none";
        let no_version = "skip shipment order#1 0 --actor ada --reason=none";
        let no_name = "unskip shipment order#1 3 --actor=";
        for bad in [no_reason, no_stream, no_version, no_name, "skips one other"] {
            let arguments = ["ledgerfold", "parked"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was accepted");
        }
        for good in ["parked", "parked shipment", "parked retry shipment", "parked --json"] {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        for bad in ["parked shipment retry", "parked retry", "parked one other"] {
            let arguments = ["ledgerfold"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn a_certificate_is_one_file() {
        for (line, is_good) in [
            ("verify-certificate erasure.json", true),
            ("verify-certificate - --key BBs --json", true),
            ("verify-certificate", false),
            ("verify-certificate one.json other.json", false),
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(line.split(' '));
            assert_eq!(CommandLine::try_parse_from(arguments).is_ok(), is_good, "{line}");
        }
    }

    #[test]
    fn a_token_needs_a_subject() {
        for good in [
            "token --sub ada",
            "token --sub auth0|1 --role staff --role customer --tenant acme --scope a --expires-in 10m",
            "token key-set",
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        for bad in [
            "token",
            "token --role staff",
            "token --sub=",
            "token --sub ada --tenant a/b",
            "token --sub ada --role é",
            "token --sub ada --scope \"",
            "token --sub ada --expires-in 0s",
            "token key-set --sub ada",
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn a_chain_is_verified_of_named_streams_or_of_all() {
        for good in [
            "verify-chain",
            "verify-chain order#1 acme/order#2 --json",
            "verify-chain --category order --tenant acme",
            "--tenant acme verify-chain --from place",
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        for bad in [
            "verify-chain order",
            "verify-chain order#1 --category order",
            "verify-chain order#1 --from place",
            "verify-chain --tenant a/b",
        ] {
            let arguments = ["ledgerfold"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was accepted");
        }
    }

    #[test]
    fn the_options_do_not_contradict_each_other() {
        CommandLine::command().debug_assert();
    }
}
