//! The program of every function. Its environment chooses the role. `cargo run -- dev` runs all of them in memory.

use ledgerfold_lambda::service::Service;

#[cfg(feature = "dev")]
use ledgerfold_dev::main as run;
#[cfg(not(feature = "dev"))]
use ledgerfold_lambda::main as run;

fn main() -> std::process::ExitCode {
    run(&Service::new(__ident__::context(), __ident__::api()))
}
