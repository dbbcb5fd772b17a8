//! `orders-admin`: audit, repair and rebuild of the orders' read models, audit and repair of their deadlines, and the
//! template.

use std::process::ExitCode;

use ledgerfold_cli::Admin;

fn main() -> ExitCode {
    Admin::new(orders::context()).changing(orders_admin::changes()).main()
}
