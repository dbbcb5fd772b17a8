//! `banking-admin`: audit, repair and rebuild of the read models, the trial balance and the journal, and the template.

mod journal;
mod trial_balance;

use std::process::ExitCode;

use ledgerfold_cli::Admin;

use journal::ExportJournal;
use trial_balance::ShowTrialBalance;

fn main() -> ExitCode {
    Admin::new(banking::context())
        .documented("functions/banking/openapi.json", banking::api().openapi())
        .reporting::<ShowTrialBalance>()
        .reporting::<ExportJournal>()
        .main()
}
