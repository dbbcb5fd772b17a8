//! What `ledgerfold` can be told.

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{
    dead_letters::{self, DeadLetters},
    output::Output,
    parked::{self, Parked},
    show::{self, Show},
    streams::{self, ListStreams},
    target::TargetOptions,
    trouble::{Trouble, exit},
};

/// Looks inside a log and its queues, on AWS or in a local cloud.
#[derive(Debug, Parser)]
#[command(name = "ledgerfold", disable_help_subcommand = true, after_help = crate::trouble::EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the streams of the event table; reads the whole table in the end
    Streams(ListStreams),
    /// Show the events of a stream as they were stored
    Show(Show),
    /// Look at what the projections gave up on, and send it again
    #[command(subcommand)]
    DeadLetters(DeadLetters),
    /// Look at the streams that projections cannot move on, and have them tried again
    Parked(Parked),
}

/// Does what the arguments say, the first of which is the program's name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match CommandLine::try_parse_from(arguments) {
        Ok(line) => exit(line.run().await),
        Err(error) => crate::trouble::usage(&error),
    }
}

impl CommandLine {
    async fn run(self) -> Result<ExitCode, Trouble> {
        let target = self.target.resolve()?;
        let mut output = Output::of(&self.target);
        match self.command {
            Command::Streams(command) => streams::run(&command, &target, &mut output).await,
            Command::Show(command) => show::run(&command, &target, &mut output).await,
            Command::DeadLetters(command) => {
                dead_letters::run(&command, &target, &mut output).await
            }
            Command::Parked(command) => parked::run(&command, &target, &mut output).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::CommandLine;

    #[test]
    fn what_is_parked_is_listed_or_tried_again() {
        for good in ["parked", "parked shipment", "parked retry shipment", "parked --json"] {
            let arguments = ["ledgerfold"].into_iter().chain(good.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_ok(), "{good} was refused");
        }
        for bad in ["parked shipment retry", "parked retry", "parked one other"] {
            let arguments = ["ledgerfold"].into_iter().chain(bad.split(' '));
            assert!(CommandLine::try_parse_from(arguments).is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn the_options_do_not_contradict_each_other() {
        CommandLine::command().debug_assert();
    }
}
