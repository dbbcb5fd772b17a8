//! `generate`: writes the files that follow from the declaration.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use ledgerfold::context::Context as Declaration;
use ledgerfold_infra::{Changes, File, files};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{CliError, FINDINGS},
    output::{Output, Report},
};

/// The folder of the templates in a project.
const TEMPLATES: &str = "infra";

/// Options of `generate`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The folder of the project
    #[arg(long, default_value = ".")]
    into: PathBuf,
    /// Only compare the files in the folder with the declaration
    #[arg(long)]
    check: bool,
}

/// The OpenAPI document of a context, and its place in the project.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) content: Result<Value, String>,
}

#[derive(Serialize)]
struct Written {
    /// The files that changed.
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
    document: Option<&Document>,
    output: &mut Output,
) -> Result<ExitCode, CliError> {
    let mut report = Written { files: Vec::new(), differences: Vec::new() };
    let templates = files(context, changes)?.map(|file| (options.into.join(TEMPLATES), file));
    let document = document.map(|document| document.file(&options.into)).transpose()?;
    for (folder, file) in templates.into_iter().chain(document) {
        if options.check {
            report.differences.extend(file.difference(&folder));
        } else if write(&folder, &file)? {
            report.files.push(folder.join(&file.name).display().to_string());
        }
    }
    output.report(&report)?;
    Ok(if report.differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(FINDINGS) })
}

fn write(folder: &Path, file: &File) -> Result<bool, CliError> {
    let path = folder.join(&file.name);
    fs::create_dir_all(folder)
        .and_then(|()| file.write(folder))
        .map_err(|source| CliError::Unwritable { path, source })
}

impl Document {
    fn file(&self, root: &Path) -> Result<(PathBuf, File), CliError> {
        let content = self.content.as_ref().map_err(|reason| CliError::Api(reason.clone()))?;
        let text = serde_json::to_string_pretty(content)
            .map_err(|error| CliError::Api(error.to_string()))?;
        let path = root.join(&self.path);
        let folder = path.parent().unwrap_or(root).to_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((folder, File { name, text: text + "\n" }))
    }
}
