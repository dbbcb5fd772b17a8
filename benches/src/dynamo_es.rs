//! dynamo-es on cqrs-es: with its event store, or with its snapshot store and a snapshot at an interval of events.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use cqrs_es::{
    Aggregate, AggregateContext, AggregateError, CqrsFramework, DomainEvent, EventStore,
    event_sink::EventSink,
    persist::{EventStoreAggregateContext, PersistedEventStore},
};
use dynamo_es::DynamoEventRepository;
use tokio::sync::Barrier;

use crate::{
    contestant::{Contestant, Failure},
    order::{Command, Event, Order, Rejected},
    tables::{Key, create_table},
};

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        self.kind().to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = Command;
    type Event = Event;
    type Error = Rejected;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Rejected> {
        let event = self.decide(&command)?;
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        Self::apply(self, &event);
    }
}

type Store = PersistedEventStore<DynamoEventRepository, Order>;

pub struct DynamoEs {
    name: &'static str,
    snapshots: bool,
    cqrs: CqrsFramework<Order, Store>,
    store: Store,
}

impl DynamoEs {
    pub async fn open(client: Client, prefix: &str, snapshot_every: Option<usize>) -> Self {
        let events = format!("{prefix}-events");
        let snapshots = format!("{prefix}-snapshots");
        let id = Key::S("AggregateTypeAndId");
        let number = Key::N("AggregateIdSequence");
        create_table(&client, &events, id, Some(number), None).await;
        create_table(&client, &snapshots, id, None, None).await;
        let store = || {
            let repository = DynamoEventRepository::new(client.clone());
            let repository = repository.with_tables(&events, &snapshots);
            match snapshot_every {
                None => Store::new_event_store(repository),
                Some(events) => Store::new_snapshot_store(repository, events),
            }
        };
        let snapshots = snapshot_every.is_some();
        let name = if snapshots { "dynamo-es, snapshots" } else { "dynamo-es" };
        Self { name, snapshots, cqrs: CqrsFramework::new(store(), vec![], ()), store: store() }
    }
}

fn failure(error: AggregateError<Rejected>) -> Failure {
    match error {
        AggregateError::AggregateConflict => Failure::Conflict,
        AggregateError::UserError(_) => Failure::Rejected,
        error => Failure::other(error),
    }
}

#[async_trait]
impl Contestant for DynamoEs {
    fn name(&self) -> &'static str {
        self.name
    }

    /// It has no command ids. We put the attempt into an event's free metadata, which comes closest.
    async fn execute(&self, id: &str, command: Command, attempt: &str) -> Result<(), Failure> {
        let metadata = HashMap::from([("command_id".to_owned(), attempt.to_owned())]);
        self.cqrs.execute_with_metadata(id, command, metadata).await.map_err(failure)
    }

    async fn race(
        &self,
        id: &str,
        command: Command,
        _: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure> {
        let mut context = self.store.load_aggregate(id).await.map_err(failure)?;
        let event = context.aggregate().decide(&command).map_err(|_| Failure::Rejected)?;
        gate.wait().await;
        self.store.commit(vec![event], context, HashMap::new()).await.map(drop).map_err(failure)
    }

    /// It refuses more than 25 events at a time. Its load stops after the first megabyte, so every later commit would
    /// conflict; for long streams we therefore build the context by hand.
    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure> {
        let batch = if self.snapshots { 20 } else { 25 };
        for (number, events) in events.chunks(batch).enumerate() {
            let context = if self.snapshots {
                self.store.load_aggregate(id).await.map_err(failure)?
            } else {
                EventStoreAggregateContext {
                    aggregate_id: id.to_owned(),
                    aggregate: Order::default(),
                    current_sequence: number * batch,
                    current_snapshot: None,
                }
            };
            self.store.commit(events.to_vec(), context, HashMap::new()).await.map_err(failure)?;
        }
        Ok(())
    }

    async fn load(&self, id: &str) -> Result<Order, Failure> {
        Ok(self.store.load_aggregate(id).await.map_err(failure)?.aggregate)
    }
}
