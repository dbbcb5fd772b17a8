//! `completions`: scripts that complete the command line in a shell.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::{error::CliError, output::Output};

/// Writes a completion script, for example for `source <(ledgerfold completions bash)`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Writes the completions of this command line.
pub(crate) fn run(
    command: &Completions,
    mut line: Command,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let name = line.get_bin_name().unwrap_or_else(|| line.get_name()).to_owned();
    // Generated in memory first: `generate` panics if the reader of standard output has gone.
    let mut script = Vec::new();
    generate(command.shell, &mut line, name, &mut script);
    output.write(&script)?;
    Ok(ExitCode::SUCCESS)
}
