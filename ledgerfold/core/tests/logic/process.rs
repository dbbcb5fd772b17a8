use std::sync::Arc;

use futures::future::join_all;
use ledgerfold::{
    Decider, ProcessName, Recorded, Version,
    context::Context,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessHandler, ProcessManager, Reaction},
    vocabulary::{Content, Delivery, FailedReceipt, Receipt, ReplayName},
};
use ledgerfold_testkit::SeededRandom;
use ledgerfold_testkit::bank::{AccountCommand, AccountEvent, Accounts, Plain};

use crate::lending::{Bank, LOAN, account, note, register, traceparent};

async fn repaid_loans(accounts: &[&str]) -> Bank {
    let bank = Bank::new();
    for name in accounts {
        bank.ask(&account(name), AccountCommand::Borrow(100)).await;
        bank.ask(&account(name), AccountCommand::Repay).await;
    }
    bank
}

fn receipts(failed: &[FailedReceipt]) -> Vec<&str> {
    failed.iter().map(|failed| failed.receipt.0.as_str()).collect()
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn an_event_has_one_reaction_for_any_number_of_deliveries() {
    let bank = repaid_loans(&["a", "b", "c"]).await;
    let process = bank.process();
    for failed in join_all((0..5).map(|_| process.handle(bank.messages()))).await {
        assert_eq!(failed, []);
    }
    let (messages, random) = (bank.messages(), SeededRandom::new(3));
    for _ in 0..50 {
        let at = usize::try_from(random.next() % 9).expect("a small number");
        // A new handler with an empty cache each time.
        assert_eq!(bank.process().handle(vec![messages[at].clone()]).await, []);
    }
    assert_eq!(bank.history(&register()), ["NoteWritten"; 3]);
    assert_eq!(bank.deadlines.waiting().len(), 6);
}

#[tokio::test]
async fn a_command_names_its_cause() {
    let bank = repaid_loans(&["a"]).await;
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    let commits = bank.log.commits();
    let cause = commits.iter().flat_map(|commit| commit.events()).find_map(|(_, event)| {
        (event.event_type.as_str() == "LoanRepaid").then(|| event.id.to_string())
    });
    let noted = commits.iter().find(|commit| *commit.stream() == register());
    let metadata = noted.expect("the register has a note").metadata();
    assert_eq!(metadata.actor.as_str(), "lending");
    assert_eq!(Some(metadata.causation_id.to_string()), cause);
    assert_eq!(metadata.correlation_id.as_str(), "conversation-1");
    assert_eq!(metadata.traceparent, Some(traceparent()));
}

// Guards: side-effects-refuse-replays
#[tokio::test]
async fn a_replayed_message_has_no_effect() {
    let bank = repaid_loans(&["a"]).await;
    let commits = bank.log.commits().len();
    let replayed =
        |delivery: Delivery| Delivery { replay: Some(ReplayName("again".to_owned())), ..delivery };
    let mut messages: Vec<_> = bank.messages().into_iter().map(replayed).collect();
    let pointer = Content::Pointer { stream: account("a"), committed: Version::new(2) };
    let receipt = Receipt("pointer".to_owned());
    messages.push(replayed(Delivery { receipt, content: Ok(pointer), replay: None }));
    assert_eq!(bank.process().handle(messages).await, []);
    assert_eq!((bank.log.commits().len(), bank.deadlines.waiting().len()), (commits, 0));
}

// Guards: a-reaction-takes-effect-once
#[tokio::test]
async fn a_command_whose_answer_was_lost_takes_effect_once() {
    let bank = repaid_loans(&["a"]).await;
    let messages = bank.messages();
    bank.log.lose_answers(1);
    let failed = bank.process().handle(messages.clone()).await;
    assert_eq!(receipts(&failed), ["m2"], "the message of the return");
    assert_eq!(bank.history(&register()), ["NoteWritten"]);
    for _ in 0..2 {
        assert_eq!(bank.process().handle(messages.clone()).await, []);
    }
    assert_eq!(bank.history(&register()), ["NoteWritten"]);
}

#[tokio::test]
async fn a_message_whose_deadline_cannot_be_stored_is_delivered_again() {
    let bank = repaid_loans(&["a"]).await;
    bank.deadlines.fail_writes(1);
    let failed = bank.process().handle(bank.messages()).await;
    assert_eq!((receipts(&failed), bank.deadlines.waiting().len()), (vec!["m1"], 0));
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    assert_eq!(bank.deadlines.waiting().len(), 2);
}

#[tokio::test]
async fn a_refused_command_is_not_sent_again() {
    let bank = Bank::new();
    bank.ask(&account("a"), AccountCommand::Borrow(100)).await;
    bank.ask(&account("a"), AccountCommand::CallLoan).await;
    assert_eq!(bank.process().handle(bank.messages()).await, []);
    assert_eq!(bank.history(&register()), [""; 0]);
}

#[tokio::test]
async fn an_unreadable_message_is_delivered_again_and_stops_no_other() {
    let bank = repaid_loans(&["a"]).await;
    let mut messages = bank.messages();
    let Ok(Content::Event(unknown)) = &mut messages[0].content else { panic!("an event") };
    unknown.event.event_type = ledgerfold::EventType::new("Burned").expect("letters");
    let receipt = Receipt("garbage".to_owned());
    messages.push(Delivery { receipt, content: Err("it is no event".to_owned()), replay: None });
    let failed = bank.process().handle(messages).await;
    let mut receipts = receipts(&failed);
    receipts.sort_unstable();
    assert_eq!(receipts, ["garbage", "m0"]);
    assert_eq!(bank.history(&register()), ["NoteWritten"]);
}

#[tokio::test]
async fn an_event_that_the_bus_only_points_to_is_read_from_the_log() {
    let bank = repaid_loans(&["a"]).await;
    let pointer = |receipt: &str, committed| Delivery {
        receipt: Receipt(receipt.to_owned()),
        content: Ok(Content::Pointer { stream: account("a"), committed: Version::new(committed) }),
        replay: None,
    };
    let messages = ["whole", "half", "beyond"].into_iter().zip([2, 1, 4]);
    let messages = messages.map(|(receipt, committed)| pointer(receipt, committed)).collect();
    let failed = bank.process().handle(messages).await;
    let mut receipts = receipts(&failed);
    receipts.sort_unstable();
    assert_eq!(receipts, ["beyond", "half"], "no commit ends at this version: {failed:?}");
    let waiting = bank.deadlines.waiting();
    let lent_at = bank.log.commits()[0].metadata().recorded_at;
    assert!(waiting.iter().any(|pending| pending.deadline.due == lent_at + LOAN), "{waiting:?}");
}

/// A process that declares less than its reactions need: it writes a note at once about every event.
struct Narrow;

impl ProcessManager for Narrow {
    type Event = AccountEvent;
    type Target = Accounts<Plain>;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("narrow");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["LoanRepaid"];
    const ONLY_SCHEDULES: bool = true;

    fn react(_: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<AccountCommand>> {
        vec![Reaction::Send { to: register(), command: note() }]
    }

    fn expire(_: &DeadlineKey) -> Option<AccountCommand> {
        None
    }
}

#[tokio::test]
async fn a_process_gets_only_the_events_and_the_permissions_that_it_declares() {
    let bank = repaid_loans(&["a"]).await;
    let (deadlines, log) = (bank.deadlines.clone(), Arc::clone(&bank.log));
    let process = ProcessHandler::<Narrow>::new((), bank.commands(), deadlines, log);
    let failed = process.handle(bank.messages()).await;
    assert_eq!(receipts(&failed), ["m2"], "only the message of the repayment reaches it");
    assert!(failed[0].reason.contains("declares that it only schedules"), "{failed:?}");
    assert_eq!(bank.history(&register()), [""; 0]);

    let context = Context::new("bank").decider::<Accounts<Plain>>().process_with::<Narrow>(());
    let [declared] = context.processes() else { panic!("one process is declared") };
    assert_eq!((declared.reacts_to(), declared.sends_at_once()), (&["LoanRepaid"][..], false));
    assert_eq!(declared.targets(), [Accounts::<Plain>::CATEGORY]);
}
