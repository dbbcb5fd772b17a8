//! `completions`: the command line, told to a shell.

use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::{Shell, generate};

use crate::{error::CliError, output::Output};

/// Writes a script that completes words, as for `source <(ledgerfold completions bash)`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    shell: Shell,
}

/// Writes the completions of this command line.
pub(crate) fn run(
    command: &Completions,
    mut line: Command,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let name = line.get_bin_name().unwrap_or_else(|| line.get_name()).to_owned();
    // Made whole first, because it would panic where the reader has gone.
    let mut script = Vec::new();
    generate(command.shell, &mut line, name, &mut script);
    output.write(&script)?;
    Ok(ExitCode::SUCCESS)
}
