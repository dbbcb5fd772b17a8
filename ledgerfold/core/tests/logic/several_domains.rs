//! Tests of a context with two domains: each projection reads the streams of one of them, although the events of both
//! are on the same bus and in the same log.

use std::sync::Arc;

use ledgerfold::{
    Command, Decider, Recorded, StreamId, Version,
    context::{CommandPorts, Context, QueryPorts, ReadPorts},
    project::{Projection, ProjectorPorts, Verdict},
    query::{Fresh, fresh_counts, fresh_row},
    rebuild::{Plan, Rebuilder},
    reconcile::{Look, Reconciler, Sample, SpotCheck, SpotChecked},
    vocabulary::{ConsistencyToken, FailedReceipt, Generation},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{
    AccountCommand, Accounts, EVENTS, Statements, Totals, all_accounts,
};
use ledgerfold_testkit::loyalty::{Join, MemberEvent, Members};
use ledgerfold_testkit::{
    ManualClock, MemoryEventStore, MemoryQuarantine, MemoryReadSide, SeededRandom,
};

use crate::note_models::deliveries;

/// The memberships.
struct Joined;

impl Projection for Joined {
    type Event = MemberEvent;
    type Row = u64;

    fn evolve(row: Option<u64>, _: &Recorded<MemberEvent>) -> Result<Option<u64>, String> {
        Ok(Some(row.unwrap_or_default() + 1))
    }
}

/// Both domains with their read models.
fn context() -> Context {
    Context::new("club")
        .decider_with_claims::<Accounts>()
        .decider::<Members>()
        .rows::<Statements>("statements")
        .listed_by("open")
        .of_decider::<Accounts>()
        .tally::<Totals>("totals")
        .of_decider::<Accounts>()
        .rows::<Joined>("joined")
        .of_decider::<Members>()
}

const PROJECTIONS: [&str; 3] = ["statements", "totals", "joined"];

/// The context with its ports in memory, an account and a membership of the same id.
struct Club {
    context: Context,
    log: Arc<MemoryEventStore>,
    clock: Arc<ManualClock>,
    read_side: MemoryReadSide,
    account: StreamId,
    member: StreamId,
}

impl Club {
    async fn new() -> Self {
        let account = fresh();
        let member = account.beside(Members::CATEGORY, account.id().clone());
        let club = Self {
            context: context(),
            log: Arc::new(MemoryEventStore::with_pages_of(2)),
            clock: Arc::default(),
            read_side: MemoryReadSide::default(),
            account,
            member,
        };
        club.run::<Accounts>(&club.account, AccountCommand::Open("ada@example.org".to_owned()))
            .await;
        club.run::<Accounts>(&club.account, AccountCommand::Deposit(900)).await;
        club.run::<Members>(&club.member, Join).await;
        club.run::<Accounts>(&club.account, AccountCommand::Deposit(100)).await;
        club
    }

    async fn run<D: Decider<Command: Command>>(&self, stream: &StreamId, command: D::Command) {
        let attempt = format!("c{}", self.log.commits().len());
        let handler = self.ports().handler::<D>();
        let handled = handler.handle(&ask(stream, &attempt, command)).await;
        handled.expect("the command is accepted");
    }

    fn ports(&self) -> CommandPorts {
        let random = Arc::new(SeededRandom::new(1));
        CommandPorts::new(self.log.clone(), self.clock.clone(), random)
    }

    /// Delivers all events to every projection, as a rule without a filter would.
    async fn project(&self) -> Vec<FailedReceipt> {
        let commits = self.log.commits();
        let events = || commits.iter().flat_map(|it| it.envelopes().collect::<Vec<_>>());
        let mut failed = Vec::new();
        for projection in PROJECTIONS {
            let projector = self.read_side.projector(&self.context, projection, &self.ports());
            let projector = projector.expect("it is declared");
            failed.extend(projector.project(deliveries(events())).await);
        }
        failed
    }

    async fn statement(&self) -> Option<Fresh<u64>> {
        let queries = QueryPorts::new(&self.context, self.log.clone(), &self.read_side);
        let rows = queries.rows::<Statements>().expect("it is declared");
        let row =
            fresh_row::<Statements>(&*rows.table, &*rows.log, &*rows.skips, &self.account, None);
        let row = row.await.expect("the read succeeds")?;
        Some(Fresh { row: row.row.balance, version: row.version })
    }

    async fn spot_check(&self, look: Look) -> SpotChecked {
        let sample = Sample::new(self.log.clone(), Arc::new(SeededRandom::new(5)));
        let generations = self.read_side.generation_store();
        let check = SpotCheck::new(sample, generations, self.log.clone(), self.clock.clone());
        let check = PROJECTIONS.into_iter().fold(check, |check, name| {
            let table = self.read_side.read_table(name);
            let models = self.context.catalog().models(name, table).expect("it is declared");
            check.of(models, self.read_side.skips(name), self.read_side.quarantine(name))
        });
        let checked = check.run(look, std::time::Duration::ZERO, ledgerfold::Timestamp::MAX).await;
        checked.expect("the check succeeds")
    }
}

// Guards: a-projection-reads-its-own-domain
#[tokio::test]
async fn a_projection_gets_only_the_events_of_its_own_domain() {
    let club = Club::new().await;
    assert_eq!(club.context.check(), Ok(()));
    assert_eq!(club.project().await, [], "no event of another domain is decoded");
    assert_eq!(club.statement().await, Some(Fresh { row: 1_000, version: Version::new(3) }));
    for (projection, stream) in [("statements", &club.account), ("joined", &club.member)] {
        let rows = club.read_side.read_table(projection).rows_of(Generation::FIRST).rows();
        let streams: Vec<_> = rows.iter().map(|row| &row.stream).collect();
        assert_eq!(streams, [stream], "{projection} has rows of its own domain only");
        assert_eq!(club.read_side.quarantine(projection).parked(), []);
    }
}

// Guards: a-projection-reads-its-own-domain
#[tokio::test]
async fn a_spot_check_compares_each_stream_with_the_models_that_read_it() {
    let club = Club::new().await;
    let both = vec![club.account.clone(), club.member.clone()];
    for look in [Look::At(10), Look::On(both)] {
        let lost = club.spot_check(look.clone()).await;
        let found = PROJECTIONS.map(|it| (lost.summaries[it].streams, lost.summaries[it].lost));
        assert_eq!(found, [(1, 1); 3], "{look:?}");
    }
    assert_eq!(club.project().await, []);
    let checked = club.spot_check(Look::At(10)).await;
    assert_eq!((checked.wrong(), checked.streams), (0, 2), "{:?}", checked.findings);
}

#[tokio::test]
async fn a_spot_check_draws_no_streams_that_no_projection_reads() {
    let club = Club::new().await;
    let sample = Sample::new(club.log.clone(), Arc::new(SeededRandom::new(5)));
    let generations = club.read_side.generation_store();
    let models = club.context.catalog().models("joined", club.read_side.read_table("joined"));
    let check = SpotCheck::new(sample, generations, club.log.clone(), club.clock.clone()).of(
        models.expect("it is declared"),
        club.read_side.skips("joined"),
        club.read_side.quarantine("joined"),
    );
    let patience = std::time::Duration::ZERO;
    for look in [Look::At(10), Look::On(vec![club.account.clone()])] {
        let expected = u64::from(matches!(look, Look::At(_)));
        let checked = check.run(look, patience, ledgerfold::Timestamp::MAX).await;
        assert_eq!(checked.expect("the check succeeds").streams, expected);
    }
}

#[tokio::test]
async fn a_reconciler_leaves_out_the_models_that_do_not_read_a_stream() {
    let club = Club::new().await;
    let table = club.read_side.read_table("statements");
    let models = club.context.catalog().models("statements", table).expect("it is declared");
    let record = models.peek(&*club.read_side.generation_store()).await.expect("a record");
    let model = models.open(record.live()).expect("it is known");
    let skips = Arc::<MemoryQuarantine>::default();
    let all = Reconciler::new(club.log.clone(), club.clock.clone(), std::time::Duration::ZERO).of(
        "statements",
        model,
        skips,
    );
    let only = all.clone().only(models.selection().category().cloned());
    let streams = [club.account.clone(), club.member.clone()];
    let verdicts = async |reconciler: Reconciler| {
        let found = reconciler.examine(&streams).await.expect("the read succeeds");
        found.into_iter().map(|it| it.comparison.verdict).collect::<Vec<_>>()
    };
    assert!(matches!(verdicts(all).await[..], [Verdict::Lost, Verdict::Unreadable(_)]));
    assert_eq!(verdicts(only).await, [Verdict::Lost]);
}

// Guards: a-projection-reads-its-own-domain
#[tokio::test]
async fn a_rebuild_walks_the_streams_of_its_own_domain() {
    let club = Club::new().await;
    for projection in PROJECTIONS {
        let table = club.read_side.read_table(projection);
        let models = club.context.catalog().models(projection, table).expect("it is declared");
        let clock = club.clock.clone();
        let random = Arc::new(SeededRandom::new(4));
        let skips = club.read_side.skips(projection);
        let ports = ProjectorPorts { log: club.log.clone(), skips, clock, random };
        let generations = club.read_side.generation_store();
        let rebuilder = Rebuilder::new(models, generations, club.log.clone(), ports)
            .only(club.context.only_category().cloned());
        let building = rebuilder.begin().await.expect("nothing is being built");
        let filled = rebuilder.fill(&building, Plan::default(), &|_| {}).await.expect("filled");
        assert_eq!((filled.streams, filled.failed), (1, 0), "{projection}");
        let verified = rebuilder.verify(&building, Plan::default(), &|_| {}).await;
        let verified = verified.expect("it is compared");
        assert_eq!((verified.wrong(), verified.summary().streams), (0, 1), "{projection}");
        rebuilder.switch(&verified).await.expect("the record is unchanged");
    }
    assert_eq!(club.statement().await, Some(Fresh { row: 1_000, version: Version::new(3) }));
}

#[tokio::test]
async fn a_query_is_completed_from_the_log_of_its_own_domain() {
    let club = Club::new().await;
    assert_eq!(club.statement().await, Some(Fresh { row: 1_000, version: Version::new(3) }));
    let queries = QueryPorts::new(&club.context, club.log.clone(), &club.read_side);
    let totals = queries.tallies::<Totals>().expect("it is declared");
    let token = ConsistencyToken { stream: club.account.clone(), version: Version::new(3) };
    let range = (club.account.tenant(), &all_accounts(), &all_accounts());
    let counters =
        fresh_counts::<Totals>(&*totals.table, &*totals.log, &*totals.skips, range, Some(&token));
    assert_eq!(counters.await.expect("it is counted on")[0].amounts[EVENTS], 3);
    // The rows of one domain never decode the stream of another one.
    let page = totals.log.read(&club.member, Version::NONE).await.expect("the read succeeds");
    let head = totals.log.head(&club.member).await.expect("the read succeeds");
    assert_eq!((page.commits.len(), head), (0, Version::NONE));
}
