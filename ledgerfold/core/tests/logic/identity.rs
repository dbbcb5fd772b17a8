//! Tests of command identity: a repeated request is recognised on every stream and after every deployment.
//!
//! Guards: the-same-request-has-the-same-identity

use std::{collections::HashSet, sync::Arc};

use ledgerfold::{
    Category, Command, CommandName, Decider, DecisionContext, Idempotency, Version,
    command::{CommandError, CommandHandler},
    context::Context,
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{AccountRejection, Accounts, NoteEvent, NoteWritten};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};
use serde::Serialize;

/// Accounts in a release of the program with this type of command.
struct AccountsWith<C>(std::marker::PhantomData<fn() -> C>);

trait Writes: Command {
    /// The new note. The newest note again causes no event.
    fn text(&self) -> &str;
}

impl<C: Writes> Decider for AccountsWith<C> {
    type Command = C;
    type Event = NoteEvent;
    /// The newest note.
    type State = Option<String>;
    type Rejection = AccountRejection;

    const CATEGORY: Category = <Accounts>::CATEGORY;

    fn initial() -> Option<String> {
        None
    }

    fn evolve(_: Option<String>, NoteEvent::NoteWritten(note): &NoteEvent) -> Option<String> {
        Some(note.text.clone())
    }

    fn decide(
        newest: &Option<String>,
        command: &C,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<NoteEvent>, AccountRejection> {
        let is_newest = newest.as_deref() == Some(command.text());
        let note = NoteWritten { text: command.text().to_owned() };
        Ok(if is_newest { Vec::new() } else { vec![note.into()] })
    }
}

macro_rules! commands {
    ($($command:ident: $idempotency:ident, $declared:literal;)+) => {
        $(impl Command for $command {
            const SOME_ARE_STRICT: bool = $declared;

            fn name(&self) -> CommandName {
                CommandName::from_static("Write")
            }

            fn idempotency(&self) -> Idempotency {
                Idempotency::$idempotency
            }
        }

        impl Writes for $command {
            fn text(&self) -> &str {
                &self.text
            }
        })+
    };
}

#[derive(Clone, Debug, Serialize)]
struct First {
    text: String,
}

#[derive(Clone, Debug, Default, Serialize)]
struct Second {
    tags: HashSet<u8>,
    note: Option<String>,
    is_urgent: bool,
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct OnceOnly {
    text: String,
}

#[derive(Clone, Debug, Serialize)]
struct Undeclared {
    text: String,
}

commands! {
    First: Window, false;
    Second: Window, false;
    OnceOnly: Strict, true;
    Undeclared: Strict, false;
}

fn handler<D: Decider>(log: &Arc<MemoryEventStore>) -> CommandHandler<D> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    CommandHandler::new(log.clone(), clock, random)
}

#[tokio::test]
async fn a_retry_is_recognised_after_a_deployment_that_added_optional_fields() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let before = ask(&stream, "one", First { text: "a".to_owned() });
    let first = handler::<AccountsWith<First>>(&log)
        .handle(&before)
        .await
        .expect("the command is accepted");
    let after = Second { text: "a".to_owned(), ..Second::default() };
    let retry = ask(&stream, "one", after.clone());
    let again = handler::<AccountsWith<Second>>(&log).handle(&retry).await;
    assert_eq!(again.expect("it was accepted before"), first);
    let other = ask(&stream, "one", Second { note: Some("b".to_owned()), ..after });
    let reused = handler::<AccountsWith<Second>>(&log).handle(&other).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
}

#[tokio::test]
async fn a_retry_of_a_command_with_a_set_is_recognised_in_any_order_of_the_set() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    for _ in 0..20 {
        let tags = (0..20).collect();
        let tagged = Second { text: "a".to_owned(), tags, ..Second::default() };
        let answer =
            handler::<AccountsWith<Second>>(&log).handle(&ask(&stream, "one", tagged)).await;
        assert_eq!(answer.expect("both are the same request").version, Version::new(1));
    }
}

#[tokio::test]
async fn a_strict_command_that_needed_no_events_has_no_effect_later() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let notes = handler::<AccountsWith<OnceOnly>>(&log);
    let write =
        |attempt: &str, text: &str| ask(&stream, attempt, OnceOnly { text: text.to_owned() });
    notes.handle(&write("one", "a")).await.expect("the command is accepted");
    let nothing = notes.handle(&write("two", "a")).await.expect("the note exists already");
    assert_eq!((nothing.version, nothing.events.len()), (Version::new(1), 0));
    notes.handle(&write("three", "b")).await.expect("the command is accepted");
    for notes in [notes, handler::<AccountsWith<OnceOnly>>(&log)] {
        let again = notes.handle(&write("two", "a")).await.expect("it was accepted before");
        assert_eq!(again, nothing);
        let other = notes.handle(&write("two", "c")).await;
        assert!(matches!(other, Err(CommandError::Reused)), "{other:?}");
    }
    assert_eq!(log.commits().len(), 2);
}

#[tokio::test]
async fn a_strict_command_needs_a_declaration_because_its_deployment_needs_a_table() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let request = ask(&stream, "one", Undeclared { text: "a".to_owned() });
    let refusal = handler::<AccountsWith<Undeclared>>(&log).handle(&request).await;
    assert!(matches!(refusal, Err(CommandError::UndeclaredStrict(_))), "{refusal:?}");
    let needs = |context: Context| context.keeps_reservations();
    assert!(needs(Context::new("bank").decider::<AccountsWith<OnceOnly>>()));
    assert!(!needs(Context::new("bank").decider::<AccountsWith<First>>()));
}
