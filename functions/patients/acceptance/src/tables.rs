//! Manual changes of the event table, as somebody with access to it could make them.

use std::{collections::HashMap, fmt};

use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region},
    error::DisplayErrorContext,
    types::AttributeValue,
};
use aws_smithy_http_client::Builder;
use ledgerfold_testkit::http::Stack;

use crate::client::CONTEXT;

type Item = HashMap<String, AttributeValue>;

/// The event table of a local cloud.
#[derive(Debug, Clone)]
pub struct EventTable {
    client: Client,
    table: String,
}

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[error("{call}: {reason}")]
pub struct TableError {
    call: &'static str,
    reason: String,
}

impl TableError {
    fn new(call: &'static str, reason: impl fmt::Display) -> Self {
        Self { call, reason: reason.to_string() }
    }
}

/// A commit as it was before a change.
#[derive(Debug)]
pub struct Original(Item);

impl EventTable {
    /// The event table of the patients service.
    ///
    /// # Errors
    /// If the stack has no such service.
    pub fn new(stack: &Stack) -> Result<Self, ledgerfold_testkit::http::StackError> {
        let endpoint = stack.tables_endpoint.as_ref().unwrap_or(&stack.endpoint);
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(stack.region.clone()))
            .endpoint_url(endpoint)
            .credentials_provider(Credentials::new("test", "test", None, None, "local cloud"))
            .http_client(Builder::new().build_http())
            .build();
        let table = stack.context(CONTEXT)?.event_table.clone();
        Ok(Self { client: Client::from_conf(config), table })
    }

    /// Replaces a text in the events of one commit of a patient.
    ///
    /// # Errors
    /// If there is no such commit, if it does not have the text, or if the table refuses.
    pub async fn change(
        &self,
        stream: &str,
        version: u64,
        (old, new): (&str, &str),
    ) -> Result<Original, TableError> {
        const CALL: &str = "GetItem";
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("pk", AttributeValue::S(stream.to_owned()));
        let answer = get.key("sk", AttributeValue::N(version.to_string())).send().await;
        let answer = answer.map_err(|error| TableError::new(CALL, DisplayErrorContext(error)))?;
        let original =
            answer.item.ok_or_else(|| TableError::new(CALL, "there is no such commit"))?;
        let events = original.get("e").and_then(|events| events.as_s().ok()).cloned();
        let events = events.filter(|events| events.contains(old));
        let events = events.ok_or_else(|| TableError::new(CALL, "the commit lacks the text"))?;
        let mut changed = original.clone();
        changed.insert("e".to_owned(), AttributeValue::S(events.replace(old, new)));
        self.put(changed).await?;
        Ok(Original(original))
    }

    /// Puts a commit back.
    ///
    /// # Errors
    /// If the table refuses.
    pub async fn restore(&self, Original(original): Original) -> Result<(), TableError> {
        self.put(original).await
    }

    async fn put(&self, item: Item) -> Result<(), TableError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(|error| TableError::new("PutItem", DisplayErrorContext(error)))
    }
}
