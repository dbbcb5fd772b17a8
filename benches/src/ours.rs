//! Ledgerfold: with a state cache (warm), without one (cold), and with snapshots.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use ledgerfold::{
    Caller, CommandId, Decider, EntityId, StreamId, Timestamp, Version,
    command::{CommandError, CommandHandler, CommandRequest, Loader, StreamHint},
    ports::{
        AppendError, Clock, CommandRecord, CommitPage, EventReader, EventStore, Random, Span,
        StoreError, Transaction,
    },
    vocabulary::{Commit, NewCommit},
};
use ledgerfold_dynamodb::{CommitItem, DynamoEventStore, item_size};
use tokio::sync::Barrier;

use crate::{
    contestant::{Contestant, Failure},
    order::{Command, Event, Order, Orders, Rejected},
    tables::{Key, create_table},
};

/// The default size of a function's state cache.
const MEMORY: usize = 32 * 1024 * 1024;

pub struct Ours<const SNAPSHOTS: bool> {
    name: &'static str,
    memory: usize,
    store: Arc<dyn EventStore>,
    loader: Loader<Orders<SNAPSHOTS>>,
    handler: CommandHandler<Orders<SNAPSHOTS>>,
}

pub type WithSnapshots = Ours<true>;
pub type WithoutSnapshots = Ours<false>;

impl<const SNAPSHOTS: bool> Ours<SNAPSHOTS> {
    pub async fn warm(client: Client, table: &str) -> Self {
        Self::open("ledgerfold, warm", client, table, MEMORY).await
    }

    pub async fn cold(client: Client, table: &str) -> Self {
        let name = if SNAPSHOTS { "ledgerfold, cold, snapshots" } else { "ledgerfold, cold" };
        Self::open(name, client, table, 0).await
    }

    async fn open(name: &'static str, client: Client, table: &str, memory: usize) -> Self {
        create_table(&client, table, Key::S("pk"), Some(Key::N("sk")), None).await;
        let store: Arc<dyn EventStore> = Arc::new(DynamoEventStore::new(client, table));
        let handler = handler(memory, store.clone());
        Self { name, memory, store, loader: Loader::new(), handler }
    }

    fn request(&self, id: &str, command: Command, attempt: &str) -> CommandRequest<Command> {
        let creates = self.memory > 0 && matches!(command, Command::Place { .. });
        request(id, command, attempt, creates)
    }

    /// The size of the item of an order's first commit.
    pub async fn first_item_size(&self, id: &str) -> usize {
        let page = self.store.read(&stream(id), Version::NONE).await.expect("it can be read");
        let commit: &Commit = page.commits.first().expect("it exists");
        item_size(&CommitItem::from(commit).into_attributes().expect("it can be written"))
    }
}

/// A log whose first append waits for the other racers.
struct Gated {
    store: Arc<dyn EventStore>,
    /// Shared by all racers of a round.
    gate: Arc<Barrier>,
    /// Set by the first append, so that a retry does not wait again. An atomic because the port's methods take `&self`.
    passed: AtomicBool,
}

#[async_trait]
impl EventReader for Gated {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.store.read(stream, after).await
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.store.read_back(stream, span, commits).await
    }
}

#[async_trait]
impl EventStore for Gated {
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError> {
        if !self.passed.swap(true, Ordering::SeqCst) {
            self.gate.wait().await;
        }
        self.store.append(commit).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.store.transact(transaction).await
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.store.record(command).await
    }
}

#[async_trait]
impl<const SNAPSHOTS: bool> Contestant for Ours<SNAPSHOTS> {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn execute(&self, id: &str, command: Command, attempt: &str) -> Result<(), Failure> {
        let request = self.request(id, command, attempt);
        self.handler.handle(&request).await.map(drop).map_err(failure)
    }

    /// Each racer has its own handler, as in separate functions.
    async fn race(
        &self,
        id: &str,
        command: Command,
        attempt: &str,
        gate: Arc<Barrier>,
    ) -> Result<(), Failure> {
        let passed = AtomicBool::new(false);
        let store = Arc::new(Gated { store: self.store.clone(), gate, passed });
        let handler: CommandHandler<Orders<SNAPSHOTS>> = handler(self.memory, store);
        let request = self.request(id, command, attempt);
        handler.handle(&request).await.map(drop).map_err(failure)
    }

    async fn seed(&self, id: &str, events: Vec<Event>) -> Result<(), Failure> {
        let writer: CommandHandler<Orders<SNAPSHOTS>> = handler(MEMORY, self.store.clone());
        for (at, event) in events.into_iter().enumerate() {
            let Event::NoteAdded(note) = event else { return Err(Failure::Rejected) };
            let command = Command::Note { text: note.text };
            let request = request(id, command, &format!("seed-{at}"), at == 0);
            writer.handle(&request).await.map_err(failure)?;
        }
        Ok(())
    }

    async fn load(&self, id: &str) -> Result<Order, Failure> {
        let loaded = self.loader.load(&*self.store, &stream(id)).await.map_err(Failure::other)?;
        Ok(loaded.state().clone())
    }
}

fn handler<D: Decider>(memory: usize, store: Arc<dyn EventStore>) -> CommandHandler<D> {
    CommandHandler::with_cache(memory, store, Arc::new(WallClock), Arc::new(ThreadRandom))
}

pub fn stream(id: &str) -> StreamId {
    StreamId::of_default_tenant(Orders::<false>::CATEGORY, EntityId::new(id).expect("an id"))
}

fn request(id: &str, command: Command, attempt: &str, creates: bool) -> CommandRequest<Command> {
    let command_id = CommandId::new(attempt).expect("a command id");
    let hint = if creates { StreamHint::New } else { StreamHint::None };
    CommandRequest::new(Caller::anonymous(), stream(id), command, command_id).with_hint(hint)
}

fn failure(error: CommandError<Rejected>) -> Failure {
    match error {
        CommandError::Rejected(Rejected) => Failure::Rejected,
        CommandError::Contention { .. } => Failure::Conflict,
        error => Failure::other(error),
    }
}

pub struct WallClock;

#[async_trait]
impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

pub struct ThreadRandom;

impl Random for ThreadRandom {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}
