use futures::future::join_all;
use ledgerfold::{
    Version,
    vocabulary::{Content, Delivery, FailedReceipt, Receipt, ReplayName},
};
use ledgerfold_testkit::SeededRandom;

use crate::lending::{BookCommand, LOAN, Library, book, register, traceparent};

async fn returned_books(books: &[&str]) -> Library {
    let library = Library::new();
    for name in books {
        library.ask(&book(name), BookCommand::Lend).await;
        library.ask(&book(name), BookCommand::Return).await;
    }
    library
}

fn receipts(failed: &[FailedReceipt]) -> Vec<&str> {
    failed.iter().map(|failed| failed.receipt.0.as_str()).collect()
}

#[tokio::test]
async fn an_event_has_one_reaction_for_any_number_of_deliveries() {
    let library = returned_books(&["a", "b", "c"]).await;
    let process = library.process();
    for failed in join_all((0..5).map(|_| process.handle(library.messages()))).await {
        assert_eq!(failed, []);
    }
    let (messages, random) = (library.messages(), SeededRandom::new(3));
    for _ in 0..50 {
        let at = usize::try_from(random.next() % 9).expect("a small number");
        // A new handler with an empty cache each time.
        assert_eq!(library.process().handle(vec![messages[at].clone()]).await, []);
    }
    assert_eq!(library.history(&register()), ["Stamped"; 3]);
    assert_eq!(library.deadlines.waiting().len(), 6);
}

#[tokio::test]
async fn a_command_names_its_cause() {
    let library = returned_books(&["a"]).await;
    assert_eq!(library.process().handle(library.messages()).await, []);
    let commits = library.log.commits();
    let cause = commits.iter().flat_map(|commit| commit.events()).find_map(|(_, event)| {
        (event.event_type.as_str() == "Returned").then(|| event.id.to_string())
    });
    let stamped = commits.iter().find(|commit| *commit.stream() == register());
    let metadata = stamped.expect("the register was stamped").metadata();
    assert_eq!(metadata.actor.as_str(), "lending");
    assert_eq!(Some(metadata.causation_id.to_string()), cause);
    assert_eq!(metadata.correlation_id.as_str(), "conversation-1");
    assert_eq!(metadata.traceparent, Some(traceparent()));
}

#[tokio::test]
async fn a_replayed_message_has_no_effect() {
    let library = returned_books(&["a"]).await;
    let commits = library.log.commits().len();
    let replayed =
        |delivery: Delivery| Delivery { replay: Some(ReplayName("again".to_owned())), ..delivery };
    let mut messages: Vec<_> = library.messages().into_iter().map(replayed).collect();
    let pointer = Content::Pointer { stream: book("a"), committed: Version::new(2) };
    let receipt = Receipt("pointer".to_owned());
    messages.push(replayed(Delivery { receipt, content: Ok(pointer), replay: None }));
    assert_eq!(library.process().handle(messages).await, []);
    assert_eq!((library.log.commits().len(), library.deadlines.waiting().len()), (commits, 0));
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_takes_effect_once() {
    let library = returned_books(&["a"]).await;
    let messages = library.messages();
    library.log.lose_answers(1);
    let failed = library.process().handle(messages.clone()).await;
    assert_eq!(receipts(&failed), ["m2"], "the message of the return");
    assert_eq!(library.history(&register()), ["Stamped"]);
    for _ in 0..2 {
        assert_eq!(library.process().handle(messages.clone()).await, []);
    }
    assert_eq!(library.history(&register()), ["Stamped"]);
}

#[tokio::test]
async fn a_message_whose_deadline_cannot_be_stored_is_delivered_again() {
    let library = returned_books(&["a"]).await;
    library.deadlines.fail_writes(1);
    let failed = library.process().handle(library.messages()).await;
    assert_eq!((receipts(&failed), library.deadlines.waiting().len()), (vec!["m1"], 0));
    assert_eq!(library.process().handle(library.messages()).await, []);
    assert_eq!(library.deadlines.waiting().len(), 2);
}

#[tokio::test]
async fn a_refused_command_is_not_sent_again() {
    let library = Library::new();
    library.ask(&book("a"), BookCommand::Lend).await;
    library.ask(&book("a"), BookCommand::Recall).await;
    assert_eq!(library.process().handle(library.messages()).await, []);
    assert_eq!(library.history(&register()), [""; 0]);
}

#[tokio::test]
async fn an_unreadable_message_is_delivered_again_and_stops_no_other() {
    let library = returned_books(&["a"]).await;
    let mut messages = library.messages();
    let Ok(Content::Event(unknown)) = &mut messages[0].content else { panic!("an event") };
    unknown.event.event_type = ledgerfold::EventType::new("Burned").expect("letters");
    let receipt = Receipt("garbage".to_owned());
    messages.push(Delivery { receipt, content: Err("it is no event".to_owned()), replay: None });
    let failed = library.process().handle(messages).await;
    let mut receipts = receipts(&failed);
    receipts.sort_unstable();
    assert_eq!(receipts, ["garbage", "m0"]);
    assert_eq!(library.history(&register()), ["Stamped"]);
}

#[tokio::test]
async fn an_event_that_the_bus_only_points_to_is_read_from_the_log() {
    let library = returned_books(&["a"]).await;
    let pointer = |receipt: &str, committed| Delivery {
        receipt: Receipt(receipt.to_owned()),
        content: Ok(Content::Pointer { stream: book("a"), committed: Version::new(committed) }),
        replay: None,
    };
    let messages = ["whole", "half", "beyond"].into_iter().zip([2, 1, 4]);
    let messages = messages.map(|(receipt, committed)| pointer(receipt, committed)).collect();
    let failed = library.process().handle(messages).await;
    let mut receipts = receipts(&failed);
    receipts.sort_unstable();
    assert_eq!(receipts, ["beyond", "half"], "no commit ends at this version: {failed:?}");
    let waiting = library.deadlines.waiting();
    let lent_at = library.log.commits()[0].metadata().recorded_at;
    assert!(waiting.iter().any(|pending| pending.deadline.due == lent_at + LOAN), "{waiting:?}");
}
