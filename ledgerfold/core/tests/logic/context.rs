//! Tests of the declaration of a context: everything that contradicts itself is named.

use std::sync::Arc;

use ledgerfold::{
    Decider, ProcessName, Recorded, StreamId, TenantId,
    context::{CommandPorts, Context, Contradiction, Kind, QueryPorts},
    ports::{CounterKey, DeadlineKey, IndexPartition, Listing},
    process::{CommandOf, OnRefusal, ProcessManager, Reaction},
    project::{Counts, Projection, Tally},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{
    AccountCommand, AccountEvent, Accounts, Plain, PublicAccountEvent, PublicAccounts, Statement,
    Statements, Totals,
};
use ledgerfold_testkit::loyalty::{self, Members, Points};
use ledgerfold_testkit::{
    ManualClock, MemoryDeadlineStore, MemoryEventStore, MemoryReadSide, SeededRandom,
};

use crate::{
    lending::{LOAN, Lending},
    note_models::deliveries,
};

fn bank() -> Context {
    Context::new("bank")
        .decider_with_claims::<Accounts>()
        .rows::<Statements>("statements")
        .listed_by("open")
        .tally::<Totals>("totals")
        .process_with::<Lending>(LOAN)
}

/// [`Statements`] in another revision.
struct NewStatements<const REVISION: u32>;

impl<const REVISION: u32> Projection for NewStatements<REVISION> {
    type Event = AccountEvent;
    type Row = Statement;

    const REVISION: u32 = REVISION;

    fn evolve(
        row: Option<Statement>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Statement>, String> {
        Statements::evolve(row, event)
    }
}

impl Tally for NewStatements<1> {
    type Event = AccountEvent;
    type Memo = ();

    fn count((): &mut (), _: &Recorded<AccountEvent>, counts: &mut Counts) -> Result<(), String> {
        counts.add(CounterKey::new("all").expect("a key"), "events", 1)
    }
}

/// [`Points`] in another revision.
struct NewPoints;

impl Projection for NewPoints {
    type Event = PublicAccountEvent;
    type Row = u64;

    const REVISION: u32 = 2;

    fn evolve(
        row: Option<u64>,
        event: &Recorded<PublicAccountEvent>,
    ) -> Result<Option<u64>, String> {
        Points::evolve(row, event)
    }
}

/// A process that reacts to all events.
struct Greeter;

impl ProcessManager for Greeter {
    type Event = AccountEvent;
    type Target = Accounts;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("greeter");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;

    fn react(_: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<CommandOf<Self>>> {
        Vec::new()
    }

    fn expire(_: &DeadlineKey) -> Option<CommandOf<Self>> {
        None
    }
}

#[test]
fn a_context_names_its_public_events_and_its_sources() {
    assert!(!bank().has_public_events());
    let bank = bank().publishes::<PublicAccounts>();
    assert_eq!(bank.check(), Ok(()));
    assert!(bank.has_public_events());
    assert_eq!(bank.public_forms().categories().collect::<Vec<_>>(), [&<Accounts>::CATEGORY]);
    assert!(bank.sources().is_empty() && bank.projections()[0].source().is_none());

    let both = loyalty::context().rows::<NewPoints>("points").of::<PublicAccounts>();
    assert_eq!(both.check(), Ok(()), "a new revision reads the same events");
    assert_eq!(both.sources().into_iter().collect::<Vec<_>>(), ["bank"]);
    let points = both.projection_of::<Points>().expect("it is declared");
    assert_eq!(points.source(), Some("bank"));
    let source = points.foreign().expect("it is declared");
    assert_eq!(
        (source.category(), source.bus_name().as_str()),
        (&<Accounts>::CATEGORY, "bank.public")
    );
}

#[test]
fn each_name_of_a_context_is_written_once() {
    let bank = bank();
    assert_eq!(bank.check(), Ok(()));
    assert_eq!(bank.only_category().map(ToString::to_string).as_deref(), Some("account"));
    assert_eq!(bank.catalog().projections(), ["statements", "totals"]);
    let totals = bank.projection_of::<Totals>().expect("it is declared");
    assert_eq!((totals.name(), totals.kind(), totals.index()), ("totals", Kind::Counters, None));
    let statements = bank.projection_of::<Statements>().expect("it is declared");
    assert_eq!((statements.name(), statements.index()), ("statements", Some("open")));
    assert_eq!(bank.processes()[0].name().as_str(), "lending");
    let unknown = bank.projection_of::<NewStatements<2>>().expect_err("it is not declared");
    assert!(unknown.to_string().contains("add it to the context"), "{unknown}");
}

#[test]
fn a_contradiction_is_named_with_its_remedy() {
    let loyalty = || Context::new("loyalty").decider::<Members>();
    let two_domains = || Context::new("two").decider::<Accounts>().decider::<Members>();
    let contradictions: [(Context, &str); 26] = [
        (
            loyalty().publishes::<PublicAccounts>().decider::<Accounts>(),
            "belongs to the context bank",
        ),
        (
            Context::new("bank").decider::<Members>().publishes::<PublicAccounts>(),
            "has no decider here",
        ),
        (
            bank().publishes::<PublicAccounts>().publishes::<PublicAccounts>(),
            "the category account has public events twice",
        ),
        (loyalty().of::<PublicAccounts>(), "the events of bank have no reader"),
        (
            loyalty().rows::<Points>("points").of::<PublicAccounts>().of::<PublicAccounts>(),
            "the events of bank have no reader",
        ),
        (bank().rows::<Points>("points").of::<PublicAccounts>(), "names its own context"),
        (
            loyalty().rows::<Points>("points").of_context("Bank", <Accounts>::CATEGORY),
            "\"Bank\" is not a name",
        ),
        (
            loyalty().rows::<Points>("points").rows::<NewPoints>("points").of::<PublicAccounts>(),
            "two models of the projection points read different events",
        ),
        (
            loyalty()
                .rows::<Points>("points")
                .of_context("bank", <Accounts>::CATEGORY)
                .rows::<NewPoints>("points")
                .of::<PublicAccounts>(),
            "two models of the projection points read different events",
        ),
        (Context::new("bank"), "declare its domain"),
        (bank().decider::<Accounts<Plain>>(), "two deciders have the category account"),
        (bank().rows::<NewStatements<0>>("Statements"), "\"Statements\" is not a name"),
        (bank().rows::<NewStatements<0>>("statements-"), "\"statements-\" is not a name"),
        (bank().rows::<Statements>("again"), "declared twice, the second time as again"),
        (bank().rows::<NewStatements<1>>("statements"), "have the revision 1"),
        (bank().tally::<NewStatements<1>>("statements"), "has rows and counters"),
        (bank().listed_by("by-owner"), "directly after .rows"),
        (bank().process_with::<Lending>(LOAN), "the process lending is declared twice"),
        (
            two_domains().rows::<Statements>("statements"),
            "the projection statements gets the events of several deciders",
        ),
        (
            two_domains().process_with::<Greeter>(()),
            "the process greeter gets the events of several deciders",
        ),
        (
            two_domains().rows::<Statements>("statements").of_decider::<Members>(),
            "AccountEvent, but its decider has ledgerfold_testkit::loyalty::MemberEvent",
        ),
        (
            loyalty().rows::<Statements>("statements").of_decider::<Accounts>(),
            "the projection statements reads the category account, which has no decider here",
        ),
        (loyalty().of_decider::<Members>(), "the events of the category member have no reader"),
        (
            bank()
                .rows::<NewStatements<0>>("again")
                .of_decider::<Accounts>()
                .of_decider::<Accounts>(),
            "the events of the category account have no reader",
        ),
        (
            loyalty().rows::<Points>("points").of::<PublicAccounts>().of_decider::<Members>(),
            "the events of the category member have no reader",
        ),
        (
            bank().rows::<NewStatements<2>>("statements").of_decider::<Accounts>(),
            "two models of the projection statements read different events",
        ),
    ];
    for (context, sentence) in contradictions {
        let found = context.check().expect_err(sentence);
        assert_eq!(found.found.len(), 1, "{found}");
        assert!(found.to_string().contains(sentence), "{found}, and not {sentence}");
    }
    let two = Context::new("Bank").check().expect_err("it has neither a name nor a decider");
    assert!(matches!(
        two.found[..],
        [Contradiction::InvalidName(_), Contradiction::NoDecider("Bank")]
    ));
}

#[test]
fn a_new_revision_of_a_model_is_no_contradiction() {
    let both = bank().rows::<NewStatements<2>>("statements");
    assert_eq!(both.check(), Ok(()));
    assert_eq!(both.catalog().projections(), ["statements", "totals"]);
}

#[tokio::test]
async fn a_declared_context_runs_from_a_command_to_a_row_and_a_deadline() {
    let (bank, read_side, stream) = (bank(), MemoryReadSide::default(), fresh());
    let log = Arc::new(MemoryEventStore::default());
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    let ports = CommandPorts::new(log.clone(), clock, random);
    let accounts = ports.handler::<Accounts>();
    let commands = [
        AccountCommand::Open("ada@example.org".to_owned()),
        AccountCommand::Deposit(900),
        AccountCommand::Borrow(100),
    ];
    for (attempt, command) in commands.into_iter().enumerate() {
        let request = ask(&stream, &format!("c{attempt}"), command);
        accounts.handle(&request).await.expect("the command is accepted");
    }
    let commits = log.commits();
    let events = || deliveries(commits.iter().flat_map(|it| it.envelopes().collect::<Vec<_>>()));
    for projection in bank.catalog().projections() {
        let projector = read_side.projector(&bank, projection, &ports);
        let projector = projector.expect("it is declared");
        assert_eq!(projector.project(events()).await, []);
    }
    let queries = QueryPorts::new(&bank, log.clone(), &read_side);
    let row = queries.rows::<Statements>().expect("it is declared").table.get(&stream).await;
    let statement: Statement = row
        .expect("the read succeeds")
        .and_then(|row| row.body)
        .expect("the account is open")
        .decode()
        .expect("a statement");
    assert_eq!((statement.balance, statement.events), (900, 4));

    let deadlines = Arc::<MemoryDeadlineStore>::default();
    let lending = bank.processes()[0].handler("", &ports, deadlines.clone());
    assert_eq!(lending.expect("its settings are fixed").handle(events()).await, []);
    let streams: Vec<StreamId> =
        deadlines.waiting().into_iter().map(|it| it.deadline.key.stream).collect();
    assert_eq!(streams, [stream.clone(), stream]);
}

#[tokio::test]
async fn rows_without_a_declared_index_cannot_be_listed_anywhere() {
    let bank = Context::new("bank").decider::<Accounts>().rows::<Statements>("statements");
    let (log, read_side) = (Arc::<MemoryEventStore>::default(), MemoryReadSide::default());
    let queries = QueryPorts::new(&bank, log, &read_side);
    let listing = Listing {
        tenant: TenantId::default_tenant(),
        partition: IndexPartition::new("open").expect("a key"),
        before: None,
        limit: 1,
    };
    let rows = queries.rows::<Statements>().expect("it is declared").table;
    let refusal = rows.list(&listing).await.expect_err("there is no index").to_string();
    assert!(
        refusal.contains("declare one with .listed_by(…) behind .rows::<…>(\"statements\")"),
        "{refusal}"
    );
}
