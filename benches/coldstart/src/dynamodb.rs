//! DynamoDB Local, over HTTP: its requests and items are the JSON of the template and of Lambda's events.

use serde_json::{Value, json};

use crate::Error;

/// DynamoDB Local accepts any credentials, if they look like some.
const CREDENTIALS: &str = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, \
                           SignedHeaders=host, Signature=0";

pub(crate) struct DynamoDb {
    http: reqwest::Client,
    endpoint: String,
}

impl DynamoDb {
    pub(crate) fn new(endpoint: String) -> Self {
        Self { http: reqwest::Client::new(), endpoint }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) async fn create(&self, table: Value) -> Result<(), Error> {
        self.call("CreateTable", table).await.map(drop)
    }

    /// An item of the table.
    pub(crate) async fn any_item(&self, table: &str) -> Result<Value, Error> {
        let found = self.call("Scan", json!({"TableName": table, "Limit": 1})).await?;
        let item = found["Items"][0].clone();
        if item.is_null() { Err(Error::Setup(format!("{table} is empty"))) } else { Ok(item) }
    }

    async fn call(&self, operation: &str, request: Value) -> Result<Value, Error> {
        let call = self
            .http
            .post(&self.endpoint)
            .header("authorization", CREDENTIALS)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(request.to_string());
        let answer = call.send().await?;
        let is_success = answer.status().is_success();
        let body = answer.text().await?;
        if is_success {
            Ok(serde_json::from_str(&body)?)
        } else {
            Err(Error::Setup(format!("{operation}: {body}")))
        }
    }
}
