use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ledgerfold::{
    Caller, Command, CommandId, Decider, EntityId, Envelope, StreamId, TenantId,
    command::{Answer, CommandError, CommandHandler, CommandRequest},
    keyring::{FetchKeysError, keys_to_open, provide_keys},
    ports::{KeyEraser, Keyring, KeyringError, ReadStoreError, RowReader},
    project::{ProjectError, Projection, ReadModel, RowModel, Skipped},
    sealed::{DataSubject, Keyed, OpenKeys},
    vocabulary::{Commit, ErasureRequest},
};
use serde::Serialize;

use crate::{ManualClock, MemoryEventStore, MemoryKeyring, MemoryRowStore, SeededRandom};

/// A domain in memory, with the real command handler and real projections.
///
/// ```
/// # use ledgerfold_testkit::bank::{AccountCommand, Accounts, Statements};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bank = ledgerfold_testkit::Sandbox::<Accounts>::default();
/// bank.run("ada", AccountCommand::Open("ada@example.org".to_owned())).await?;
/// assert_eq!(bank.row::<Statements>("ada").await?.map(|row| row.balance), Some(0));
/// # Ok(())
/// # }
/// ```
pub struct Sandbox<D: Decider> {
    log: Arc<MemoryEventStore>,
    handler: CommandHandler<D>,
    keyring: MemoryKeyring,
    /// The seeds of sealing.
    random: Arc<SeededRandom>,
    /// The number of the next command, so that all ids differ. Atomic, because commands may run concurrently.
    commands: AtomicU64,
}

impl<D: Decider> Default for Sandbox<D> {
    /// A domain without streams, at a fixed time and with fixed randomness.
    fn default() -> Self {
        let log = Arc::new(MemoryEventStore::default());
        let clock = Arc::new(ManualClock::default());
        let random = Arc::new(SeededRandom::new(1));
        let handler = CommandHandler::new(log.clone(), clock, random.clone());
        let keyring = MemoryKeyring::default();
        Self { log, handler, keyring, random, commands: AtomicU64::new(0) }
    }
}

impl<D: Decider> Sandbox<D> {
    /// Runs a command for the stream with this id, under a new command id.
    ///
    /// # Errors
    /// [`CommandError`].
    ///
    /// # Panics
    /// If `id` is not an [`EntityId`].
    pub async fn run(
        &self,
        id: &str,
        command: D::Command,
    ) -> Result<Answer, CommandError<D::Rejection>> {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let command_id =
            CommandId::new(format!("sandbox-{number}")).expect("the id is visible ASCII");
        self.handle(&CommandRequest::new(Caller::anonymous(), stream::<D>(id), command, command_id))
            .await
    }

    /// Handles a request, for example a repeated one with the same command id.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn handle(
        &self,
        request: &CommandRequest<D::Command>,
    ) -> Result<Answer, CommandError<D::Rejection>> {
        self.handler.handle(request).await
    }

    /// The row of a projection for the stream with this id.
    ///
    /// # Errors
    /// [`ProjectError`] if an event cannot be applied, or the row cannot be stored or read back.
    ///
    /// # Panics
    /// If `id` is not an [`EntityId`].
    pub async fn row<P: Projection>(&self, id: &str) -> Result<Option<P::Row>, ProjectError> {
        let stream = stream::<D>(id);
        let rows = Arc::new(MemoryRowStore::default());
        let model = RowModel::<P>::new(rows.clone());
        let events: Vec<Envelope> = self
            .log
            .commits()
            .iter()
            .filter(|commit| *commit.stream() == stream)
            .flat_map(Commit::envelopes)
            .collect();
        model.open(&stream).await?.advance(&events, &Skipped::default()).await?;
        let stored = rows.get(&stream).await?.and_then(|row| row.body);
        let row = stored.map(|body| body.decode()).transpose();
        Ok(row.map_err(|error| ReadStoreError::Corrupt {
            key: stream.to_string(),
            reason: error.to_string(),
        })?)
    }

    /// The keys that open every sealed value in a row, an event or a state.
    ///
    /// # Errors
    /// [`FetchKeysError`].
    pub async fn keys_to_open(&self, value: &impl Serialize) -> Result<OpenKeys, FetchKeysError> {
        keys_to_open(&self.keyring, &TenantId::default_tenant(), value).await
    }

    /// Destroys the key of a subject.
    ///
    /// # Errors
    /// None: the keyring is in memory.
    ///
    /// # Panics
    /// If `subject` is not a [`DataSubject`].
    pub async fn erase(&self, subject: &str) -> Result<(), KeyringError> {
        let tenant = TenantId::default_tenant();
        let subject = DataSubject::new(subject).expect("the id must be a valid `DataSubject`");
        let key = self.keyring.provide_tenant_key(&tenant).await?;
        let request = ErasureRequest::example();
        self.keyring.erase(&tenant, &key.pseudonym(&subject), &request).await.map(drop)
    }

    /// The keyring of [`run_keyed`](Self::run_keyed), which can be made to fail.
    pub const fn keyring(&self) -> &MemoryKeyring {
        &self.keyring
    }

    /// All commits, by stream and version.
    pub fn commits(&self) -> Vec<Commit> {
        self.log.commits()
    }
}

impl<D, C> Sandbox<D>
where
    D: Decider<Command = Keyed<C>>,
    C: Command,
{
    /// Runs a command of a domain that seals, under a new command id. Its subject has the id of the stream.
    ///
    /// # Errors
    /// [`CommandError`].
    ///
    /// # Panics
    /// If `id` is not an [`EntityId`], or if the keyring was made to fail.
    pub async fn run_keyed(
        &self,
        id: &str,
        command: impl Into<C>,
    ) -> Result<Answer, CommandError<D::Rejection>> {
        self.run(id, self.keyed(id, command).await).await
    }

    /// The command with its keys. Its subject has the id of the stream.
    ///
    /// # Panics
    /// If `id` is not an [`EntityId`], or if the keyring was made to fail.
    pub async fn keyed(&self, id: &str, command: impl Into<C>) -> Keyed<C> {
        let tenant = TenantId::default_tenant();
        let subjects = [DataSubject::from(stream::<D>(id).id())];
        let keys = provide_keys(&self.keyring, &*self.random, &tenant, &subjects).await;
        Keyed::new(command.into(), keys.expect("the keyring does not fail"))
    }
}

fn stream<D: Decider>(id: &str) -> StreamId {
    let id = EntityId::new(id).expect("the id must be a valid `EntityId`");
    StreamId::of_default_tenant(D::CATEGORY, id)
}
