//! `devices-demo` demonstrates the devices service on the stack that `make up` started.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::str::FromStr;

use devices_acceptance::demo::{self, Options};

const USAGE: &str = "\
usage: devices-demo [--devices COUNT] [--readings COUNT] [--workers COUNT] [--seed NUMBER] [--no-kills]

Sends readings of a fleet to the stack that `make up` started: with restarts, repeated, late and lost batches, and
wrong clocks. Kills its functions meanwhile. Compares all sums with the input, and ends with exit code 1 at the first
difference.";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match options(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            return match writeln!(stdout(), "{USAGE}") {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            };
        }
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match demo::run(options, &mut stdout().lock()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devices-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The options of the command line, or none for help.
fn options(arguments: &[String]) -> Result<Option<Options>, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(option) = rest.next() {
        let mut value = || rest.next().ok_or_else(|| format!("{option} needs a value"));
        match option {
            "-h" | "--help" | "help" => return Ok(None),
            "--devices" => options.devices = number(value()?)?,
            "--readings" => options.readings = number(value()?)?,
            "--workers" => options.workers = number(value()?)?,
            "--seed" => options.seed = number(value()?)?,
            "--no-kills" => options.kill = false,
            _ => return Err(format!("no such option: {option}")),
        }
    }
    if options.devices < 4 || options.workers == 0 || options.readings < options.devices {
        return Err("at least 4 devices, a reading for each and one worker are needed".to_owned());
    }
    Ok(Some(options))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
