//! Tests of a mapping with a defect, and of readers with another release of the mapping than the relay.

use ledgerfold::{
    Actor, Category, Decider, PublicEvents, Recorded, StreamId, Timestamp, Version,
    context::Context,
    ports::{Clock, Signature, Skip, SkipReason, SkipRegister},
    project::{Projection, RetryScope, RetrySummary},
    vocabulary::Form,
};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::{
    AccountCommand, AccountEvent, Accounts, Deposited, NoteWritten, PublicAccountEvent,
    PublicAccounts,
};
use ledgerfold_testkit::loyalty::{self, Points};

use super::{Two, open};

/// The public events of accounts in a release of the mapping.
struct Release<const FIXED: bool>;

const PANICS: u64 = 13;

impl<const FIXED: bool> PublicEvents for Release<FIXED> {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = AccountEvent;
    type Public = PublicAccountEvent;

    fn public(event: &AccountEvent) -> Option<PublicAccountEvent> {
        match event {
            AccountEvent::Deposited(Deposited { amount: PANICS }) if !FIXED => panic!("a defect"),
            other => PublicAccounts::public(other),
        }
    }
}

fn reading<M: PublicEvents>() -> Context {
    Context::new("loyalty").decider::<loyalty::Members>().rows::<Points>("points").of::<M>()
}

/// Two accounts: one with an event that a defective mapping cannot publish, and another one.
async fn with_a_defect() -> (Two, [StreamId; 2]) {
    let (two, streams) = (Two::new(), [fresh(), fresh()]);
    for stream in &streams {
        two.run(stream, [open(), AccountCommand::Deposit(100)]).await;
    }
    two.run(&streams[0], [AccountCommand::Deposit(PANICS), AccountCommand::Deposit(200)]).await;
    two.run(&streams[1], [AccountCommand::Deposit(200)]).await;
    (two, streams)
}

// Guards: a-defect-of-a-mapping-blocks-nothing
#[tokio::test]
async fn a_defect_of_the_mapping_parks_its_stream_and_a_fix_recovers_it() {
    let (two, [bad, good]) = with_a_defect().await;
    let (defective, fixed) = (reading::<Release<false>>(), reading::<Release<true>>());
    let published = two.published::<Release<false>>().await;
    let public: Vec<_> = published.into_iter().filter(|it| it.form == Form::Public).collect();
    assert_eq!(public.len(), 6, "the relay publishes everything else");
    assert_eq!(two.project(&defective, public).await, []);
    let row = async |stream| two.points::<Points>(&defective, stream).await;
    assert_eq!((row(&bad).await, row(&good).await), (Some((2, Some(1))), Some((3, Some(3)))));
    let parked = two.read_side.quarantine("points").parked();
    assert_eq!((parked.len(), parked[0].version), (1, Some(Version::new(3))));
    assert!(parked[0].reason.contains("a defect"), "{}", parked[0].reason);
    let checked = two.spot_check(&defective).await;
    assert_eq!((checked.wrong(), checked.summaries["points"].parked), (0, 1));

    let projector = two.read_side.projector(&fixed, "points", &two.ports).expect("it exists");
    let retried = projector.retry_parked(RetryScope::All, Timestamp::MAX).await;
    assert_eq!(retried.expect("it begins"), RetrySummary { recovered: 1, parked: 0 });
    assert_eq!(two.points::<Points>(&fixed, &bad).await, Some((4, Some(3))));
    assert_eq!(two.spot_check(&fixed).await.wrong(), 0);
}

#[tokio::test]
async fn an_operator_can_skip_an_event_without_a_public_form() {
    let (two, [bad, _]) = with_a_defect().await;
    let defective = reading::<Release<false>>();
    let published = two.published::<Release<false>>().await;
    let public = published.into_iter().filter(|it| it.form == Form::Public).collect();
    assert_eq!(two.project(&defective, public).await, []);
    let by =
        Signature { actor: Actor::new("ada").expect("visible ASCII"), at: two.bank.clock.now() };
    let reason = SkipReason::new("it has no public form").expect("one line");
    let skip = Skip { stream: bad.clone(), version: Version::new(3), reason, by };
    let quarantine = two.read_side.quarantine("points");
    quarantine.record(&skip).await.expect("the stream is parked because of this event");
    let projector = two.read_side.projector(&defective, "points", &two.ports).expect("it exists");
    let retried = projector.retry_parked(RetryScope::All, Timestamp::MAX).await;
    assert_eq!(retried.expect("it begins"), RetrySummary { recovered: 1, parked: 0 });
    assert_eq!(two.points::<Points>(&defective, &bad).await, Some((4, Some(3))));
    let checked = two.spot_check(&defective).await;
    assert_eq!((checked.wrong(), checked.summaries["points"].skipped), (0, 1));
}

/// A release of the second context that knows only an old public event.
struct OldPoints;

ledgerfold::events! {
    enum OldPublicEvent { NoteWritten: 1 }
}

/// The mapping of that release: every deposit was a note.
struct OldMapping;

impl PublicEvents for OldMapping {
    const CONTEXT: &'static str = "bank";
    const CATEGORY: Category = <Accounts>::CATEGORY;
    type Private = AccountEvent;
    type Public = OldPublicEvent;

    fn public(event: &AccountEvent) -> Option<OldPublicEvent> {
        match event {
            AccountEvent::Deposited(it) => Some(NoteWritten { text: it.amount.to_string() }.into()),
            _ => None,
        }
    }
}

impl Projection for OldPoints {
    type Event = OldPublicEvent;
    type Row = Vec<String>;

    fn evolve(
        row: Option<Vec<String>>,
        event: &Recorded<OldPublicEvent>,
    ) -> Result<Option<Vec<String>>, String> {
        let OldPublicEvent::NoteWritten(NoteWritten { text }) = &event.event;
        let mut notes = row.unwrap_or_default();
        notes.push(text.clone());
        Ok(Some(notes))
    }
}

#[tokio::test]
async fn a_reader_of_an_older_contract_maps_new_public_events_itself() {
    let (two, stream) = (Two::new(), fresh());
    two.run(&stream, [open(), AccountCommand::Deposit(7), AccountCommand::Deposit(8)]).await;
    let old = Context::new("loyalty")
        .decider::<loyalty::Members>()
        .rows::<OldPoints>("old")
        .of::<OldMapping>();
    let new = two.public().await;
    assert!(new.iter().any(|it| it.event.event_type.as_str() == "MoneyMoved"));
    assert_eq!(two.project(&old, new).await, []);
    let expected = Some((3, Some(vec!["7".to_owned(), "8".to_owned()])));
    assert_eq!(two.points::<OldPoints>(&old, &stream).await, expected);
    assert_eq!(two.read_side.quarantine("old").parked(), []);
}
