//! The baseline: one conditional Put per command, with or without a strongly consistent Query before it, written by
//! hand. The item is flat, and as large as ours.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure},
};
use tokio::sync::Barrier;

use crate::{
    contestant::{Contestant, Failure},
    order::{Command, Event, NoteAdded, Order, OrderPaid, OrderPlaced, OrderShipped},
    tables::{Key, create_table},
};

pub struct Floor {
    client: Client,
    table: String,
    reads: bool,
    /// Fills the item up to the size of ours.
    padding: String,
}

impl Floor {
    pub async fn open(client: Client, table: &str, reads: bool, padding: usize) -> Self {
        create_table(&client, table, Key::S("pk"), Some(Key::N("sk")), None).await;
        Self { client, table: table.to_owned(), reads, padding: "x".repeat(padding) }
    }

    /// The size of this event's item without padding.
    pub fn item_size(id: &str, event: &Event) -> usize {
        let payload = serde_json::to_string(event).expect("it is JSON").len();
        "pk".len() + id.len() + "sk".len() + 2 + "d".len() + payload + "p".len()
    }

    async fn read(&self, id: &str) -> Result<(Order, u64), Failure> {
        let mut order = Order::default();
        let mut version = 0;
        let mut resume = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(id.to_owned()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .set_exclusive_start_key(resume)
                .send()
                .await
                .map_err(Failure::other)?;
            for item in page.items() {
                version += 1;
                let payload = item["d"].as_s().map_err(Failure::other)?;
                order.apply(&serde_json::from_str(payload).map_err(Failure::other)?);
            }
            resume = page.last_evaluated_key;
            if resume.is_none() {
                return Ok((order, version));
            }
        }
    }

    async fn put(&self, id: &str, version: u64, event: &Event) -> Result<(), Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", AttributeValue::S(id.to_owned()))
            .item("sk", AttributeValue::N(version.to_string()))
            .item("d", AttributeValue::S(serde_json::to_string(event).map_err(Failure::other)?))
            .item("p", AttributeValue::S(self.padding.clone()))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        put.send().await.map(drop).map_err(|error| match error.as_service_error() {
            Some(refusal) if refusal.is_conditional_check_failed_exception() => Failure::Conflict,
            _ => Failure::other(error),
        })
    }

    /// Assumes that the caller knows the state and the version.
    async fn put_blindly(&self, id: &str, command: Command) -> Result<(), Failure> {
        let (version, event) = match command {
            Command::Place { customer_id, lines } => {
                (1, OrderPlaced { customer_id, lines, total_cents: 12_003 }.into())
            }
            Command::Pay { payment_id } => {
                (2, OrderPaid { payment_id, amount_cents: 12_003 }.into())
            }
            Command::Ship { carrier, tracking } => (3, OrderShipped { carrier, tracking }.into()),
            Command::Note { text } => (4, NoteAdded { text }.into()),
        };
        self.put(id, version, &event).await
    }
}

#[async_trait]
impl Contestant for Floor {
    fn name(&self) -> &'static str {
        if self.reads { "bare Query and Put" } else { "bare Put" }
    }

    fn is_blind(&self) -> bool {
        !self.reads
    }

    async fn execute(&self, id: &str, command: Command, _: &str) -> Result<(), Failure> {
        if !self.reads {
            return self.put_blindly(id, command).await;
        }
        let (order, version) = self.read(id).await?;
        let event = order.decide(&command).map_err(|_| Failure::Rejected)?;
        self.put(id, version + 1, &event).await
    }

    async fn race(
        &self,
        id: &str,
        command: Command,
        _: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure> {
        let (order, version) = self.read(id).await?;
        let event = order.decide(&command).map_err(|_| Failure::Rejected)?;
        gate.wait().await;
        self.put(id, version + 1, &event).await
    }

    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure> {
        for (event, version) in events.iter().zip(1..) {
            self.put(id, version, event).await?;
        }
        Ok(())
    }

    async fn load(&self, id: &str) -> Result<Order, Failure> {
        Ok(self.read(id).await?.0)
    }
}
