//! `new`: a repository with a service that runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use clap::Args;
use ledgerfold::context::Context;
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Report},
};

/// Writes a repository with a small service: two commands, a projection with a query, tests, templates and a Makefile
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The name of the context: lower-case letters, digits and hyphens
    name: String,
    /// The folder of the repository, which must not exist or be empty [default: NAME]
    #[arg(long)]
    at: Option<PathBuf>,
    /// The checkout of Ledgerfold on which the service depends [default: the one from which this program was built]
    #[arg(long)]
    library: Option<PathBuf>,
}

/// A file of the repository, and its text with placeholders.
const FILES: [(&str, &str); 18] = [
    ("Cargo.toml", include_str!("../skeleton/root.toml")),
    ("Makefile", include_str!("../skeleton/Makefile.txt")),
    ("README.md", include_str!("../skeleton/readme.md")),
    (".gitignore", "target/\n"),
    (".github/workflows/ci.yml", include_str!("../skeleton/ci.yml")),
    ("events/Cargo.toml", include_str!("../skeleton/events/events.toml")),
    ("events/src/lib.rs", include_str!("../skeleton/events/src/lib.rs")),
    ("events/tests/contract.rs", include_str!("../skeleton/events/tests/contract.rs")),
    ("src/lib.rs", include_str!("../skeleton/src/lib.rs")),
    ("src/main.rs", include_str!("../skeleton/src/main.rs")),
    ("src/bin/__name__-admin.rs", include_str!("../skeleton/src/admin.rs")),
    ("src/domain.rs", include_str!("../skeleton/src/domain.rs")),
    ("src/commands/mod.rs", include_str!("../skeleton/src/commands/mod.rs")),
    ("src/commands/add_task.rs", include_str!("../skeleton/src/commands/add_task.rs")),
    ("src/commands/finish_task.rs", include_str!("../skeleton/src/commands/finish_task.rs")),
    ("src/queries/mod.rs", include_str!("../skeleton/src/queries/mod.rs")),
    ("src/queries/get_task.rs", include_str!("../skeleton/src/queries/get_task.rs")),
    ("tests/domain.rs", include_str!("../skeleton/tests/domain.rs")),
];

/// Files of the checkout that every project needs as they are: pinned versions, the format of code, and profiles with which the AWS SDK builds
/// fast.
const COPIED: [&str; 3] = ["Cargo.lock", ".cargo/config.toml", "rustfmt.toml"];

/// Crates that a package cannot be called.
const TAKEN: [&str; 7] = ["alloc", "core", "events", "ledgerfold", "serde", "std", "test"];

#[derive(Serialize)]
struct Written {
    folder: String,
    files: Vec<String>,
}

impl Report for Written {
    fn text(&self) -> String {
        format!(
            "Wrote {} files into {folder}. Next:\n\n  cd {folder}\n  make demo   # runs it on a local cloud\n  make dev    \
             # or in memory\n",
            self.files.len(),
            folder = self.folder
        )
    }
}

pub(crate) fn run(options: &New, output: &mut Output) -> Result<ExitCode, CliError> {
    let project = Project::of(options)?;
    let folder = options.at.clone().unwrap_or_else(|| PathBuf::from(&options.name));
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(CliError::NotEmpty(folder));
    }
    let mut files = Vec::new();
    for (name, text) in FILES {
        let name = project.named(name);
        write(&folder.join(&name), &project.filled(text))?;
        files.push(name);
    }
    for name in COPIED {
        let path = project.library.join(name);
        let text = fs::read_to_string(&path)
            .map_err(|source| CliError::UnreadableLibrary { path: path.clone(), source })?;
        write(&folder.join(name), &text)?;
        files.push(name.to_owned());
    }
    format_sources(&folder);
    output.report(&Written { folder: folder.display().to_string(), files })?;
    Ok(ExitCode::SUCCESS)
}

/// The order of imports depends on the name of the project. Without rustfmt it stays as it is, which harms nothing.
fn format_sources(folder: &Path) {
    let format = Command::new("cargo").args(["fmt", "--all"]).current_dir(folder).output();
    drop(format);
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|source| CliError::Unwritable { path: path.to_owned(), source })
}

/// What replaces the placeholders.
struct Project {
    name: String,
    library: PathBuf,
}

impl Project {
    fn of(options: &New) -> Result<Self, CliError> {
        let name = options.name.clone();
        Context::allowed_name(&name).map_err(|rule| CliError::ProjectName(rule.to_string()))?;
        if TAKEN.contains(&name.as_str()) || name.starts_with("ledgerfold-") {
            let taken = TAKEN.join(", ");
            let rule = format!("a crate is called {name}: choose a name that is none of {taken}");
            return Err(CliError::ProjectName(rule));
        }
        let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let library = options.library.clone().unwrap_or_else(built_from);
        let library = library.canonicalize().unwrap_or(library);
        match library.join("localstack/bootstrap.py").is_file() {
            true => Ok(Self { name, library }),
            false => Err(CliError::NoLibrary(library)),
        }
    }

    /// A text with the names of the project.
    fn named(&self, text: &str) -> String {
        text.replace("__library__", &self.library.display().to_string())
            .replace("__name__", &self.name)
            .replace("__ident__", &self.name.replace('-', "_"))
            .replace("__title__", &title(&self.name))
    }

    /// A file with the names of the project, and with the paths of its dependencies.
    fn filled(&self, text: &str) -> String {
        let library = self.library.display().to_string();
        let text = self.named(text);
        let lines = text.lines();
        lines
            .map(|line| dependency(line, &library).unwrap_or_else(|| line.to_owned()) + "\n")
            .collect()
    }
}

/// `my-shop` as a title: `My shop`.
fn title(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect::<String>().replace('-', " ")
}

/// A line of Cargo.toml such as `ledgerfold = __ledgerfold/core__`, with the path of the crate.
fn dependency(line: &str, library: &str) -> Option<String> {
    let (name, rest) = line.split_once("__ledgerfold/")?;
    let rest = rest.strip_suffix("__")?;
    let (package, options) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
    Some(format!("{name}{{ path = \"{library}/ledgerfold/{package}\"{options} }}"))
}

#[cfg(test)]
mod tests {
    use super::{FILES, Project, dependency, title};

    #[test]
    fn every_placeholder_is_filled() {
        let project = Project { name: "my-shop".to_owned(), library: "/library".into() };
        for (name, text) in FILES {
            for filled in [project.named(name), project.filled(text)] {
                assert!(!filled.contains("__"), "{name}: {filled}");
            }
        }
        let manifest = project.filled(FILES[0].1);
        assert!(
            manifest.contains("ledgerfold = { path = \"/library/ledgerfold/core\" }\n"),
            "{manifest}"
        );
        assert!(manifest.contains("/ledgerfold/dev\", optional = true }\n"), "{manifest}");
    }

    #[test]
    fn names_become_titles_and_lines_paths() {
        assert_eq!(title("my-shop"), "My shop");
        let line = dependency("a = __ledgerfold/core__", "/x");
        assert_eq!(line.as_deref(), Some("a = { path = \"/x/ledgerfold/core\" }"));
        assert_eq!(dependency("a = \"1\"", "/x"), None);
    }
}
