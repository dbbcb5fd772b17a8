//! `orders-admin`: audit, repair and rebuild of the orders' read models, and audit and repair of their deadlines.
//! Projections have the names of the template.

use std::process::ExitCode;

use ledgerfold::Decider;
use ledgerfold_cli::Admin;
use orders::{domain::Orders, process::PaymentDeadline, read_models};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let admin = Admin::new("orders-admin", Orders::CATEGORY, read_models::catalog());
    admin.process::<PaymentDeadline>().run().await
}
