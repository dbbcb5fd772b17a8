//! Accounts, their read models, and streams that exist before the run. Such a stream is a copy of one of a few histories,
//! made when it is read, so ten million streams need no memory.

use std::pin::pin;
use std::sync::{Arc, LazyLock};

use futures::FutureExt;
use ledgerfold::{
    Caller, Category, CommandId, EntityId, InvalidId, Recorded, Snapshots, StreamId, Version,
    command::{CommandHandler, CommandRequest},
    ports::{EventReader, IndexKey, Memo, RowReader, StoredRow, TallyReader},
    project::{Catalog, Projection, Projector, ProjectorPorts},
    vocabulary::{Commit, Content, Delivery, Generation, Receipt},
};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryGenerationStore, MemoryQuarantine, MemoryReadTable,
    SeededRandom,
    bank::{
        Account, AccountCommand, AccountEvent, Accounts, Release, Statement, Statements, Totals,
    },
};

/// The release of the accounts: snapshots at the default distance, and addresses that need not be unique.
#[derive(Debug)]
pub(crate) struct Growing;

impl Release for Growing {
    fn snapshots() -> Option<Snapshots<Account>> {
        static SNAPSHOTS: LazyLock<Snapshots<Account>> =
            LazyLock::new(|| Snapshots::of::<Accounts<Growing>>(1));
        Some(SNAPSHOTS.clone())
    }
}

/// The commands of these accounts.
pub(crate) type Handler = CommandHandler<Accounts<Growing>>;

/// The statements, listed by owner. [`Statements`] has one list of all accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByOwner;

impl Projection for ByOwner {
    type Event = AccountEvent;
    type Row = Statement;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        Statements::evolve(row, event)
    }

    fn index(row: &Statement) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::new(&*row.email, "account").map(Some)
    }
}

/// The projection of rows.
pub(crate) const ROWS: &str = "statements";
/// The projection of counters.
pub(crate) const COUNTERS: &str = "totals";

pub(crate) fn catalog(has_one_list: bool) -> Catalog {
    let catalog = Catalog::new().tally::<Totals>(COUNTERS);
    match has_one_list {
        true => catalog.rows::<Statements>(ROWS),
        false => catalog.rows::<ByOwner>(ROWS),
    }
}

/// How many different histories there are, and so how many owners.
const HISTORIES: u64 = 256;
/// The commits between two snapshots.
const SNAPSHOT_DISTANCE: u64 = 20;

/// The streams that exist before the run.
pub(crate) struct Existing {
    streams: u64,
    histories: Vec<History>,
}

struct History {
    commits: Vec<Commit>,
    row: Option<StoredRow>,
    memo: Option<Memo>,
}

/// The stream with this number.
pub(crate) fn stream(number: u64) -> StreamId {
    let id = EntityId::new(format!("s{number}")).expect("a letter and digits are an id");
    StreamId::of_default_tenant(Category::from_static("account"), id)
}

/// A new command with a number of its own.
pub(crate) fn request(
    stream: StreamId,
    command: AccountCommand,
    number: u64,
) -> CommandRequest<AccountCommand> {
    let id = CommandId::new(format!("command-{number:012}")).expect("visible ASCII is an id");
    CommandRequest::new(Caller::anonymous(), stream, command, id)
}

pub(crate) fn opening(number: u64) -> AccountCommand {
    AccountCommand::Open(format!("owner-{}@example.org", number % HISTORIES))
}

impl Existing {
    /// This many streams, of at least this many commits. Their newest snapshots are at all distances.
    pub(crate) fn new(streams: u64, commits: u64, catalog: &Catalog) -> Self {
        let histories = (0..HISTORIES)
            .map(|owner| History::new(owner, commits + owner % SNAPSHOT_DISTANCE, catalog));
        Self { streams, histories: histories.collect() }
    }

    pub(crate) const fn streams(&self) -> u64 {
        self.streams
    }

    /// The version of an existing stream; [`Version::NONE`] for others.
    pub(crate) fn version(&self, stream: &StreamId) -> Version {
        self.of(stream).and_then(|history| history.commits.last()).map_or(Version::NONE, Commit::to)
    }

    /// The commits of a stream that it had before the run, oldest first.
    pub(crate) fn commits<'a>(
        &'a self,
        stream: &'a StreamId,
    ) -> impl DoubleEndedIterator<Item = Commit> + 'a {
        let commits = self.of(stream).map(|history| history.commits.as_slice()).unwrap_or_default();
        commits.iter().map(|commit| copy(commit, stream))
    }

    pub(crate) fn row(&self, stream: &StreamId) -> Option<StoredRow> {
        let row = self.of(stream)?.row.clone()?;
        Some(StoredRow { stream: stream.clone(), ..row })
    }

    pub(crate) fn memo(&self, stream: &StreamId) -> Option<Memo> {
        let memo = self.of(stream)?.memo.clone()?;
        Some(Memo { stream: stream.clone(), ..memo })
    }

    fn of(&self, stream: &StreamId) -> Option<&History> {
        let number: u64 = stream.id().as_str().strip_prefix('s')?.parse().ok()?;
        let owner = usize::try_from(number % HISTORIES).ok()?;
        (number < self.streams).then(|| self.histories.get(owner))?
    }
}

impl History {
    /// A history as the handlers write it.
    fn new(owner: u64, commits: u64, catalog: &Catalog) -> Self {
        let stream = stream(owner);
        let log = Arc::new(MemoryEventStore::default());
        let clock = Arc::new(ManualClock::default());
        let random = Arc::new(SeededRandom::new(owner));
        let handler = Handler::new(log.clone(), clock.clone(), random.clone());
        for at in 0..commits {
            let command = if at == 0 { opening(owner) } else { AccountCommand::Deposit(100) };
            let number = 1_000_000_000 + owner * 1_000 + at;
            let answer = ready(handler.handle(&request(stream.clone(), command, number)));
            answer.expect("the account accepts it");
        }
        let commits = ready(log.read(&stream, Version::NONE)).expect("memory answers").commits;
        let table = Arc::new(MemoryReadTable::default());
        for projection in [ROWS, COUNTERS] {
            let models = catalog.models(projection, table.clone()).expect("the catalog has it");
            let skips = Arc::new(MemoryQuarantine::default());
            let clock = clock.clone();
            let random = random.clone();
            let ports = ProjectorPorts { log: log.clone(), skips, clock, random };
            let generations = Arc::new(MemoryGenerationStore::default());
            let projector = Projector::of_generations(models, generations, ports);
            let failed = ready(projector.project(commits.iter().flat_map(deliveries).collect()));
            assert!(failed.is_empty(), "{failed:?}");
        }
        let row = ready(table.rows_of(Generation::FIRST).get(&stream)).expect("memory answers");
        let memo = ready(table.tallies_of(Generation::FIRST).memo(&stream));
        Self { commits, row, memo: memo.expect("memory answers") }
    }
}

/// The messages of a commit.
fn deliveries(commit: &Commit) -> Vec<Delivery> {
    commit.envelopes().map(|envelope| delivery(Content::from(envelope))).collect()
}

pub(crate) fn delivery(content: Content) -> Delivery {
    Delivery { receipt: Receipt(String::new()), content: Ok(content), replay: None }
}

fn copy(commit: &Commit, stream: &StreamId) -> Commit {
    let events = commit.events().map(|(_, event)| event.clone()).collect();
    let versions = (commit.from(), commit.to());
    let metadata = commit.metadata().clone();
    let copy = Commit::restore(
        stream.clone(),
        versions,
        events,
        commit.command().clone(),
        metadata,
        commit.hash(),
    );
    copy.expect("it has as many events").with_snapshot(commit.snapshot().cloned())
}

/// The result of a call that waits for nothing but its turn among other calls, which there are none of.
pub(crate) fn ready<T>(call: impl Future<Output = T>) -> T {
    let mut call = pin!(call);
    let answer = (0..MOST_TURNS).find_map(|_| call.as_mut().now_or_never());
    answer.expect("ports in memory do not wait")
}

/// The most turns of a call.
const MOST_TURNS: usize = 10;
