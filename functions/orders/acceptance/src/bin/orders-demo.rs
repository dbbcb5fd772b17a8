//! `orders-demo [INPUT]` demonstrates the orders service; `generate` creates its input, `speed` measures.

use std::io::{Write, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use ledgerfold_testkit::http::find_upwards;
use orders_acceptance::demo::{self, generate, script, speed};

const INPUT: &str = "functions/orders/acceptance/demo/orders.jsonl";

const USAGE: &str = "\
usage: orders-demo [INPUT]
       orders-demo generate [--orders COUNT] [--seed NUMBER]
       orders-demo speed [--orders COUNT]

Sends the commands in INPUT (JSON Lines) to the stack that `make up` started, and reports.
`generate` writes such a file to standard output.
`speed` measures how fast the stack answers and projects, without a report on the orders.";

enum Task {
    Show(PathBuf),
    Generate { orders: usize, seed: u64 },
    Measure { orders: usize },
    Help,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match task(&arguments) {
        Ok(Task::Show(input)) => demo::run(&input, &mut stdout().lock()).await,
        Ok(Task::Generate { orders, seed }) => {
            write(&script::write(&generate::lines(orders, seed)))
        }
        Ok(Task::Measure { orders }) => {
            speed::run(orders, &mut stdout().lock()).await.map(|()| true)
        }
        Ok(Task::Help) => write(&format!("{USAGE}\n")),
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("orders-demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(text: &str) -> Result<bool, demo::DemoError> {
    stdout().lock().write_all(text.as_bytes())?;
    Ok(true)
}

fn task(arguments: &[String]) -> Result<Task, String> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["-h" | "--help" | "help"] => Ok(Task::Help),
        ["generate", options @ ..] => generation(options),
        ["speed"] => Ok(Task::Measure { orders: 160 }),
        ["speed", "--orders", count] => Ok(Task::Measure { orders: number(count)? }),
        ["speed", ..] => Err("speed has only the option --orders COUNT".to_owned()),
        [option, ..] if option.starts_with('-') => Err(format!("no such option: {option}")),
        [] => find_upwards(INPUT)
            .map(Task::Show)
            .ok_or_else(|| format!("no {INPUT} here or above: give the input file")),
        [input] => Ok(Task::Show(PathBuf::from(input))),
        [_, more, ..] => Err(format!("only one input file is possible, not also {more}")),
    }
}

fn generation(options: &[&str]) -> Result<Task, String> {
    let mut orders = 320;
    let mut seed = 7;
    for option in options.chunks(2) {
        match option {
            ["--orders", count] => orders = number(count)?,
            ["--seed", start] => seed = number(start)?,
            _ => return Err(format!("generate has no option {}", option.join(" "))),
        }
    }
    Ok(Task::Generate { orders, seed })
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}
