//! `devices-admin`: audit, repair and rebuild of the read models, and the template.

use std::process::ExitCode;

use ledgerfold_cli::Admin;

fn main() -> ExitCode {
    Admin::new(devices::context())
        .documented("functions/devices/openapi.json", devices::api().openapi())
        .main()
}
