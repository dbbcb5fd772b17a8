//! `patients-admin`: audit, repair and rebuild of the read model, and the template.

use std::process::ExitCode;

use ledgerfold_cli::Admin;

fn main() -> ExitCode {
    Admin::new(patients::context())
        .documented("functions/patients/openapi.json", patients::api().openapi())
        .main()
}
