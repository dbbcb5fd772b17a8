//! The binary `ledgerfold`.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ledgerfold_cli::command_line::run(std::env::args_os()).await
}
