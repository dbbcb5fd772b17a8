//! `infra`: writes the templates.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use ledgerfold::context::Context as Declaration;
use ledgerfold_infra::{Changes, files};
use serde::Serialize;

use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report},
};

/// Options of `infra`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The folder of the templates
    #[arg(long, default_value = "infra")]
    into: PathBuf,
    /// Only compare the files in the folder with the declaration
    #[arg(long)]
    check: bool,
}

#[derive(Serialize)]
struct Written {
    /// The files that changed, or differ.
    files: Vec<String>,
    differences: Vec<String>,
}

impl Report for Written {
    fn text(&self) -> String {
        let files = self.files.iter().map(|file| format!("{file}\n"));
        files.chain(self.differences.iter().map(|it| format!("{it}\n"))).collect()
    }
}

pub(super) fn run(
    options: &Options,
    context: &Declaration,
    changes: &Changes,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Written { files: Vec::new(), differences: Vec::new() };
    for file in files(context, changes)? {
        let path = options.into.join(&file.name);
        if options.check {
            report.differences.extend(file.difference(&options.into));
        } else if file
            .write(&options.into)
            .map_err(|source| CliError::Unwritable { path: path.clone(), source })?
        {
            report.files.push(path.display().to_string());
        }
    }
    output.report(&report)?;
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}
