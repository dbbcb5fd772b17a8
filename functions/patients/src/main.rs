//! The program of every function of patients. Its environment chooses the role. `cargo run -p patients -- dev` runs all of
//! them in memory.

#[cfg(feature = "dev")]
use ledgerfold_dev::main as run;
#[cfg(not(feature = "dev"))]
use ledgerfold_lambda::main as run;

fn main() -> std::process::ExitCode {
    run(&patients::service())
}
