//! The location of the stack under test, read from the file that `make up` writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ledgerfold::Timestamp;
use ledgerfold_tokens::issuer::{Grant, IssuerError, LocalIssuer};
use serde::Deserialize;

use super::{Client, ClientError};

/// The path of the stack file, for a stack that was not started from this checkout.
pub const STACK_VARIABLE: &str = "LEDGERFOLD_STACK";

/// The folder with a subfolder for each test group (`.config/nextest.toml`) that has its own cloud, named after the
/// group.
const CLOUDS_VARIABLE: &str = "LEDGERFOLD_CLOUDS";

const STACK_FILE: &str = "target/local/stack.json";

/// A deployed stack. Unknown keys of the file are ignored.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// The endpoint of the local cloud for all AWS services.
    pub endpoint: String,
    /// The endpoint of DynamoDB, if it has its own.
    pub tables_endpoint: Option<String>,
    /// The AWS region the stack is deployed to.
    pub region: String,
    /// The event bus, by name or ARN.
    pub bus: String,
    /// The archive of that bus, by name or ARN.
    pub archive: String,
    /// The emulator that runs it, if any.
    pub emulator: Option<String>,
    /// The issuer of tokens, if callers need one.
    pub auth: Option<LocalIssuer>,
    /// The deployed contexts, by name.
    pub contexts: BTreeMap<String, DeployedContext>,
}

/// A bounded context in a stack.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployedContext {
    /// The base address of the contract's paths, without a trailing slash.
    pub api: String,
    /// The DynamoDB table of commits.
    pub event_table: String,
    /// The API key, if the deployment requires one.
    pub api_key: Option<String>,
    /// The DynamoDB table of deadlines.
    pub deadlines: Option<String>,
    /// Function names by role: `command`, `relay`, `query`, `projector-order-view`…
    #[serde(default)]
    pub functions: BTreeMap<String, String>,
    /// The table of projection states: generations, quarantined streams and skips.
    pub projection_states: Option<String>,
    /// Read tables by projection.
    #[serde(default)]
    pub read_tables: BTreeMap<String, String>,
    /// Queue addresses by projection or process.
    #[serde(default)]
    pub queues: BTreeMap<String, String>,
    /// ARNs of the projections' rules.
    #[serde(default)]
    pub rules: BTreeMap<String, String>,
    /// Dead-letter queue addresses.
    #[serde(default)]
    pub dead_letters: BTreeMap<String, String>,
}

/// The reason why the stack file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// There is no stack file in this folder or above, so no stack is running.
    #[error(
        "no {STACK_FILE} here or above: start the stack with `make up`, or set {STACK_VARIABLE}"
    )]
    NotFound,
    /// The file exists, but cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The context is not deployed.
    #[error("the stack has no context {name}; it has {}", known.join(", "))]
    NoContext {
        /// The context.
        name: String,
        /// The deployed ones.
        known: Vec<String>,
    },
    /// The issuer cannot make a token.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// A key or a token is not valid in a header.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file is not a stack file.
    #[error("{} is not a stack file: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The parser's error.
        source: serde_json::Error,
    },
}

impl Stack {
    /// Reads the stack file named by [`STACK_VARIABLE`], or the nearest one from the current folder upwards. Tests
    /// start in their package's folder, the demo in the root of the checkout.
    ///
    /// # Errors
    /// If there is no such file, or it is not a stack file.
    pub fn find() -> Result<Self, StackError> {
        Self::read(&Self::path()?)
    }

    /// The path of the stack file that [`Stack::find`] reads.
    ///
    /// # Errors
    /// If there is none.
    pub fn path() -> Result<PathBuf, StackError> {
        Self::of_group()
            .or_else(|| env::var_os(STACK_VARIABLE).map(PathBuf::from))
            .or_else(|| find_upwards(STACK_FILE))
            .ok_or(StackError::NotFound)
    }

    /// A deployed context.
    ///
    /// # Errors
    /// [`StackError::NoContext`].
    pub fn context(&self, name: &str) -> Result<&DeployedContext, StackError> {
        self.contexts.get(name).ok_or_else(|| StackError::NoContext {
            name: name.to_owned(),
            known: self.contexts.keys().cloned().collect(),
        })
    }

    /// A client of a context for this caller. If the stack has an issuer, all its requests have a token with this content.
    ///
    /// # Errors
    /// [`StackError::NoContext`], [`StackError::Issuer`] or [`StackError::Client`].
    pub fn client(&self, context: &str, caller: &Grant) -> Result<Client, StackError> {
        let context = self.context(context)?;
        let client = Client::new(&context.api, context.api_key.as_deref())?;
        self.for_caller(&client, caller)
    }

    /// The same client for another caller. Both share their connections.
    ///
    /// # Errors
    /// [`StackError::Issuer`] or [`StackError::Client`].
    pub fn for_caller(&self, client: &Client, caller: &Grant) -> Result<Client, StackError> {
        match &self.auth {
            Some(issuer) => {
                let token = issuer.mint(caller, Timestamp::now())?;
                Ok(client.with_token(&token)?)
            }
            None => Ok(client.clone()),
        }
    }

    /// The stack file of the test's group, if the group has its own cloud.
    fn of_group() -> Option<PathBuf> {
        let clouds = PathBuf::from(env::var_os(CLOUDS_VARIABLE)?);
        let path = clouds.join(env::var_os("NEXTEST_TEST_GROUP")?).join("stack.json");
        path.is_file().then_some(path)
    }

    /// Reads a stack file.
    ///
    /// # Errors
    /// If it cannot be read or is not a stack file.
    pub fn read(path: &Path) -> Result<Self, StackError> {
        let text = fs::read_to_string(path)
            .map_err(|source| StackError::Unreadable { path: path.to_owned(), source })?;
        serde_json::from_str(&text)
            .map_err(|source| StackError::Malformed { path: path.to_owned(), source })
    }
}

/// The nearest `file`, in the current folder or one above it.
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

        let orders = stack.context("orders").expect("it is deployed");
        assert_eq!(orders.event_table, "t");
        assert_eq!(orders.queues["order-view"], "http://q");
        assert!(orders.functions.is_empty());
        let refusal = stack.context("banking").expect_err("it is not deployed").to_string();
        assert_eq!(refusal, "the stack has no context banking; it has orders");
    }
}
