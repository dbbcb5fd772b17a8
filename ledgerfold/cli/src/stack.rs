//! The file in which a deployment says where everything is, as `make up` writes it.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::error::CliError;

const STACK_FILE: &str = "target/local/stack.json";

/// What the file says. Keys that are not named here are ignored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stack {
    /// The address of a local cloud; AWS by the environment's configuration where there is none.
    pub(crate) endpoint: Option<String>,
    /// The address of the local cloud's DynamoDB, where it has one of its own.
    pub(crate) tables_endpoint: Option<String>,
    pub(crate) region: Option<String>,
    /// The archive of the bus, by name or ARN.
    pub(crate) archive: Option<String>,
    /// The bus, by name or ARN.
    pub(crate) bus: Option<String>,
    contexts: BTreeMap<String, Context>,
}

/// A bounded context.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Context {
    pub(crate) event_table: Option<String>,
    /// Where the log keeps what is too large for it, if it does: bucket, and a prefix behind a slash.
    pub(crate) payloads: Option<String>,
    /// Unique keys and commands that are recognised for ever, if there are any.
    pub(crate) reservations: Option<String>,
    /// By projection, as the queues are.
    pub(crate) read_tables: BTreeMap<String, String>,
    pub(crate) queues: BTreeMap<String, String>,
    pub(crate) dead_letters: BTreeMap<String, String>,
    /// What leads from the bus to the queues, by ARN.
    pub(crate) rules: BTreeMap<String, String>,
    /// What is known of projections beside their rows.
    pub(crate) projection_states: Option<String>,
    /// What processes are to do later.
    pub(crate) deadlines: Option<String>,
    /// What can be set of a process, by its name.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) audit: Audit,
}

/// By what the bus is audited.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Audit {
    /// The address of the queue.
    pub(crate) queue: Option<String>,
    /// What leads to it, by ARN.
    pub(crate) rule: Option<String>,
}

impl Stack {
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CliError::UnreadableStack { path: path.to_owned(), source })?;
        serde_json::from_str(&text)
            .map_err(|source| CliError::MalformedStack { path: path.to_owned(), source })
    }

    /// The nearest stack file from the current folder upwards.
    pub(crate) fn nearest() -> Option<PathBuf> {
        let here = env::current_dir().ok()?;
        here.ancestors().map(|folder| folder.join(STACK_FILE)).find(|path| path.is_file())
    }

    /// The context of this name, with its name; the only one where no name is given.
    pub(crate) fn context(&self, name: Option<&str>) -> Result<(&str, &Context), CliError> {
        let found = match name {
            Some(name) => self.contexts.get_key_value(name),
            None if self.contexts.len() == 1 => self.contexts.iter().next(),
            None => None,
        };
        found.map(|(name, context)| (name.as_str(), context)).ok_or_else(|| CliError::Unknown {
            what: "context",
            name: name.unwrap_or("(none named)").to_owned(),
            known: self.contexts.keys().cloned().collect(),
        })
    }
}
