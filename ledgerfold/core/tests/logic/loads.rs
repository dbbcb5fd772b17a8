//! Tests of the cost of a load: it begins at the cached version or at the newest snapshot, whichever is nearer.
//!
//! Guards: every-read-is-bounded

use std::{ops::Range, sync::Arc};

use ledgerfold::{
    Decider, Payload, StreamId, Version,
    command::CommandHandler,
    vocabulary::{CommandStamp, Commit, Snapshot},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address};
use ledgerfold_testkit::bank::{Account, AccountCommand, Accounts};
use ledgerfold_testkit::{Amended, ManualClock, MemoryEventStore, SeededRandom};

use crate::reads::Counting;

/// The distance of the snapshots of [`Accounts`].
const EVERY: u64 = 5;

/// One account, and the log that counts.
struct World {
    log: Arc<MemoryEventStore>,
    counting: Arc<Amended<Counting>>,
    stream: StreamId,
}

impl World {
    /// An account that `container` has opened, with pages of this many commits.
    async fn new(page: usize) -> (Self, CommandHandler<Accounts>) {
        let log = Arc::new(MemoryEventStore::with_pages_of(page));
        let counting = Amended::of(log.clone(), Counting::default());
        let world = Self { log, counting, stream: fresh() };
        let container = world.container();
        let open = ask(&world.stream, "open", AccountCommand::Open(fresh_address()));
        container.handle(&open).await.expect("the account is new");
        world.counting.amendment().take();
        (world, container)
    }

    /// A container with an empty cache.
    fn container(&self) -> CommandHandler<Accounts> {
        let clock = Arc::<ManualClock>::default();
        let random = Arc::new(SeededRandom::new(1));
        CommandHandler::new(self.counting.clone(), clock, random)
    }

    async fn deposit(&self, container: &CommandHandler<Accounts>, attempt: &str) -> (usize, usize) {
        let deposit = ask(&self.stream, attempt, AccountCommand::Deposit(1));
        container.handle(&deposit).await.expect("the account is open");
        self.counting.amendment().take()
    }

    /// Adds deposits of 1 at these versions, as another container would. The commits from `snapshots` on have a snapshot
    /// at every fifth version.
    async fn overtake(&self, versions: Range<u64>, snapshots: u64) {
        let donor = self.container();
        self.deposit(&donor, "donor").await;
        let commits = self.log.commits();
        let opened = &commits[0];
        let deposit = &commits[1];
        let schema = <Accounts>::snapshots().expect("it has some").schema().clone();
        for version in versions {
            let commit = deposited(deposit, version);
            let state = Account { balance: version - 1, events: version, ..account(opened) };
            let snapshot = Snapshot {
                schema: schema.clone(),
                state: Payload::encode(&state).expect("it is JSON"),
                recent: Default::default(),
            };
            let is_due = version >= snapshots && version.is_multiple_of(EVERY);
            self.log.overwrite(&commit.with_snapshot(is_due.then_some(snapshot)));
        }
    }
}

/// The same deposit at another version.
fn deposited(deposit: &Commit, version: u64) -> Commit {
    let id = format!("deposit-{version}").parse().expect("an id");
    let command = CommandStamp { id, ..deposit.command().clone() };
    let version = Version::new(version);
    let events = deposit.events().map(|(_, event)| event.clone()).collect();
    let metadata = deposit.metadata().clone();
    Commit::restore(
        deposit.stream().clone(),
        (version, version),
        events,
        command,
        metadata,
        deposit.hash(),
    )
    .expect("the versions add up")
}

/// The account after its first commit.
fn account(opened: &Commit) -> Account {
    let mut account = <Accounts>::initial();
    for (_, event) in opened.events() {
        let decoded =
            ledgerfold::Event::decode(&event.event_type, event.schema_version, &event.data);
        account =
            decoded.expect("it can be read").as_slice().iter().fold(account, <Accounts>::evolve);
    }
    account
}

#[tokio::test]
async fn a_container_that_is_behind_reads_one_page_however_far() {
    for behind in [0, 1, 4, 30, 1_000, 200_000] {
        let (world, container) = World::new(1_000).await;
        let head = 2 + behind;
        if behind > 0 {
            world.overtake(2..head, head.saturating_sub(2 * EVERY)).await;
        }
        let (reads, commits) = world.deposit(&container, "next").await;
        assert_eq!(reads, usize::from(behind > 0), "reads of a container {behind} behind");
        let most = usize::try_from(behind.min(EVERY + 1)).expect("small");
        assert!(commits <= most, "{commits} commits were read by a container {behind} behind");
        let (_, cold) = world.deposit(&world.container(), "cold").await;
        assert!(commits <= cold, "{commits} commits with a cached state, and {cold} without");
        assert_eq!(world.log.commits().last().map(Commit::to), Some(Version::new(head + 1)));
    }
}

#[tokio::test]
async fn a_cached_state_is_nearer_than_the_start_if_no_snapshot_can_be_read() {
    let (world, _) = World::new(25).await;
    world.overtake(2..1_001, u64::MAX).await;
    let cold = world.container();
    let (_, from_start) = world.deposit(&cold, "cold").await;
    // `cold` has cached version 1,001 now, and the others continue.
    world.overtake(1_002..1_102, u64::MAX).await;
    let (_, from_memory) = world.deposit(&cold, "next").await;
    assert!(from_memory < 200 && from_start > 1_000, "{from_memory} and {from_start} commits");
}
