//! Where the stack under test is: the file that `make up` leaves behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use serde::Deserialize;

/// Names the stack file, for a stack that was not started from this checkout.
pub const STACK_VARIABLE: &str = "LEDGERFOLD_STACK";

/// Names the folder in which each test group (`.config/nextest.toml`) that has a cloud of its own has a
/// folder of its name.
const CLOUDS_VARIABLE: &str = "LEDGERFOLD_CLOUDS";

const STACK_FILE: &str = "target/local/stack.json";

/// A deployed stack. Keys of the file that are not named here are ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The edge of the local cloud, which answers for every AWS service.
    pub endpoint: String,
    /// The DynamoDB behind it, where it can be asked without a detour.
    pub tables_endpoint: Option<String>,
    /// The AWS region the stack is deployed to.
    pub region: String,
    /// The event bus, by name or ARN.
    pub bus: String,
    /// The archive of that bus, by name or ARN.
    pub archive: String,
    /// Which emulator it runs on, where it does.
    pub emulator: Option<String>,
    /// What belongs to one bounded context.
    pub contexts: Contexts,
}

/// The bounded contexts of a stack that this crate knows.
#[derive(Debug, Clone, Deserialize)]
pub struct Contexts {
    /// The orders service.
    pub orders: OrdersContext,
}

/// The orders service in a stack.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrdersContext {
    /// The address that paths of the contract are appended to, without a trailing slash.
    pub api: String,
    /// The DynamoDB table of commits.
    pub event_table: String,
    /// The API key, where the deployment asks for one.
    pub api_key: Option<String>,
    /// The DynamoDB table of what is to happen later.
    pub deadlines: Option<String>,
    /// Function names by role: `command`, `relay`, `query`, `projector-order-view`…
    #[serde(default)]
    pub functions: BTreeMap<String, String>,
    /// What is known of projections beside their rows.
    pub projection_states: Option<String>,
    /// Read tables by projection.
    #[serde(default)]
    pub read_tables: BTreeMap<String, String>,
    /// Queue addresses by projection or process.
    #[serde(default)]
    pub queues: BTreeMap<String, String>,
    /// ARNs of the rules that feed the projections.
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
    /// Dead-letter queue addresses.
    #[serde(default)]
    pub dead_letters: BTreeMap<String, String>,
}

/// The stack file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// No stack file from here upwards: the stack is not up.
    #[error(
        "no {STACK_FILE} here or above: start the stack with `make up`, or set {STACK_VARIABLE}"
    )]
    NotFound,
    /// The file is there and cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not say what a stack file says.
    #[error("{} is not a stack file: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
}

impl Stack {
    /// Reads the stack file named by [`STACK_VARIABLE`], or the nearest one from the current folder
    /// upwards: tests start in their package's folder, the demo at the root of the checkout.
    ///
    /// # Errors
    /// When there is no such file, or it is not a stack file.
    pub fn find() -> Result<Self, StackError> {
        Self::read(&Self::path()?)
    }

    /// The stack file that [`Stack::find`] reads.
    ///
    /// # Errors
    /// When there is none.
    pub fn path() -> Result<PathBuf, StackError> {
        Self::of_group()
            .or_else(|| env::var_os(STACK_VARIABLE).map(PathBuf::from))
            .or_else(|| find_upwards(STACK_FILE))
            .ok_or(StackError::NotFound)
    }

    /// The stack file of the test's group, if that has a cloud of its own.
    fn of_group() -> Option<PathBuf> {
        let clouds = PathBuf::from(env::var_os(CLOUDS_VARIABLE)?);
        let path = clouds.join(env::var_os("NEXTEST_TEST_GROUP")?).join("stack.json");
        path.is_file().then_some(path)
    }

    /// Reads one stack file.
    ///
    /// # Errors
    /// When it cannot be read or is not a stack file.
    pub fn read(path: &Path) -> Result<Self, StackError> {
        let text = fs::read_to_string(path)
            .map_err(|source| StackError::Unreadable { path: path.to_owned(), source })?;
        serde_json::from_str(&text)
            .map_err(|source| StackError::Malformed { path: path.to_owned(), source })
    }
}

/// The nearest existing `file`, looking in the current folder and then in each one above it.
#[must_use]
pub fn find_upwards(file: &str) -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(file)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::Stack;

    #[test]
    fn a_stack_file_may_say_more_than_the_contract() {
        let stack: Stack = serde_json::from_str(
            r#"{"endpoint": "http://127.0.0.1:4566", "region": "us-east-1", "bus": "b", "archive": "a",
                "profile": "localstack",
                "contexts": {"orders": {"api": "http://127.0.0.1:4566/api", "eventTable": "t", "apiKey": null,
                  "readTables": {"order-view": "v"}, "queues": {"order-view": "http://q"}}}}"#,
        )
        .expect("the file is complete");

        assert_eq!(stack.contexts.orders.event_table, "t");
        assert_eq!(stack.contexts.orders.queues["order-view"], "http://q");
        assert!(stack.contexts.orders.functions.is_empty());
    }
}
