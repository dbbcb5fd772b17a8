//! The program of every function of orders. Its environment chooses the role. `cargo run -p orders -- dev` runs all of them
//! in memory.

fn main() -> std::process::ExitCode {
    ledgerfold_dev::main(&orders::service())
}
