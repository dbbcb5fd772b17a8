use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use ledgerfold::{
    StreamId, Version,
    command::{CommandError, Loaded},
    ports::{AppendError, CommitPage, EventStore, PortError, StoreError},
    vocabulary::NewCommit,
};
use ledgerfold_proofs::conformance::requests::{commit, fresh, write};
use ledgerfold_testkit::bank::{Accounts, FORBIDDEN, Plain};
use ledgerfold_testkit::{Amended, Amendment};

use crate::note_models::World;

#[tokio::test]
async fn a_command_becomes_one_commit_with_all_its_events() {
    let (world, stream) = (World::new(), fresh());
    let answer = world.write(&stream, "one", &["a", "b"]).await.expect("the command is accepted");
    let versions: Vec<_> = answer.events.iter().map(|event| event.version.get()).collect();
    assert_eq!((answer.version, versions), (Version::new(2), vec![1, 2]));
    let commits = world.log.commits();
    assert_eq!(commits.len(), 1);
    let stored: Vec<_> = commits[0].events().map(|(version, event)| (version, event.id)).collect();
    let answered: Vec<_> = answer.events.iter().map(|event| (event.version, event.id)).collect();
    assert_eq!(stored, answered);
}

// Guards: a-command-takes-effect-once
#[tokio::test]
async fn a_repeated_command_gets_the_first_answer_and_has_no_second_effect() {
    let (world, stream) = (World::with_pages_of(1), fresh());
    let first = world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    for other in ["two", "three"] {
        world.write(&stream, other, &["b"]).await.expect("the command is accepted");
    }
    let again = world.write(&stream, "one", &["a"]).await.expect("it was accepted before");
    assert_eq!(again, first);
    assert_eq!(world.log.commits().len(), 3);
}

#[tokio::test]
async fn a_command_id_serves_one_request_only() {
    let (world, stream) = (World::new(), fresh());
    world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    let reused = world.write(&stream, "one", &["another"]).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    assert_eq!(world.log.commits().len(), 1);
}

#[tokio::test]
async fn a_refused_command_and_one_that_changes_nothing_leave_no_commit() {
    let (world, stream) = (World::new(), fresh());
    let refused = world.write(&stream, "one", &[FORBIDDEN]).await;
    assert!(matches!(refused, Err(CommandError::Rejected(_))), "{refused:?}");
    let nothing = world.write(&stream, "two", &[]).await.expect("an empty decision");
    assert_eq!((nothing.version, nothing.events.len()), (Version::NONE, 0));
    assert!(world.log.commits().is_empty());
}

#[tokio::test]
async fn an_expected_version_must_hold() {
    let (world, stream) = (World::new(), fresh());
    world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    let mut late = write(&stream, "two", &["b"]);
    late.expected = Some(Version::new(2));
    let refused = world.handler::<Accounts<Plain>>().handle(&late).await;
    assert!(
        matches!(refused, Err(CommandError::ExpectedVersion { actual, .. }) if actual == Version::new(1)),
        "{refused:?}"
    );
    late.expected = Some(Version::new(1));
    world.handler::<Accounts<Plain>>().handle(&late).await.expect("the version is current");
    let again = world.handler::<Accounts<Plain>>().handle(&late).await;
    assert!(again.is_ok(), "a repeated command was compared with its own version: {again:?}");
}

// Guards: a-command-takes-effect-once
#[tokio::test]
async fn an_append_whose_answer_was_lost_is_found_by_the_next_attempt() {
    let (world, stream) = (World::new(), fresh());
    world.log.lose_answers(1);
    let lost = world.write(&stream, "one", &["a"]).await;
    assert!(
        matches!(lost, Err(CommandError::Store(StoreError::Port(PortError::Unavailable(_))))),
        "{lost:?}"
    );
    let found = world.write(&stream, "one", &["a"]).await.expect("the command took effect");
    assert_eq!((found.version, world.log.commits().len()), (Version::new(1), 1));
}

#[tokio::test]
async fn a_decision_of_more_events_than_a_commit_holds_is_refused() {
    let (world, stream) = (World::new(), fresh());
    let refused = world.write(&stream, "one", &["a"; 101]).await;
    assert!(matches!(refused, Err(CommandError::TooLarge(_))), "{refused:?}");
    assert!(world.log.commits().is_empty());
}

/// A log in which another writer is faster, a number of times.
struct Overtaken {
    times: AtomicUsize,
    /// The command id of the other writer. Our own id stands for an earlier attempt of ours.
    rival: &'static str,
}

#[async_trait]
impl Amendment for Overtaken {
    async fn append(&self, log: &dyn EventStore, new: &NewCommit) -> Result<(), AppendError> {
        let left =
            self.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if let Ok(left) = left {
            let mut head = Loaded::<Accounts<Plain>>::unread(new.as_commit().stream().clone());
            let sought = &new.as_commit().command().id;
            head.read_on(log, sought).await.expect("the log can be read");
            let rival =
                if self.rival == "own" { sought.to_string() } else { format!("rival-{left}") };
            let faster = commit(&head, &rival, &["mine"], 60);
            log.append(&faster).await.expect("the version is free");
        }
        log.append(new).await
    }
}

fn overtaken(world: &World, times: usize, rival: &'static str) -> Arc<Amended<Overtaken>> {
    Amended::of(world.log.clone(), Overtaken { times: AtomicUsize::new(times), rival })
}

// Guards: each-version-is-decided-once
#[tokio::test]
async fn a_command_that_was_overtaken_is_decided_again_on_the_new_state() {
    let (world, stream) = (World::new(), fresh());
    let handler = world.handler_over::<Accounts<Plain>>(overtaken(&world, 3, "rival"));
    let answer = handler.handle(&write(&stream, "late", &["a"])).await;
    assert_eq!(answer.expect("the fourth attempt succeeds").version, Version::new(4));
}

#[tokio::test]
async fn lasting_contention_is_reported_after_a_limited_number_of_attempts() {
    let (world, stream) = (World::new(), fresh());
    let handler = world.handler_over::<Accounts<Plain>>(overtaken(&world, 1_000, "rival"));
    let outcome = handler.handle(&write(&stream, "late", &["a"])).await;
    assert!(matches!(outcome, Err(CommandError::Contention { attempts: 10, .. })), "{outcome:?}");
    assert_eq!(world.log.commits().len(), 10);
}

// Guards: a-command-takes-effect-once
#[tokio::test]
async fn an_own_commit_that_wins_the_race_is_the_answer() {
    let (world, stream) = (World::new(), fresh());
    let handler = world.handler_over::<Accounts<Plain>>(overtaken(&world, 1, "own"));
    let answer = handler.handle(&write(&stream, "twice", &["mine"])).await;
    let answer = answer.expect("the first attempt took effect");
    assert_eq!(world.log.reads(), 2, "one for the command, one for its rival, and no other");
    let stored = world.log.commits();
    assert_eq!(stored.len(), 1);
    assert_eq!(Some(answer.events[0].id), stored[0].events().map(|(_, event)| event.id).next());
}

/// A log that has lost a commit.
struct Holed;

#[async_trait]
impl Amendment for Holed {
    async fn read(
        &self,
        log: &dyn EventStore,
        stream: &StreamId,
        after: Version,
    ) -> Result<CommitPage, StoreError> {
        let mut page = log.read(stream, after).await?;
        page.commits.remove(0);
        Ok(page)
    }
}

// Guards: only-a-loaded-stream-yields-the-next-version
#[tokio::test]
async fn a_stream_with_a_hole_is_never_decided_on() {
    let (world, stream) = (World::new(), fresh());
    world.write(&stream, "one", &["a"]).await.expect("the command is accepted");
    world.write(&stream, "two", &["b"]).await.expect("the command is accepted");
    let handler = world.handler_over::<Accounts<Plain>>(Amended::of(world.log.clone(), Holed));
    let outcome = handler.handle(&write(&stream, "three", &["c"])).await;
    assert!(matches!(outcome, Err(CommandError::Load(_))), "{outcome:?}");
    assert_eq!(world.log.commits().len(), 2);
}
