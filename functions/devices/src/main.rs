//! The program of every function of devices. Its environment chooses the role. `cargo run -p devices -- dev` runs all of
//! them in memory.

#[cfg(feature = "dev")]
use ledgerfold_dev::main as run;
#[cfg(not(feature = "dev"))]
use ledgerfold_lambda::main as run;

fn main() -> std::process::ExitCode {
    run(&devices::service())
}
