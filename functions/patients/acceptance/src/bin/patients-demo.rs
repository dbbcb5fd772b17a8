//! `patients-demo` demonstrates the patients service on the stack that `make up` started.

use std::io::stdout;
use std::process::ExitCode;

use patients_acceptance::demo;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match demo::run(&mut stdout().lock()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("patients-demo: {error}");
            ExitCode::FAILURE
        }
    }
}
