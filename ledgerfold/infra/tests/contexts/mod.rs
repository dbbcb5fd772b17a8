//! The contexts for which the rules are checked.

use ledgerfold::{
    Access, Caller, Category, Command, CommandName, Decider, DecisionContext, ProcessName,
    Recorded,
    context::Context,
    erasure::Erasable,
    ports::DeadlineKey,
    process::{CommandOf, OnRefusal, ProcessManager, Reaction},
    project::Projection,
    sealed::Keyed,
};
use ledgerfold_testkit::{
    bank::{AccountEvent, Accounts, NoteEvent, NoteWritten, PublicAccounts, Statements, Totals},
    clinic::{Patient, PatientCommand, PatientEvent, PatientRejection, Patients},
};
use serde::Serialize;

/// A domain without unique keys and strict commands.
pub(crate) struct Notes;

/// The only command of [`Notes`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WriteNote(String);

impl Command for WriteNote {
    fn name(&self) -> CommandName {
        CommandName::from_static("WriteNote")
    }
}

impl Decider for Notes {
    type Command = WriteNote;
    type Event = NoteEvent;
    type State = ();
    type Rejection = ledgerfold_testkit::bank::AccountRejection;

    const CATEGORY: Category = Category::from_static("note");

    fn initial() {}

    fn evolve((): (), _: &NoteEvent) {}

    fn decide(
        (): &(),
        WriteNote(text): &WriteNote,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<NoteEvent>, Self::Rejection> {
        Ok(vec![NoteWritten { text: text.clone() }.into()])
    }
}

/// A domain of people who can be erased.
pub(crate) struct People;

impl Decider for People {
    type Command = Keyed<PatientCommand>;
    type Event = PatientEvent;
    type State = Option<Patient>;
    type Rejection = PatientRejection;

    const CATEGORY: Category = Category::from_static("person");

    fn initial() -> Option<Patient> {
        None
    }

    fn evolve(state: Option<Patient>, event: &PatientEvent) -> Option<Patient> {
        Patients::evolve(state, event)
    }

    fn decide(
        state: &Option<Patient>,
        command: &Keyed<PatientCommand>,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<PatientEvent>, PatientRejection> {
        Patients::decide(state, command, context)
    }
}

impl Erasable for People {
    fn may_erase(_: &Caller, _: &Option<Patient>) -> Access {
        Access::Allowed
    }

    fn erase(_: &Option<Patient>) -> Result<Vec<PatientEvent>, PatientRejection> {
        Ok(Vec::new())
    }
}

/// A domain in which queries record reads.
pub(crate) struct Reads;

impl Decider for Reads {
    type Command = WriteNote;
    type Event = NoteEvent;
    type State = ();
    type Rejection = ledgerfold_testkit::bank::AccountRejection;

    const CATEGORY: Category = Category::from_static("read");

    fn initial() {}

    fn evolve((): (), _: &NoteEvent) {}

    fn decide(
        state: &(),
        command: &WriteNote,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<NoteEvent>, Self::Rejection> {
        Notes::decide(state, command, context)
    }
}

/// A projection of another context's events.
pub(crate) struct Parcels;

impl Projection for Parcels {
    type Event = NoteEvent;
    type Row = String;

    fn evolve(_: Option<String>, event: &Recorded<NoteEvent>) -> Result<Option<String>, String> {
        let NoteEvent::NoteWritten(note) = &event.event;
        Ok(Some(note.text.clone()))
    }
}

/// A process that only schedules deadlines, with a setting for each deployment.
pub(crate) struct Reminder;

impl ProcessManager for Reminder {
    type Event = AccountEvent;
    type Target = Accounts;
    type Settings = u64;

    const NAME: ProcessName = ProcessName::from_static("reminder");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["LoanGranted"];
    const ONLY_SCHEDULES: bool = true;

    fn react(_: &Recorded<AccountEvent>, _: &u64) -> Vec<Reaction<CommandOf<Self>>> {
        Vec::new()
    }

    fn expire(_: &DeadlineKey) -> Option<CommandOf<Self>> {
        None
    }
}

/// A process that sends commands at once, with the same settings everywhere.
pub(crate) struct Welcome;

impl ProcessManager for Welcome {
    type Event = AccountEvent;
    type Target = Accounts;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("welcome");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["Opened"];

    fn react(_: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<CommandOf<Self>>> {
        Vec::new()
    }

    fn expire(_: &DeadlineKey) -> Option<CommandOf<Self>> {
        None
    }
}

/// A context with one domain and nothing else.
pub(crate) fn minimal() -> Context {
    Context::new("notes").decider::<Notes>()
}

/// A context with every kind of part.
pub(crate) fn maximal() -> Context {
    Context::new("bank")
        .decider_with_claims::<Accounts>()
        .decider::<Notes>()
        .decider_with_claims::<Patients>()
        .decider::<People>()
        .erasing::<People>()
        .records_reads_in::<Reads>()
        .rows::<Statements>("account-statement")
        .of_decider::<Accounts>()
        .listed_by("open")
        .tally::<Totals>("totals")
        .of_decider::<Accounts>()
        .rows::<Parcels>("parcels")
        .of_context("orders", Category::from_static("order"))
        .publishes::<PublicAccounts>()
        .process::<Reminder>("60")
        .process_with::<Welcome>(())
        .exports::<Accounts>()
        .transparent()
}
