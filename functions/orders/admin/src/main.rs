//! `orders-admin`: audit, repair and rebuild of the orders' read models, by the names of the
//! template's projections.

use std::process::ExitCode;

use ledgerfold::Decider;
use ledgerfold_cli::Admin;
use orders::{domain::Orders, read_models};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Admin::new("orders-admin", Orders::CATEGORY, read_models::catalog()).run().await
}
