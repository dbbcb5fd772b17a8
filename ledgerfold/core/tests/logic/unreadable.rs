//! Tests that only readable events and snapshots are stored, and that a panic fails one command only.
//!
//! Guards: what-is-stored-can-be-read

use std::sync::Arc;

use ledgerfold::{
    Category, Decider, DecisionContext, Snapshots, StreamId,
    command::{CommandError, CommandHandler},
    events,
};
use ledgerfold_proofs::conformance::requests::{ask, fresh};
use ledgerfold_testkit::bank::{AccountCommand, AccountRejection, Accounts};
use ledgerfold_testkit::{ManualClock, MemoryEventStore, SeededRandom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A rate was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct RateSet {
    rate: f64,
}
/// A label was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Labelled {
    label: Option<Option<u8>>,
    #[serde(skip)]
    hidden: u8,
}

events! {
    /// Events of an account that cannot be read back in all cases.
    enum UnreadableEvent { RateSet: 1, Labelled: 1 }
}

/// A state with a field that is not serialized.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct UnreadableAccount {
    rate: f64,
    #[serde(skip)]
    count: u32,
}

/// Accounts whose events and states cannot be read back in all cases.
struct UnreadableAccounts;

impl Decider for UnreadableAccounts {
    type Command = AccountCommand;
    type Event = UnreadableEvent;
    type State = UnreadableAccount;
    type Rejection = AccountRejection;

    const CATEGORY: Category = <Accounts>::CATEGORY;

    fn initial() -> UnreadableAccount {
        UnreadableAccount::default()
    }

    fn evolve(account: UnreadableAccount, event: &UnreadableEvent) -> UnreadableAccount {
        let count = account.count + 1;
        match event {
            UnreadableEvent::RateSet(RateSet { rate }) if *rate < 0.0 => panic!("a negative rate"),
            UnreadableEvent::RateSet(RateSet { rate }) => UnreadableAccount { rate: *rate, count },
            UnreadableEvent::Labelled(_) => UnreadableAccount { count, ..account },
        }
    }

    fn decide(
        _: &UnreadableAccount,
        command: &AccountCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<UnreadableEvent>, AccountRejection> {
        let AccountCommand::Write(texts) = command else { return Ok(Vec::new()) };
        let event = |text: &String| match text.as_str() {
            "label" => Labelled { label: Some(None), hidden: 0 }.into(),
            "hidden" => Labelled { label: None, hidden: 1 }.into(),
            "panic" => panic!("the decision"),
            number => RateSet { rate: number.parse().expect("a number") }.into(),
        };
        Ok(texts.iter().map(event).collect())
    }

    fn snapshots() -> Option<Snapshots<UnreadableAccount>> {
        Some(Snapshots::of::<Self>(1))
    }
}

fn accounts(log: &Arc<MemoryEventStore>) -> CommandHandler<UnreadableAccounts> {
    let (clock, random) = (Arc::new(ManualClock::default()), Arc::new(SeededRandom::new(1)));
    CommandHandler::new(log.clone(), clock, random)
}

type Outcome = Result<ledgerfold::command::Answer, CommandError<AccountRejection>>;

async fn note(
    accounts: &CommandHandler<UnreadableAccounts>,
    stream: &StreamId,
    attempt: &str,
    text: &str,
) -> Outcome {
    accounts.handle(&ask(stream, attempt, AccountCommand::Write(vec![text.to_owned()]))).await
}

#[tokio::test]
async fn an_event_that_is_not_read_back_equal_is_not_appended() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = accounts(&log);
    note(&warm, &stream, "one", "0.5").await.expect("a number is JSON");
    for (attempt, text) in [("two", "NaN"), ("three", "inf"), ("four", "label"), ("five", "hidden")]
    {
        for accounts in [&warm, &accounts(&log)] {
            let refused = note(accounts, &stream, attempt, text).await;
            assert!(matches!(refused, Err(CommandError::Encode(_))), "{text}: {refused:?}");
        }
    }
    assert_eq!(log.commits().len(), 1);
    note(&accounts(&log), &stream, "six", "117.63331139400017")
        .await
        .expect("a cold start can read it");
}

#[tokio::test]
async fn a_panic_in_a_decision_or_in_a_fold_is_the_failure_of_its_command() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = accounts(&log);
    note(&warm, &stream, "one", "1").await.expect("the command is accepted");
    for accounts in [&warm, &accounts(&log)] {
        for text in ["panic", "-1"] {
            let failed = note(accounts, &stream, text, text).await;
            assert!(matches!(failed, Err(CommandError::Panicked(_))), "{text}: {failed:?}");
        }
    }
    let next = note(&warm, &stream, "two", "2").await.expect("the stream is unchanged");
    assert_eq!((next.version.get(), log.commits().len()), (2, 2));
}

#[tokio::test]
async fn a_state_that_is_not_read_back_equal_makes_no_snapshot() {
    let (log, stream) = (Arc::<MemoryEventStore>::default(), fresh());
    let warm = accounts(&log);
    for attempt in 0..45 {
        note(&warm, &stream, &attempt.to_string(), "1").await.expect("the command is accepted");
    }
    assert!(log.commits().iter().all(|commit| commit.snapshot().is_none()));
}
