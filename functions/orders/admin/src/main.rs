//! `orders-admin`: audit, repair and rebuild of the orders' read models, and audit and repair of their deadlines.

use std::process::ExitCode;

use ledgerfold_cli::Admin;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Admin::new("orders-admin", orders::context()).run().await
}
