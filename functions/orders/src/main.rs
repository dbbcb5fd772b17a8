//! The program of every function of orders. Its environment chooses the role.

fn main() -> std::process::ExitCode {
    ledgerfold_lambda::main(&orders::service())
}
