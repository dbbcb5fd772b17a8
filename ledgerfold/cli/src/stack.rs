//! The stack file, in which `make up` writes the names and addresses of a deployment.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use ledgerfold_tokens::issuer::LocalIssuer;
use serde::Deserialize;

use crate::error::CliError;

const STACK_FILE: &str = "target/local/stack.json";

/// The content of the file. Unknown keys are ignored.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stack {
    /// The address of a local cloud. If absent, AWS as the environment configures it.
    pub(crate) endpoint: Option<String>,
    /// The address of the local cloud's DynamoDB, if it has its own.
    pub(crate) tables_endpoint: Option<String>,
    pub(crate) region: Option<String>,
    /// The archive of the bus, by name or ARN.
    pub(crate) archive: Option<String>,
    /// The bus, by name or ARN.
    pub(crate) bus: Option<String>,
    /// The issuer of tokens, which only a local cloud has.
    pub(crate) auth: Option<LocalIssuer>,
    contexts: BTreeMap<String, Context>,
}

/// A bounded context.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Context {
    /// The address of the API.
    pub(crate) api: Option<String>,
    /// The key that the API requires, if it does.
    pub(crate) api_key: Option<String>,
    pub(crate) event_table: Option<String>,
    /// The bucket for payloads too large for the event table, with an optional prefix after a slash.
    pub(crate) payloads: Option<String>,
    /// The table of unique keys and of commands that are recognised for ever.
    pub(crate) reservations: Option<String>,
    /// Read tables by projection; the queues have the same keys.
    pub(crate) read_tables: BTreeMap<String, String>,
    pub(crate) queues: BTreeMap<String, String>,
    pub(crate) dead_letters: BTreeMap<String, String>,
    /// The rules from the bus to the queues, as ARNs.
    pub(crate) rules: BTreeMap<String, String>,
    /// The table of the states of projections: generations, quarantined streams and skips.
    pub(crate) projection_states: Option<String>,
    /// The table of the deadlines of processes.
    pub(crate) deadlines: Option<String>,
    /// The bucket, the table and the windows of the export, if there is one.
    pub(crate) export: Export,
    /// The settings of processes, by process.
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) audit: Audit,
}

/// The export of a context.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Export {
    pub(crate) bucket: Option<String>,
    /// The table of its progress.
    pub(crate) progress: Option<String>,
    /// The length of its windows, as text.
    pub(crate) minutes: Option<String>,
}

/// The queue and the rule for audits of the bus.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Audit {
    /// The address of the queue.
    pub(crate) queue: Option<String>,
    /// The rule that leads to the queue, as an ARN.
    pub(crate) rule: Option<String>,
}

impl Stack {
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CliError::UnreadableStack { path: path.to_owned(), source })?;
        serde_json::from_str(&text)
            .map_err(|source| CliError::MalformedStack { path: path.to_owned(), source })
    }

    /// The nearest stack file, from the current folder upwards.
    pub(crate) fn nearest() -> Option<PathBuf> {
        let here = env::current_dir().ok()?;
        here.ancestors().map(|folder| folder.join(STACK_FILE)).find(|path| path.is_file())
    }

    /// All contexts.
    pub(crate) const fn contexts(&self) -> &BTreeMap<String, Context> {
        &self.contexts
    }

    /// The context of this name, or the only one if no name is given.
    pub(crate) fn context(&self, name: Option<&str>) -> Result<(&str, &Context), CliError> {
        let found = match name {
            Some(name) => self.contexts.get_key_value(name),
            None if self.contexts.len() == 1 => self.contexts.iter().next(),
            None => None,
        };
        found.map(|(name, context)| (name.as_str(), context)).ok_or_else(|| CliError::Unknown {
            subject: "context",
            name: name.unwrap_or("(none named)").to_owned(),
            known: self.contexts.keys().cloned().collect(),
        })
    }
}
