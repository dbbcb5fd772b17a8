//! Accounts for tests of claims: a domain with and without claims, over a slow and faulty log.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use ledgerfold::{
    Category, Claim, CommandId, Decider, Event, ReservedKey, StreamId, Version,
    claims::{Built, Claimants, ClaimsBuilder, ClaimsChecker, ClaimsError, Finding, Inspector},
    command::{Answer, CommandError, CommandHandler, Loader},
    ports::{
        AppendError, ClaimsRecord, CommandRecord, CommitPage, Correction, EventReader, EventStore,
        KeyChange, Page, PageWalk, PortError, Reservation, Reservations, Resume, Segment, Span,
        StoreError, Streams, StreamsError, Transaction, Walk, Written,
    },
    rebuild::Plan,
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::requests::ask;
use ledgerfold_testkit::bank::{
    AccountCommand, AccountEvent, AccountRejection, Accounts, WithoutClaims,
};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};

pub(super) type Outcome = Result<Answer, CommandError<AccountRejection>>;

/// A defect of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    None,
    /// Does not check the holder of a forgone key.
    ForgoesBlindly,
    /// Corrects a reservation without its conditions.
    CorrectsBlindly,
}

/// A log that yields to other tasks, may have a defect, and may fail after a number of calls.
pub(super) struct FaultyLog {
    pub(super) log: MemoryEventStore,
    pub(super) random: SeededRandom,
    patience: u64,
    defect: Defect,
    /// How many more calls of the reservations succeed. Atomic, because a test changes it during calls.
    calls_left: AtomicU64,
}

impl FaultyLog {
    fn new(seed: u64, patience: u64, defect: Defect) -> Self {
        Self {
            log: MemoryEventStore::with_pages_of(2),
            random: SeededRandom::new(seed),
            patience,
            defect,
            calls_left: AtomicU64::new(u64::MAX),
        }
    }

    /// Lets this many more calls of the reservations succeed, and fails all later ones.
    pub(super) fn fail_after(&self, calls: u64) {
        self.calls_left.store(calls, Ordering::SeqCst);
    }

    pub(super) fn recover(&self) {
        self.fail_after(u64::MAX);
    }

    async fn pass(&self) {
        for _ in 0..self.random.next() % (self.patience + 1) {
            tokio::task::yield_now().await;
        }
    }

    async fn call(&self) -> Result<(), StoreError> {
        self.pass().await;
        let counted = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, counted) {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Port(PortError::Unavailable("requested by the test".into()))),
        }
    }
}

#[async_trait]
impl EventReader for FaultyLog {
    async fn read(&self, stream: &StreamId, after: Version) -> Result<CommitPage, StoreError> {
        self.pass().await;
        let page = self.log.read(stream, after).await;
        self.pass().await;
        page
    }

    async fn read_back(
        &self,
        stream: &StreamId,
        span: Span,
        commits: usize,
    ) -> Result<CommitPage, StoreError> {
        self.pass().await;
        let page = self.log.read_back(stream, span, commits).await;
        self.pass().await;
        page
    }
}

#[async_trait]
impl EventStore for FaultyLog {
    async fn append(&self, commit: &NewCommit) -> Result<(), AppendError> {
        self.pass().await;
        self.log.append(commit).await
    }

    async fn transact(&self, transaction: &Transaction) -> Result<(), AppendError> {
        self.pass().await;
        let outcome = if self.defect == Defect::ForgoesBlindly {
            self.log.transact(&without_forgone(transaction)).await
        } else {
            self.log.transact(transaction).await
        };
        self.pass().await;
        outcome
    }

    async fn record(&self, command: &CommandId) -> Result<Option<CommandRecord>, StoreError> {
        self.pass().await;
        self.log.record(command).await
    }
}

fn without_forgone(transaction: &Transaction) -> Transaction {
    let claims = transaction.claims().iter().flat_map(|(key, change)| match change.clone() {
        KeyChange::Forgo(_) => vec![],
        KeyChange::Release(from) => vec![(from, Claim::Release(key.key.clone()))],
        KeyChange::Reserve(to) => vec![(to, Claim::Reserve(key.key.clone()))],
        KeyChange::Pass { from, to } => {
            vec![(from, Claim::Release(key.key.clone())), (to, Claim::Reserve(key.key.clone()))]
        }
    });
    let (commits, once) = (transaction.commits().to_vec(), transaction.strict().cloned());
    Transaction::new(commits, transaction.unchanged().to_vec(), claims, once).expect("valid")
}

#[async_trait]
impl Streams for FaultyLog {
    async fn list(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<StreamId>, StreamsError> {
        self.pass().await;
        self.log.list(segment, from).await
    }
}

#[async_trait]
impl Reservations for FaultyLog {
    async fn holder(&self, key: &ReservedKey) -> Result<Option<StreamId>, StoreError> {
        self.call().await?;
        let holder = self.log.holder(key);
        self.pass().await;
        Ok(holder)
    }

    async fn list_reservations(
        &self,
        segment: Segment,
        from: Option<&Resume>,
    ) -> Result<Page<Reservation>, StreamsError> {
        self.call().await?;
        self.log.list_reservations(segment, from).await
    }

    async fn correct(
        &self,
        key: &ReservedKey,
        correction: &Correction,
    ) -> Result<Written, StoreError> {
        self.call().await?;
        if self.defect == Defect::CorrectsBlindly {
            let now = async |stream: &StreamId| {
                Loader::<Accounts>::new()
                    .load(&self.log, stream)
                    .await
                    .expect("readable")
                    .stream_version()
            };
            let correction = match correction {
                Correction::Reserve { to } => Correction::Reserve { to: now(to.stream()).await },
                Correction::Release { from } => {
                    Correction::Release { from: now(from.stream()).await }
                }
                Correction::Pass { from, to } => {
                    Correction::Pass { from: now(from.stream()).await, to: now(to.stream()).await }
                }
            };
            return self.log.correct(key, &correction).await;
        }
        self.log.correct(key, correction).await
    }

    async fn read_record(&self, category: &Category) -> Result<ClaimsRecord, StoreError> {
        self.call().await?;
        self.log.read_record(category).await
    }

    async fn write_record(
        &self,
        category: &Category,
        new: &ClaimsRecord,
    ) -> Result<Written, StoreError> {
        self.call().await?;
        self.log.write_record(category, new).await
    }
}

/// The handlers over one log.
#[derive(Clone)]
pub(super) struct Bank {
    pub(super) store: Arc<FaultyLog>,
}

impl Bank {
    /// A bank without delays.
    pub(super) fn new() -> Self {
        Self { store: Arc::new(FaultyLog::new(1, 0, Defect::None)) }
    }

    /// A bank whose log yields to other tasks, as often as the seed determines.
    pub(super) fn slow(seed: u64, defect: Defect) -> Self {
        Self { store: Arc::new(FaultyLog::new(seed, 3, defect)) }
    }

    pub(super) async fn ask<D>(
        &self,
        stream: &StreamId,
        attempt: &str,
        command: AccountCommand,
    ) -> Outcome
    where
        D: Decider<Command = AccountCommand, Rejection = AccountRejection>,
    {
        let (clock, random) = (Arc::new(ManualClock::default()), self.random());
        let handler = CommandHandler::<D>::new(self.store.clone(), clock, random);
        handler.handle(&ask(stream, attempt, command)).await
    }

    fn random(&self) -> Arc<SeededRandom> {
        Arc::new(SeededRandom::new(self.store.random.next()))
    }

    /// Opens an account with the domain without claims.
    pub(super) async fn open_without_claims(&self, stream: &StreamId, address: &str) {
        let open = AccountCommand::Open(address.to_owned());
        let opened = self.ask::<Accounts<WithoutClaims>>(stream, "old", open).await;
        opened.expect("the account is new");
    }

    /// Closes an account with the domain without claims.
    pub(super) async fn close_without_claims(&self, stream: &StreamId) {
        let close = AccountCommand::Close;
        let closed = self.ask::<Accounts<WithoutClaims>>(stream, "old-close", close).await;
        closed.expect("the account is open");
    }

    fn inspector<D: Decider>(&self) -> Inspector {
        let claimants = Claimants::new().with::<D>();
        Inspector::new(claimants, self.store.clone(), self.store.clone(), self.store.clone())
    }

    pub(super) async fn try_build<D: Decider>(&self) -> Result<Built, ClaimsError> {
        let (clock, random) = (Arc::new(ManualClock::default()), self.random());
        let builder = ClaimsBuilder::new(self.inspector::<D>(), clock, random);
        let plan = Plan { segments: 2, ..Plan::default() };
        builder.build(&D::CATEGORY, plan, &|_| ()).await
    }

    pub(super) async fn build(&self) -> Built {
        self.try_build::<Accounts>().await.expect("nothing fails")
    }

    /// The findings of the checker, for all streams and all reservations.
    pub(super) async fn audit(&self) -> Vec<Finding> {
        let grace = Duration::from_secs(1);
        let clock = Arc::new(ManualClock::default());
        let auditor = ClaimsChecker::new(self.inspector::<Accounts>(), clock, grace);
        let mut findings = Vec::new();
        for walk in [Walk::Streams, Walk::Reservations] {
            let mut from = None;
            loop {
                let place = (walk, Segment::WHOLE);
                let category = <Accounts>::CATEGORY;
                let page = auditor.inspector().list(&category, place, from.as_ref()).await;
                let (subjects, next) = page.expect("the list can be read");
                findings.extend(auditor.examine(&subjects).await.expect("the read succeeds"));
                from = next;
                if from.is_none() {
                    break;
                }
            }
        }
        findings
    }

    /// The owners of each key. This is a separate fold over all events, so that it does not use the tested code.
    fn owners(&self) -> BTreeMap<ReservedKey, BTreeSet<StreamId>> {
        let mut owners: BTreeMap<ReservedKey, BTreeSet<StreamId>> = BTreeMap::new();
        for commit in self.store.log.commits() {
            for (_, event) in commit.events() {
                let decoded =
                    AccountEvent::decode(&event.event_type, event.schema_version, &event.data);
                for claim in decoded.expect("one").as_slice().iter().flat_map(<Accounts>::claims) {
                    let of_key = owners
                        .entry(ReservedKey::of(commit.stream(), claim.key().clone()))
                        .or_default();
                    match claim {
                        Claim::Reserve(_) => of_key.insert(commit.stream().clone()),
                        Claim::Release(_) => of_key.remove(commit.stream()),
                    };
                }
            }
        }
        owners.retain(|_, streams| !streams.is_empty());
        owners
    }

    /// All reservations.
    async fn held(&self) -> BTreeMap<ReservedKey, StreamId> {
        let mut held = BTreeMap::new();
        let mut walk = PageWalk::start();
        while let Some(from) = walk.next_place() {
            let page = self.store.log.list_reservations(Segment::WHOLE, from.as_ref()).await;
            let reservations = walk.turn(page.expect("the list can be read"));
            held.extend(reservations.into_iter().map(|it| (it.key, it.holder)));
        }
        held
    }

    /// The keys whose reservation differs from the log, without using the tested code.
    pub(super) async fn wrong(&self) -> Vec<String> {
        let (owners, held) = (self.owners(), self.held().await);
        let keys: BTreeSet<_> = owners.keys().chain(held.keys()).collect();
        let holder = |key| held.get(key).into_iter().collect::<Vec<_>>();
        let owner = |key| owners.get(key).into_iter().flatten().collect::<Vec<_>>();
        keys.into_iter()
            .filter(|key| owner(key) != holder(key))
            .map(|key| format!("{key}: owned by {:?}, reserved for {:?}", owner(key), holder(key)))
            .collect()
    }

    /// The keys that are reserved for a stream without owning them.
    pub(super) async fn superfluous(&self) -> Vec<String> {
        let (owners, held) = (self.owners(), self.held().await);
        let owns = |key, holder| owners.get(key).is_some_and(|owners| owners.contains(holder));
        held.iter()
            .filter(|(key, holder)| !owns(key, holder))
            .map(|(key, holder)| format!("{key} is reserved for {holder}, which does not own it"))
            .collect()
    }
}
