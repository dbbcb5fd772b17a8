//! Tests of public events on their way to the bus, and of the audit of the bus.

use std::{sync::Arc, time::Duration};

use ledgerfold::{
    Category, Decider, Envelope, Event, EventType, Payload, PublicEvents, StreamId, Timestamp,
    ports::{Clock, DeadLetter, Limits},
    reconcile::PublishedEvents,
    relay::{DEPLOYMENT, Relay, StreamRecord, Unsent},
    vocabulary::{Commit, Form, PublicForm, PublicForms, SeveralForms},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{
    AccountCommand, AccountEvent, Accounts, Deposited, MoneyMoved, NoteWritten, Plain,
    PublicAccountEvent, PublicAccounts,
};
use ledgerfold_testkit::{Fault, ManualClock, MemoryPublisher, SeededRandom};

use crate::note_models::World;

const LIMITS: Limits = Limits { entries: 10, bytes: 200 };

struct Bus {
    publisher: Arc<MemoryPublisher>,
    relay: Relay,
}

/// A bus with the faults of its calls, and a relay with a dead-letter queue. `clock` is at the time of all commits.
fn bus(forms: PublicForms, clock: &Arc<ManualClock>, faults: Vec<Fault>) -> Bus {
    let publisher = Arc::new(MemoryPublisher::new(LIMITS));
    publisher.order(faults);
    let random = Arc::new(SeededRandom::new(3));
    let relay = Relay::new(publisher.clone(), clock.clone(), random).publishing(forms);
    Bus { relay: relay.with_dead_letters(publisher.clone()), publisher }
}

fn public() -> PublicForms {
    PublicForms::none().with::<PublicAccounts>()
}

/// A log in which one account was opened, got a deposit, and got notes about it.
async fn world(commands: Vec<AccountCommand>) -> (World, StreamId) {
    let (world, stream) = (World::new(), fresh());
    run(&world, &stream, commands).await;
    (world, stream)
}

async fn run(world: &World, stream: &StreamId, commands: Vec<AccountCommand>) {
    let head = world.log.commits().len();
    // One handler, because each one begins with the same ids.
    let handler = world.handler::<Accounts<Plain>>();
    for (at, command) in commands.into_iter().enumerate() {
        let request = ask(stream, &format!("c{}", head + at), command);
        handler.handle(&request).await.expect("it is accepted");
    }
}

fn open() -> AccountCommand {
    AccountCommand::Open("ada@example.org".to_owned())
}

fn note(text: &str) -> AccountCommand {
    AccountCommand::Write(vec![text.to_owned()])
}

fn records(commits: Vec<Commit>) -> Vec<StreamRecord> {
    let record = |(at, commit): (usize, Commit)| StreamRecord {
        sequence_number: format!("r{at}"),
        name: format!("commit {at}"),
        commit: Ok(commit),
    };
    commits.into_iter().enumerate().map(record).collect()
}

/// Each event as its version, its type and `public` or `stored`.
fn seen(events: &[Envelope]) -> Vec<(u64, &str, &'static str)> {
    let seen = |it: &'_ Envelope| match it.form {
        Form::Public => "public",
        _ => "stored",
    };
    events.iter().map(|it| (it.version.get(), it.event.event_type.as_str(), seen(it))).collect()
}

#[tokio::test]
async fn without_a_declaration_the_bus_has_each_event_once_as_it_is_stored() {
    let (world, _) = world(vec![open(), AccountCommand::Deposit(900)]).await;
    let bus = bus(PublicForms::none(), &world.clock, vec![]);
    assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
    let taken = bus.publisher.taken();
    assert_eq!(seen(&taken), [(1, "Opened", "stored"), (2, "Deposited", "stored")]);
}

// Guards: other-contexts-see-the-public-form
#[tokio::test]
async fn a_public_event_follows_its_event_and_a_hidden_event_has_none() {
    let (world, _) = world(vec![open(), note("secret"), AccountCommand::Deposit(900)]).await;
    let bus = bus(public(), &world.clock, vec![]);
    assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
    let taken = bus.publisher.taken();
    let expected = [
        (1, "Opened", "stored"),
        (1, "AccountOpened", "public"),
        (2, "NoteWritten", "stored"),
        (3, "Deposited", "stored"),
        (3, "MoneyMoved", "public"),
    ];
    assert_eq!(seen(&taken), expected);
    let [_, _, _, stored, public] = &taken[..] else { unreachable!("five events") };
    assert_eq!(public.event.data.as_str(), r#"{"amount":900}"#);
    assert_eq!((public.event.id, public.commit), (stored.event.id, stored.commit));
    assert!(
        taken.iter().all(|it| it.form == Form::Private || !it.event.data.as_str().contains('@'))
    );
    assert_eq!(bus.publisher.letters(), []);
}

#[tokio::test]
async fn only_the_form_that_the_bus_did_not_accept_is_sent_again() {
    let (world, _) = world(vec![open(), AccountCommand::Deposit(900)]).await;
    let bus = bus(public(), &world.clock, vec![Fault::Entries(vec![1, 2])]);
    assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
    let calls = bus.publisher.calls();
    assert_eq!(seen(&calls[1]), [(1, "AccountOpened", "public"), (2, "Deposited", "stored")]);
    assert_eq!(bus.publisher.taken().len(), 4);
}

// Guards: both-forms-are-published-or-found
#[tokio::test]
async fn a_commit_whose_public_event_is_not_accepted_is_returned() {
    let (world, _) = world(vec![open(), AccountCommand::Deposit(900)]).await;
    let mut faults = vec![Fault::Entries(vec![3])];
    faults.extend(vec![Fault::Call; 4]);
    let bus = bus(public(), &world.clock, faults);
    let unsent = bus.relay.publish(&records(world.log.commits())).await.expect_err("it fails");
    assert_eq!(unsent.sequence_number, "r1", "the stored form alone is not enough");
}

#[tokio::test]
async fn a_public_event_that_the_bus_can_never_accept_becomes_a_dead_letter() {
    let (world, _) = world(vec![open(), AccountCommand::Deposit(900)]).await;
    let bus = bus(public(), &world.clock, vec![Fault::Invalid(vec![1]), Fault::None]);
    assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
    let expected =
        [(1, "Opened", "stored"), (2, "Deposited", "stored"), (2, "MoneyMoved", "public")];
    assert_eq!(seen(&bus.publisher.taken()), expected);
    let letters = bus.publisher.letters();
    let [DeadLetter { commit, reason }] = &letters[..] else { unreachable!("{letters:?}") };
    assert!(commit == "commit 0" && reason.starts_with("public event 1: "), "{letters:?}");
}

/// The public events of [`PublicAccounts`] with a defect for some amounts.
struct Defective;

const PANICS: u64 = 13;
const HUGE: u64 = 14;

ledgerfold::events! {
    enum DefectiveEvent { MoneyMoved: 1, NoteWritten: 1 }
}

impl PublicEvents for Defective {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = AccountEvent;
    type Public = DefectiveEvent;

    fn public(event: &AccountEvent) -> Option<DefectiveEvent> {
        match event {
            AccountEvent::Deposited(Deposited { amount: PANICS }) => panic!("a defect"),
            AccountEvent::Deposited(Deposited { amount: HUGE }) => {
                Some(NoteWritten { text: "x".repeat(2 * LIMITS.bytes) }.into())
            }
            AccountEvent::Deposited(_) => Some(MoneyMoved { amount: 1 }.into()),
            _ => None,
        }
    }
}

// Guards: a-defect-of-a-mapping-blocks-nothing
#[tokio::test]
async fn a_defect_of_the_mapping_becomes_a_dead_letter_and_blocks_nothing() {
    for (defect, sentence) in [(PANICS, "a defect"), (HUGE, "411 bytes")] {
        let amounts = AccountCommand::DepositAll(vec![1, defect, 2]);
        let (world, _) = world(vec![open(), amounts, AccountCommand::Deposit(3)]).await;
        let forms = PublicForms::none().with::<Defective>();
        let bus = bus(forms, &world.clock, vec![]);
        assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
        let public: Vec<_> =
            bus.publisher.taken_as(Form::Public).iter().map(|it| it.version.get()).collect();
        assert_eq!(public, [2, 4, 5], "only the public form of version 3 is missing");
        assert_eq!(bus.publisher.taken_as(Form::Private).len(), 5);
        let letters = bus.publisher.letters();
        let [DeadLetter { commit, reason }] = &letters[..] else { unreachable!("{letters:?}") };
        let names = reason.contains("version 3 has no public event") && reason.contains(sentence);
        assert!(commit == "commit 1" && names, "{letters:?}");
    }
}

#[tokio::test]
async fn no_dead_letter_about_a_defect_is_sent_before_the_events_are_published() {
    let (world, _) = world(vec![open(), AccountCommand::Deposit(PANICS)]).await;
    let forms = PublicForms::none().with::<Defective>();
    let bus = bus(forms, &world.clock, vec![Fault::Call; 5]);
    let unsent = bus.relay.publish(&records(world.log.commits())).await.expect_err("it fails");
    assert_eq!((unsent.sequence_number.as_str(), bus.publisher.letters()), ("r0", vec![]));
}

/// An old program, which knows no deposits.
struct Old;

ledgerfold::events! {
    enum OldEvent { NoteWritten: 1 }
}

impl PublicEvents for Old {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = OldEvent;
    type Public = OldEvent;

    fn public(event: &OldEvent) -> Option<OldEvent> {
        Some(event.clone())
    }
}

// Guards: a-defect-of-a-mapping-blocks-nothing
#[tokio::test]
async fn an_event_of_a_newer_program_waits_for_the_deployment_and_no_longer() {
    let (world, _) = world(vec![note("a"), open(), note("b")]).await;
    let records = records(world.log.commits());
    let bus = bus(PublicForms::none().with::<Old>(), &world.clock, vec![]);
    let Unsent { sequence_number, reason } =
        bus.relay.publish(&records).await.expect_err("the type is unknown");
    assert!(sequence_number == "r1" && reason.contains("does not know"), "{reason}");
    assert_eq!(seen(&bus.publisher.taken()).len(), 2, "all earlier commits are sent");
    assert_eq!(bus.publisher.letters(), []);

    world.clock.set(world.clock.now() + DEPLOYMENT + Duration::from_secs(1));
    assert_eq!(bus.relay.publish(&records).await, Ok(()));
    let letters = bus.publisher.letters();
    assert!(letters.len() == 1 && letters[0].commit == "commit 1", "{letters:?}");
    let sent = bus.publisher.taken_as(Form::Public);
    assert_eq!(sent.last().map(|it| it.version.get()), Some(3));

    // The new program repairs the gap.
    let published: PublishedEvents =
        bus.publisher.taken().iter().map(|it| (it.event.id, it.form)).collect();
    let lacking = lacks(&world, published.with_public_forms(public())).await;
    assert_eq!(lacking, [2]);
}

/// The versions at which commits begin that the bus lacks.
async fn lacks(world: &World, published: PublishedEvents) -> Vec<u64> {
    let all = Timestamp::MIN..=Timestamp::MAX;
    let stream = world.log.commits()[0].stream().clone();
    let lacking = published.lacks(&*world.log, &stream, &all).await.expect("the log answers");
    lacking.iter().map(|commit| commit.from().get()).collect()
}

// Guards: both-forms-are-published-or-found
#[tokio::test]
async fn the_audit_of_the_bus_requires_both_forms_and_a_repair_publishes_them() {
    let (world, _) = world(vec![open(), note("secret"), AccountCommand::Deposit(900)]).await;
    let bus = bus(public(), &world.clock, vec![]);
    let heard = |kept: fn(&Envelope) -> bool| -> PublishedEvents {
        let taken = bus.publisher.taken();
        let kept = taken.iter().filter(|it| kept(it)).map(|it| (it.event.id, it.form));
        kept.collect::<PublishedEvents>().with_public_forms(public())
    };
    assert_eq!(bus.relay.publish(&records(world.log.commits())).await, Ok(()));
    assert_eq!(lacks(&world, heard(|_| true)).await, [0; 0]);
    assert_eq!(lacks(&world, heard(|it| it.form == Form::Private)).await, [1, 3]);
    assert_eq!(lacks(&world, heard(|it| it.form == Form::Public)).await, [1, 2, 3]);
    let undeclared: PublishedEvents = heard(|it| it.form == Form::Private);
    let undeclared = undeclared.with_public_forms(PublicForms::none());
    assert_eq!(lacks(&world, undeclared).await, [0; 0], "without a declaration one is enough");

    // A repair is the relay over the commits that the bus lacks.
    let lacking = world.log.commits().remove(2);
    assert_eq!(bus.relay.publish(&records(vec![lacking])).await, Ok(()));
    let again = bus.publisher.taken().split_off(5);
    assert_eq!(seen(&again), [(3, "Deposited", "stored"), (3, "MoneyMoved", "public")]);
}

/// An old deposit, which today is two deposits.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct DepositedTwice {
    amount: u64,
}

/// A deposit that was repeated.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Repeated {}

ledgerfold::events! {
    enum DividedEvent { Deposited: 1, Repeated: 2 }
    upcast {
        Repeated: 1 as DepositedTwice => |old| {
            [Deposited { amount: old.amount }.into(), Deposited { amount: old.amount }.into()]
        },
    }
    retired { Printed: 1 }
}

/// A mapping that does not expect divided events.
struct Divided;

impl PublicEvents for Divided {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = DividedEvent;
    type Public = PublicAccountEvent;

    fn public(event: &DividedEvent) -> Option<PublicAccountEvent> {
        match event {
            DividedEvent::Deposited(Deposited { amount }) => {
                Some(MoneyMoved { amount: i64::try_from(*amount).unwrap_or(i64::MAX) }.into())
            }
            DividedEvent::Repeated(_) => None,
        }
    }
}

/// A mapping that publishes the first of several events.
struct Merged;

impl PublicEvents for Merged {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = DividedEvent;
    type Public = PublicAccountEvent;

    fn public(event: &DividedEvent) -> Option<PublicAccountEvent> {
        Divided::public(event)
    }

    fn public_of_several(
        events: &[DividedEvent],
    ) -> Result<Option<PublicAccountEvent>, SeveralForms> {
        Ok(events.iter().find_map(Self::public))
    }
}

#[tokio::test]
async fn an_event_that_upcasters_divide_has_one_public_form_or_a_defect() {
    let (world, _) = world(vec![open()]).await;
    let stored = |event_type: &str| {
        let mut event = world.envelopes().remove(0).event;
        event.event_type = EventType::new(event_type).expect("letters");
        event.data = Payload::from_text(r#"{"amount":5}"#.to_owned()).expect("JSON");
        event
    };
    let error = PublicForm::by::<Divided>().of(&stored("Repeated")).expect_err("two");
    assert!(error.to_string().contains("it has 2 public forms"), "{error}");
    let merged = PublicForm::by::<Merged>().of(&stored("Repeated")).expect("one");
    let expected = PublicAccountEvent::from(MoneyMoved { amount: 5 });
    assert_eq!(merged.map(|it| it.data), Some(expected.encode().expect("JSON")));
    let retired = PublicForm::by::<Divided>().of(&stored("Printed"));
    assert_eq!(retired.expect("a retired event is no event"), None);
    let one = PublicForm::by::<Divided>().of(&stored("Deposited")).expect("one");
    assert_eq!(one.map(|it| it.event_type.to_string()).as_deref(), Some("MoneyMoved"));
}
