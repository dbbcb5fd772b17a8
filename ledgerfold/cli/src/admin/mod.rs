//! `audit` and `repair`, for a team's own binary: they need its read models.

mod audit;
mod repair;
mod walk;

use std::{ffi::OsString, process::ExitCode, sync::Arc};

use aws_sdk_dynamodb::Client;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use ledgerfold::{
    Category,
    audit::{Audited, Verdict},
    ports::Quarantine,
    project::{Projection, RowModel, Tally, TallyModel},
};
use ledgerfold_dynamodb::{
    DynamoEventStore, DynamoQuarantine, DynamoRowStore, DynamoStreams, DynamoTallyStore,
};

use crate::{
    completions::{self, Completions},
    output::Output,
    target::{Target, TargetOptions},
    trouble::{EXIT_CODES, Trouble, exit, usage},
};

/// The command line of a context's `audit` and `repair`.
///
/// ```no_run
/// # use ledgerfold::{Category, project::Projection};
/// # async fn of<Loans: Projection>() -> std::process::ExitCode {
/// const BOOK: Category = Category::from_static("book");
/// ledgerfold_cli::Admin::new("library-admin", BOOK).rows::<Loans>("loans").run().await
/// # }
/// ```
pub struct Admin {
    name: &'static str,
    category: Category,
    models: Vec<(&'static str, Open)>,
}

type Open = fn(Client, &str) -> Arc<dyn Audited>;

/// A read model with its projection's name.
struct Model {
    projection: &'static str,
    model: Arc<dyn Audited>,
    /// Absent where no table is named that keeps it.
    quarantine: Option<Arc<dyn Quarantine>>,
}

/// What a command works on.
struct Context {
    log: Arc<DynamoEventStore>,
    index: DynamoStreams,
    category: Category,
    models: Vec<Model>,
}

#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, after_help = EXIT_CODES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    target: TargetOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hold the read models against the log, and say where they are not its fold
    Audit(audit::Options),
    /// Bring what the read models lack home from the log
    Repair(repair::Options),
    /// Write completions for a shell
    Completions(Completions),
}

impl Admin {
    /// A command line of this name, for the streams of this category.
    pub const fn new(name: &'static str, category: Category) -> Self {
        Self { name, category, models: Vec::new() }
    }

    /// With a read model of rows, by the name of its projection in the template.
    #[must_use]
    pub fn rows<P: Projection>(mut self, projection: &'static str) -> Self {
        self.models.push((projection, |client, table| {
            Arc::new(RowModel::<P>::new(Arc::new(DynamoRowStore::new(client, table))))
        }));
        self
    }

    /// With a tally, by the name of its projection in the template.
    #[must_use]
    pub fn tally<T: Tally>(mut self, projection: &'static str) -> Self {
        self.models.push((projection, |client, table| {
            Arc::new(TallyModel::<T>::new(Arc::new(DynamoTallyStore::new(client, table))))
        }));
        self
    }

    /// Does what the program was told. Nothing panics on what is stored, and nothing is written but by
    /// `repair`.
    pub async fn run(self) -> ExitCode {
        match self.parse(std::env::args_os()) {
            Ok(line) => exit(self.execute(line).await),
            Err(error) => usage(&error),
        }
    }

    fn parse(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<CommandLine, clap::Error> {
        CommandLine::from_arg_matches(&self.command().try_get_matches_from(arguments)?)
    }

    fn command(&self) -> clap::Command {
        CommandLine::command().name(self.name).bin_name(self.name)
    }

    async fn execute(self, line: CommandLine) -> Result<ExitCode, Trouble> {
        let mut output = Output::of(&line.target);
        match line.command {
            Command::Completions(options) => {
                completions::run(&options, self.command(), &mut output)
            }
            Command::Audit(options) => {
                let target = line.target.resolve()?;
                let context = self.context(&target, options.projections()).await?;
                audit::run(&options, &context, &mut output).await
            }
            Command::Repair(options) => {
                let target = line.target.resolve()?;
                let context = self.context(&target, options.projections()).await?;
                repair::run(&options, &context, &mut output).await
            }
        }
    }

    /// All read models, or those of the projections that are named.
    async fn context(self, target: &Target, wanted: &[String]) -> Result<Context, Trouble> {
        if let Some(unknown) =
            wanted.iter().find(|wanted| self.models.iter().all(|(name, _)| name != wanted))
        {
            let known = self.models.iter().map(|(name, _)| (*name).to_owned()).collect();
            return Err(Trouble::Unknown { what: "projection", name: unknown.clone(), known });
        }
        let client = target.connection.dynamodb().await;
        let table = target.event_table()?;
        let mut models = Vec::new();
        for (projection, open) in self.models {
            if wanted.is_empty() || wanted.iter().any(|wanted| wanted == projection) {
                let model = open(client.clone(), target.read_table(projection)?);
                let states = target.projection_states().ok();
                let quarantine = states.map(|table| quarantine(client.clone(), table, projection));
                models.push(Model { projection, model, quarantine });
            }
        }
        Ok(Context {
            log: Arc::new(target.log().await?),
            index: DynamoStreams::new(client, table).in_pages_of(walk::COMMITS_PER_PAGE),
            category: self.category,
            models,
        })
    }
}

fn quarantine(client: Client, table: &str, projection: &str) -> Arc<dyn Quarantine> {
    Arc::new(DynamoQuarantine::new(client, table, projection))
}

/// A verdict as one word.
const fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Current => "current",
        Verdict::Lost => "lost",
        Verdict::Behind => "behind",
        Verdict::Diverged => "diverged",
        Verdict::Ahead => "ahead",
        Verdict::Unreadable(_) => "unreadable",
        Verdict::Parked(_) => "parked",
    }
}

#[cfg(test)]
mod tests {
    use ledgerfold::Category;

    use super::{Admin, Command};

    fn parsed(arguments: &[&str]) -> Result<Command, clap::Error> {
        let admin = Admin::new("books-admin", Category::from_static("book"));
        let arguments = ["books-admin"].iter().chain(arguments).map(Into::into);
        admin.parse(arguments).map(|line| line.command)
    }

    #[test]
    fn the_arguments_are_held_to_what_makes_sense() {
        assert!(matches!(parsed(&["audit"]), Ok(Command::Audit(_))));
        assert!(parsed(&["audit", "--stream", "book#1", "--stream", "book#2", "--json"]).is_ok());
        assert!(parsed(&["repair", "--projection", "loans", "--overwrite", "--yes"]).is_ok());
        for bad in [
            vec!["audit", "--stream", "no stream"],
            vec!["audit", "--stream", "book#1", "--from", "x"],
            vec!["audit", "--overwrite"],
            vec!["rebuild"],
            vec![],
        ] {
            assert!(parsed(&bad).is_err(), "{bad:?} was taken");
        }
    }
}
