//! The program of every function. Its environment chooses the role. `make dev` runs all of them in memory.

#[cfg(feature = "dev")]
use ledgerfold_dev::main as run;
#[cfg(not(feature = "dev"))]
use ledgerfold_lambda::main as run;

fn main() -> std::process::ExitCode {
    run(&ledgerfold_lambda::Service::new(__ident__::context(), __ident__::api()))
}
