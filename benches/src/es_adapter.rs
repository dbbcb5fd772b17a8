//! event-store-adapter-rs: its journal, head and snapshot tables, with or without a snapshot at an interval of events.
//! The caller loads, decides and appends, as in its examples.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use chrono::Utc;
use event_store_adapter_rs::{
    AggregateId, DynamoDbOptions, DynamoDbTables, EventEnvelope, EventStoreError,
    EventStoreForDynamoDB, SnapshotEnvelope,
};
use tokio::sync::Barrier;

use crate::{
    contestant::{Contestant, Failure},
    order::{Command, Event, Order},
    tables::{Key, create_table},
};

#[derive(Debug, Clone)]
pub struct OrderId(String);

impl AggregateId for OrderId {
    fn type_name(&self) -> String {
        "order".to_owned()
    }

    fn value(&self) -> String {
        self.0.clone()
    }
}

pub struct EsAdapter {
    name: &'static str,
    snapshot_every: Option<u64>,
    store: EventStoreForDynamoDB<OrderId, Order, Event>,
}

impl EsAdapter {
    pub async fn open(client: Client, prefix: &str, snapshot_every: Option<u64>) -> Self {
        let tables = DynamoDbTables {
            journal_table_name: format!("{prefix}-journal"),
            snapshot_table_name: format!("{prefix}-snapshot"),
            head_table_name: format!("{prefix}-head"),
            snapshot_history_index_name: "history".to_owned(),
        };
        let id = Key::S("aid");
        let journal = &tables.journal_table_name;
        create_table(&client, journal, id, Some(Key::N("seq_nr")), None).await;
        create_table(&client, &tables.head_table_name, id, None, None).await;
        let history = Some(("history", Key::N("active_history_seq_nr")));
        let snapshots = &tables.snapshot_table_name;
        create_table(&client, snapshots, id, Some(Key::N("skey")), history).await;
        let store = EventStoreForDynamoDB::open(client, tables, DynamoDbOptions::default()).await;
        let name = match snapshot_every {
            Some(_) => "event-store-adapter, snapshots",
            None => "event-store-adapter",
        };
        Self { name, snapshot_every, store: store.expect("its tables are as it wants them") }
    }

    /// The state, with the number of the newest event.
    async fn read(&self, id: &OrderId) -> Result<(Order, u64), Failure> {
        let mut order = Order::default();
        let mut number = 0;
        if self.snapshot_every.is_some() {
            let newest = self.store.get_latest_snapshot_by_id(id).await.map_err(failure)?;
            let Some((snapshot, head)) = newest.map(|read| read.into_parts()) else {
                return Ok((order, 0));
            };
            if let Some(snapshot) = snapshot {
                number = snapshot.seq_nr();
                order = snapshot.into_aggregate();
            }
            if number == head {
                return Ok((order, number));
            }
        }
        let events = self.store.get_events_by_id_since_seq_nr(id, number + 1).await;
        for event in events.map_err(failure)? {
            number = event.seq_nr();
            order.apply(event.payload());
        }
        Ok((order, number))
    }

    async fn append(
        &self,
        id: OrderId,
        mut order: Order,
        number: u64,
        event: Event,
    ) -> Result<(), Failure> {
        order.apply(&event);
        let kind = event.kind();
        let envelope = EventEnvelope::new(id, number, Utc::now(), event).with_manifest(kind);
        let appended = match self.snapshot_every {
            Some(every) if number.is_multiple_of(every) => {
                let snapshot = SnapshotEnvelope::new(order, number);
                self.store.persist_event_and_snapshot(envelope, snapshot).await
            }
            _ => self.store.persist_event(envelope).await,
        };
        appended.map_err(failure)
    }
}

fn failure(error: EventStoreError) -> Failure {
    match error {
        EventStoreError::OptimisticLock { .. } => Failure::Conflict,
        error => Failure::other(error),
    }
}

#[async_trait]
impl Contestant for EsAdapter {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn execute(&self, id: &str, command: Command, _: &str) -> Result<(), Failure> {
        let id = OrderId(id.to_owned());
        let (order, number) = self.read(&id).await?;
        let event = order.decide(&command).map_err(|_| Failure::Rejected)?;
        self.append(id, order, number + 1, event).await
    }

    async fn race(
        &self,
        id: &str,
        command: Command,
        _: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure> {
        let id = OrderId(id.to_owned());
        let (order, number) = self.read(&id).await?;
        let event = order.decide(&command).map_err(|_| Failure::Rejected)?;
        gate.wait().await;
        self.append(id, order, number + 1, event).await
    }

    /// It accepts one event at a time.
    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure> {
        let mut order = Order::default();
        for (event, number) in events.into_iter().zip(1..) {
            self.append(OrderId(id.to_owned()), order.clone(), number, event.clone()).await?;
            order.apply(&event);
        }
        Ok(())
    }

    async fn load(&self, id: &str) -> Result<Order, Failure> {
        Ok(self.read(&OrderId(id.to_owned())).await?.0)
    }
}
