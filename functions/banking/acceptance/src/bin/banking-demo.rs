//! `banking-demo` demonstrates the banking service on the stack that `make up` started.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::str::FromStr;

use banking_acceptance::demo::{self, Options};

const USAGE: &str = "\
usage: banking-demo [--accounts COUNT] [--operations COUNT] [--workers COUNT] [--seed NUMBER] [--no-kills]

Sends random operations to the stack that `make up` started, kills its functions meanwhile, and compares everything
that the service shows with a book of its own. The exit code is 1 if anything differs.";

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
        Ok(verdict) => verdict.into(),
        Err(error) => {
            eprintln!("banking-demo: {error}");
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
            "--accounts" => options.accounts = number(value()?)?,
            "--operations" => options.operations = number(value()?)?,
            "--workers" => options.workers = number(value()?)?,
            "--seed" => options.seed = number(value()?)?,
            "--no-kills" => options.kill = false,
            _ => return Err(format!("no such option: {option}")),
        }
    }
    if options.accounts < 12 || options.workers == 0 {
        return Err("at least 12 accounts and one worker are needed".to_owned());
    }
    Ok(Some(options))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
