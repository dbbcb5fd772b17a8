//! Tests of projections that read another context's events: from a command of the bank over the relay and the bus to the
//! rows of another context.

mod mapping;

use std::{collections::BTreeMap, sync::Arc};

use ledgerfold::{
    Category, Decider, Envelope, PublicEvents, StreamId, TenantId, Timestamp, Version,
    context::{CommandPorts, Context, QueryPorts},
    ports::{EventReader, Limits},
    project::{Projection, ProjectorPorts, Verdict},
    query::{Fresh, QueryError, fresh_counts, fresh_row},
    rebuild::{Plan, Rebuilder},
    reconcile::{Look, Sample, SpotCheck, SpotChecked},
    relay::{Relay, StreamRecord},
    vocabulary::{ConsistencyToken, Content, FailedReceipt, Form, ReplayName},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{AccountCommand, Accounts, Plain, PublicAccounts, Statements};
use ledgerfold_testkit::loyalty::{self, Activity, EVENTS, Points, all_accounts};
use ledgerfold_testkit::{MemoryEventStore, MemoryPublisher, MemoryReadSide, SeededRandom};

use crate::note_models::{World, deliveries};

/// The bank with its relay and its bus, and the context that reads its public events.
struct Two {
    bank: World,
    read_side: MemoryReadSide,
    /// The ports of the second context. Its own log has no streams.
    ports: CommandPorts,
}

impl Two {
    fn new() -> Self {
        let bank = World::with_pages_of(2);
        let read_side = MemoryReadSide::default().with_log_of("bank", bank.log.clone());
        let (clock, random) = (bank.clock.clone(), Arc::new(SeededRandom::new(1)));
        let ports = CommandPorts::new(Arc::<MemoryEventStore>::default(), clock, random);
        Self { bank, read_side, ports }
    }

    async fn run(&self, stream: &StreamId, commands: impl IntoIterator<Item = AccountCommand>) {
        for command in commands {
            let attempt = format!("c{}", self.bank.log.commits().len());
            let request = ask(stream, &attempt, command);
            let handled = self.bank.handler::<Accounts<Plain>>().handle(&request).await;
            handled.expect("the command is accepted");
        }
    }

    /// Everything on the bus after the relay has published the whole log.
    async fn published<M: PublicEvents>(&self) -> Vec<Envelope> {
        let limits = Limits { entries: 10, bytes: 10_000 };
        let publisher = Arc::new(MemoryPublisher::new(limits));
        let (clock, random) = (self.bank.clock.clone(), Arc::new(SeededRandom::new(2)));
        let bank = Context::new("bank").decider::<Accounts<Plain>>().publishes::<M>();
        let relay = Relay::new(publisher.clone(), clock, random)
            .publishing(bank.public_forms().clone())
            .with_dead_letters(publisher.clone());
        let record = |(at, commit)| StreamRecord {
            sequence_number: format!("r{at}"),
            name: format!("commit {at}"),
            commit: Ok(commit),
        };
        let records: Vec<_> = self.bank.log.commits().into_iter().enumerate().map(record).collect();
        assert_eq!(relay.publish(&records).await, Ok(()));
        publisher.taken()
    }

    /// What the rule of a projection selects from the bus.
    async fn public(&self) -> Vec<Envelope> {
        let published = self.published::<PublicAccounts>().await;
        published.into_iter().filter(|it| it.form == Form::Public).collect()
    }

    async fn project(&self, context: &Context, events: Vec<Envelope>) -> Vec<FailedReceipt> {
        let mut failed = Vec::new();
        for projection in context.catalog().projections() {
            let projector = self.read_side.projector(context, projection, &self.ports);
            let projector = projector.expect("it is declared");
            failed.extend(projector.project(deliveries(events.clone())).await);
        }
        failed
    }

    /// The stored row of an account with its version.
    async fn points<P: Projection>(
        &self,
        context: &Context,
        stream: &StreamId,
    ) -> Option<(u64, Option<P::Row>)> {
        let queries = QueryPorts::new(context, self.ports.log.clone(), &self.read_side);
        let rows = queries.rows::<P>().expect("it is declared").table;
        let row = rows.get(stream).await.expect("the read succeeds")?;
        Some((row.version.get(), row.body.map(|body| body.decode().expect("a row"))))
    }

    /// A comparison of all streams with both projections, with all events due.
    async fn spot_check(&self, context: &Context) -> SpotChecked {
        let sample =
            |log: &Arc<MemoryEventStore>| Sample::new(log.clone(), Arc::new(SeededRandom::new(5)));
        let own = Arc::<MemoryEventStore>::default();
        let generations = self.read_side.generation_store();
        let check = SpotCheck::new(sample(&own), generations, own, self.bank.clock.clone());
        let projections = context.catalog().projections().into_iter();
        let check = projections.fold(check, |check, name| {
            let table = self.read_side.read_table(name);
            let models = context.catalog().models(name, table).expect("it is declared");
            let quarantine = self.read_side.quarantine(name);
            let log: Arc<dyn EventReader> = self.bank.log.clone();
            check.of_source(models, quarantine.clone(), quarantine, (sample(&self.bank.log), log))
        });
        let checked = check.run(Look::At(100), std::time::Duration::ZERO, Timestamp::MAX).await;
        checked.expect("the read succeeds")
    }
}

fn open() -> AccountCommand {
    AccountCommand::Open("ada@example.org".to_owned())
}

fn note() -> AccountCommand {
    AccountCommand::Write(vec!["secret".to_owned()])
}

/// An account with hidden events at the beginning, between, within a commit, and at the end. Its last public event is
/// version 6.
fn life() -> Vec<AccountCommand> {
    vec![
        note(),
        open(),
        AccountCommand::Deposit(250),
        AccountCommand::Borrow(100),
        AccountCommand::Deposit(300),
        AccountCommand::Move("countess@example.org".to_owned()),
    ]
}

const LIFE: (u64, Option<u64>) = (6, Some(5));

#[tokio::test]
async fn public_events_reach_the_rows_of_another_context() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, life()).await;
    let public = two.public().await;
    let versions: Vec<_> = public.iter().map(|it| it.version.get()).collect();
    assert_eq!(versions, [2, 3, 6]);
    assert_eq!(two.project(&loyalty, public).await, []);
    assert_eq!(two.points::<Points>(&loyalty, &stream).await, Some(LIFE));
    let checked = two.spot_check(&loyalty).await;
    assert_eq!((checked.wrong(), checked.streams), (0, 2), "{:?}", checked.findings);
}

/// Any order, repetitions and gaps; only the newest event always arrives.
fn dealt(events: &[Envelope], seed: u64) -> Vec<Envelope> {
    let random = SeededRandom::new(seed);
    let mut dealt = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let is_last = at + 1 == events.len();
        for _ in 0..(random.next() % 3).max(u64::from(is_last)) {
            dealt.push((random.next(), event.clone()));
        }
    }
    dealt.sort_by_key(|(place, _)| *place);
    dealt.into_iter().map(|(_, event)| event).collect()
}

// Guards: other-contexts-see-the-public-form
#[tokio::test]
async fn a_foreign_row_is_the_fold_of_the_public_events_for_any_order_of_deliveries() {
    for seed in 0..100 {
        let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
        two.run(&stream, life()).await;
        let public = two.public().await;
        for batch in dealt(&public, seed).chunks(2) {
            assert_eq!(two.project(&loyalty, batch.to_vec()).await, [], "seed {seed}");
        }
        // A replay of the archive changes nothing.
        let replay = Some(ReplayName("again".to_owned()));
        let replayed = deliveries(public).into_iter().map(|mut it| {
            it.replay.clone_from(&replay);
            it
        });
        let projector = two.read_side.projector(&loyalty, "points", &two.ports);
        assert_eq!(projector.expect("it exists").project(replayed.collect()).await, []);
        assert_eq!(two.points::<Points>(&loyalty, &stream).await, Some(LIFE), "seed {seed}");
        let queries = QueryPorts::new(&loyalty, two.ports.log.clone(), &two.read_side);
        let counters = queries.tallies::<Activity>().expect("it is declared").table;
        let range =
            counters.range(&TenantId::default_tenant(), &all_accounts(), &all_accounts()).await;
        let amounts = range.expect("the read succeeds").remove(0).amounts;
        assert_eq!(amounts, BTreeMap::from([(EVENTS.to_owned(), 3)]), "seed {seed}");
        assert_eq!(two.spot_check(&loyalty).await.wrong(), 0, "seed {seed}");
    }
}

// Guards: a-hidden-event-is-never-a-gap
#[tokio::test]
async fn only_a_missing_public_event_counts_as_missing() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, [note(), note()]).await;
    let checked = two.spot_check(&loyalty).await;
    assert_eq!(checked.wrong(), 0, "no message will ever announce these events");

    two.run(&stream, [open()]).await;
    let lost = two.spot_check(&loyalty).await;
    assert_eq!(lost.summaries["points"].lost, 1);
    let found = &lost.findings[0].comparison;
    let opened = two.bank.log.commits()[2].metadata().recorded_at;
    assert_eq!((found.head, found.waiting_since), (Version::new(3), Some(opened)));

    assert_eq!(two.project(&loyalty, two.public().await).await, []);
    two.run(&stream, [note()]).await;
    assert_eq!(two.spot_check(&loyalty).await.wrong(), 0);
    two.run(&stream, [AccountCommand::Deposit(100), note()]).await;
    let behind = two.spot_check(&loyalty).await;
    assert_eq!((behind.summaries["points"].behind, behind.summaries["activity"].behind), (1, 1));
    let comparison = &behind.findings[0].comparison;
    assert_eq!((comparison.stored, comparison.head), (Some(Version::new(3)), Version::new(5)));
}

// Guards: other-contexts-see-the-public-form
#[tokio::test]
async fn messages_from_a_wrong_rule_show_only_public_content() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, life()).await;
    let mut all = two.published::<PublicAccounts>().await;
    let member = StreamId::of_default_tenant(Category::from_static("member"), stream.id().clone());
    all.extend(all.clone().into_iter().map(|it| Envelope { stream: member.clone(), ..it }));
    let stored = all.into_iter().filter(|it| it.form == Form::Private).collect();
    assert_eq!(two.project(&loyalty, stored).await, []);
    assert_eq!(two.points::<Points>(&loyalty, &stream).await, Some((7, Some(5))));
    assert_eq!(two.points::<Points>(&loyalty, &member).await, None, "it reads accounts only");

    // The bank's own projections read stored events only.
    let bank = World::new();
    bank.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    let public = bank.envelopes().into_iter().map(|it| Envelope { form: Form::Public, ..it });
    let reads = bank.log.reads();
    assert_eq!(bank.notes().project(deliveries(public)).await, []);
    assert_eq!((bank.row(&stream).is_some(), bank.log.reads() > reads), (true, true));
}

#[tokio::test]
async fn a_pointer_to_a_large_public_event_is_read_from_the_log_of_the_other_context() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, life()).await;
    let mut pointers = deliveries(two.public().await.split_off(2));
    for it in &mut pointers {
        let committed = Version::new(6);
        it.content = Ok(Content::Pointer { stream: stream.clone(), committed });
    }
    let projector = two.read_side.projector(&loyalty, "points", &two.ports).expect("it exists");
    assert_eq!(projector.project(pointers).await, []);
    assert_eq!(two.points::<Points>(&loyalty, &stream).await, Some(LIFE));
}

#[tokio::test]
async fn a_query_completes_a_row_from_the_log_of_the_other_context() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, life()).await;
    let queries = QueryPorts::new(&loyalty, two.ports.log.clone(), &two.read_side);
    let ask = async |version: Option<u64>| {
        let points = queries.rows::<Points>().expect("it is declared");
        let token = version.map(Version::new);
        let token = token.map(|version| ConsistencyToken { stream: stream.clone(), version });
        fresh_row::<Points>(&*points.table, &*points.log, &*points.skips, &stream, token.as_ref())
            .await
    };
    let all = Some(Fresh { row: 5, version: Version::new(7) });
    assert_eq!(ask(None).await.expect("it is folded from the log"), all);
    assert_eq!(two.project(&loyalty, two.public().await).await, []);
    let stored = Some(Fresh { row: 5, version: Version::new(6) });
    assert_eq!(ask(Some(6)).await.expect("the row is new enough"), stored);
    assert_eq!(ask(Some(7)).await.expect("the hidden event is in the log"), all);
    assert!(matches!(ask(Some(8)).await, Err(QueryError::Ahead { .. })));

    two.run(&stream, [AccountCommand::Deposit(100)]).await;
    let counts = queries.tallies::<Activity>().expect("it is declared");
    let token = ConsistencyToken { stream: stream.clone(), version: Version::new(8) };
    let tenant = TenantId::default_tenant();
    let range = (&tenant, &all_accounts(), &all_accounts());
    let counters =
        fresh_counts::<Activity>(&*counts.table, &*counts.log, &*counts.skips, range, Some(&token));
    assert_eq!(counters.await.expect("it is counted on")[0].amounts[EVENTS], 4);
}

#[tokio::test]
async fn without_the_log_of_the_other_context_a_gap_is_delivered_again() {
    let (two, stream, loyalty) = (Two::new(), fresh(), loyalty::context());
    two.run(&stream, life()).await;
    let without = Two { read_side: MemoryReadSide::default(), ..two };
    let failed = without.project(&loyalty, without.public().await).await;
    assert_eq!(failed.len(), 6, "three messages of each projection");
    assert!(failed[0].reason.contains("the program has no log of bank"), "{failed:?}");
    assert_eq!(without.read_side.quarantine("points").parked(), []);
}

// Guards: other-contexts-see-the-public-form
#[tokio::test]
async fn a_rebuild_reads_the_other_context_and_agrees_with_the_bus() {
    let (two, loyalty) = (Two::new(), loyalty::context());
    let (stream, hidden) = (fresh(), fresh());
    two.run(&stream, life()).await;
    two.run(&hidden, [note()]).await;
    assert_eq!(two.project(&loyalty, two.public().await).await, []);
    for projection in ["points", "activity"] {
        let (clock, random) = (two.bank.clock.clone(), Arc::new(SeededRandom::new(4)));
        let table = two.read_side.read_table(projection);
        let models = loyalty.catalog().models(projection, table).expect("it is declared");
        let skips = two.read_side.quarantine(projection);
        let ports = ProjectorPorts { log: two.bank.log.clone(), skips, clock, random };
        let generations = two.read_side.generation_store();
        // The category of the second context would find no stream.
        let rebuilder = Rebuilder::new(models, generations, two.bank.log.clone(), ports)
            .only(loyalty.only_category().cloned());
        let building = rebuilder.begin().await.expect("nothing is being built");
        let filled = rebuilder.fill(&building, Plan::default(), &|_| {}).await.expect("filled");
        assert_eq!((filled.streams, filled.failed), (2, 0));
        let verified = rebuilder.verify(&building, Plan::default(), &|_| {}).await;
        let verified = verified.expect("it is compared");
        assert_eq!(verified.wrong(), 0, "{:?}", verified.findings());
        rebuilder.switch(&verified).await.expect("the record is unchanged");
    }
    assert_eq!(two.points::<Points>(&loyalty, &stream).await, Some((7, Some(5))));
    assert_eq!(two.spot_check(&loyalty).await.wrong(), 0);
}

#[tokio::test]
async fn a_context_without_public_events_is_read_as_it_is_stored() {
    let (two, stream) = (Two::new(), fresh());
    two.run(&stream, life()[1..].to_vec()).await;
    let reader = Context::new("reporting")
        .decider::<loyalty::Members>()
        .rows::<Statements>("statements")
        .of_context("bank", <Accounts>::CATEGORY);
    assert_eq!(reader.check(), Ok(()));
    let source = reader.projections()[0].foreign().expect("it is declared");
    assert_eq!((source.bus_name().as_str(), source.on_the_bus()), ("bank", Form::Private));
    let last = two.bank.envelopes().split_off(5);
    assert_eq!(two.project(&reader, last).await, []);
    let (version, statement) =
        two.points::<Statements>(&reader, &stream).await.expect("the gap is filled");
    let statement = statement.expect("the account is open");
    assert_eq!((version, statement.balance, statement.events), (6, 550, 6));
    let checked = two.spot_check(&reader).await;
    assert_eq!(checked.wrong(), 0);
    assert!(checked.findings.iter().all(|it| it.comparison.verdict == Verdict::Current));
}

#[tokio::test]
async fn a_reader_of_public_events_reads_no_other_streams() {
    let (two, stream) = (Two::new(), fresh());
    two.run(&stream, life()).await;
    let models = |context: &Context| {
        let table = two.read_side.read_table("points");
        context.catalog().models("points", table).expect("it is declared")
    };
    let members = Context::new("loyalty")
        .rows::<Points>("points")
        .of_context("bank", Category::from_static("member"));
    for (context, is_read) in [(loyalty::context(), true), (members, false)] {
        let log = models(&context).reader(two.bank.log.clone());
        let page = log.read(&stream, Version::NONE).await.expect("the read succeeds");
        let head = log.head(&stream).await.expect("the read succeeds");
        assert_eq!((!page.commits.is_empty(), head > Version::NONE), (is_read, is_read));
    }
}
