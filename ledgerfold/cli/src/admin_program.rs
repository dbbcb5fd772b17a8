//! Runs the admin program of a context, for commands that need its read models.

use std::{
    env,
    ffi::OsString,
    io,
    path::PathBuf,
    process::{Command, ExitCode},
};

use clap::Args;

use crate::{error::CliError, target::TargetOptions};

/// The arguments of such a command. The admin program parses them.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct AdminArguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _arguments: Vec<OsString>,
}

/// Replaces this program with `<context>-admin`, with all the arguments unchanged.
pub(crate) fn run(arguments: &[OsString]) -> Result<ExitCode, CliError> {
    // These options may follow others that only the admin program knows.
    let context = value_of("--context", arguments).or_else(|| env::var_os("LEDGERFOLD_CONTEXT"));
    let options = TargetOptions::for_context(
        value_of("--stack", arguments).map(PathBuf::from),
        context.map(|name| name.to_string_lossy().into_owned()),
    );
    let program = format!("{}-admin", options.context_name()?);
    let mut command = Command::new(sibling(&program).unwrap_or_else(|| PathBuf::from(&program)));
    match replace_process(command.args(arguments)) {
        Ok(code) => Ok(code),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CliError::NoAdmin { program }),
        Err(source) => Err(CliError::UnusableAdmin { program, source }),
    }
}

/// The value of an option, given as `--option value` or `--option=value`.
fn value_of(option: &str, arguments: &[OsString]) -> Option<OsString> {
    arguments.iter().enumerate().find_map(|(at, argument)| {
        if argument == option {
            return arguments.get(at + 1).cloned();
        }
        let argument = argument.to_str()?;
        Some(argument.strip_prefix(option)?.strip_prefix('=')?.into())
    })
}

/// The program of this name in the folder of this one.
fn sibling(program: &str) -> Option<PathBuf> {
    let path = env::current_exe().ok()?;
    let path = path.parent()?.join(format!("{program}{}", env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

/// On success this does not return: streams, signals and exit code belong to the new program.
#[cfg(unix)]
fn replace_process(command: &mut Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::value_of;

    #[test]
    fn an_option_is_found_in_any_position() {
        let found = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            value_of("--context", &arguments).map(|value| value.to_string_lossy().into_owned())
        };
        assert_eq!(found(&["--context", "orders", "audit"]).as_deref(), Some("orders"));
        assert_eq!(
            found(&["audit", "--grace", "3", "--context=orders"]).as_deref(),
            Some("orders")
        );
        assert_eq!(found(&["audit", "--contexts", "orders"]), None);
        assert_eq!(found(&["audit", "--context"]), None);
    }
}
