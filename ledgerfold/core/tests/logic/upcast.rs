//! Tests of upcasters: accounts that yesterday's code has written and today's code reads.

use std::sync::Arc;

use ledgerfold::{
    Caller, Category, Command, CommandId, CommandName, Decider, DecisionContext, DecodeError,
    Event, EventType, Payload, Recorded, Rejection, SchemaVersion, Snapshots, StreamId, TenantId,
    Version,
    command::{CommandError, CommandRequest, LoadError},
    events,
    ports::{CounterKey, TallyReader},
    project::{Counts, Projection, ReadModel, RowModel, Tally, TallyModel},
    query::{AuditPosition, Until, as_of, audit, fresh_row},
};
use ledgerfold_testkit::bank::Accounts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::note_models::{World, deliveries};

/// Yesterday's events: interest in basis points, and one event for opening and naming the owner.
mod yesterday {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Opened {
        pub(super) basis_points: u32,
        pub(super) owner: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Noted {
        pub(super) text: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Ended {
        pub(super) reason: String,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(super) struct Viewed {}

    events! {
        /// Yesterday's events of an account.
        pub(super) enum AccountEvent {
            Opened: 1,
            Noted: 1,
            Ended: 1,
            Viewed: 1,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Opened {
    percent: f64,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct OwnerNamed {
    owner: String,
}
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Closed {
    reason: String,
}

events! {
    /// The events of an account.
    enum AccountEvent {
        Opened: 2,
        OwnerNamed: 1,
        Closed: 1,
    }
    upcast {
        Opened: 1 as yesterday::Opened => |old| [
            Opened { percent: f64::from(old.basis_points) / 100.0 }.into(),
            OwnerNamed { owner: old.owner }.into(),
        ],
        Ended: 1 as yesterday::Ended => |old| [Closed { reason: old.reason }.into()],
        Noted: 1 as yesterday::Noted => |old| {
            // Before `OwnerNamed` existed, a owner was also written as a note.
            old.text.strip_prefix("owner ").map(|owner| OwnerNamed { owner: owner.to_owned() }.into())
        },
    }
    retired {
        Viewed: 1,
    }
}

events! {
    /// The events for a count of closed accounts.
    enum ClosingEvent {
        Closed: 1,
    }
    unknown: skip
}

fn decode<E: Event>(kind: &str, version: u32, data: &str) -> Result<Vec<E>, DecodeError> {
    let kind = EventType::new(kind).expect("letters");
    let data = Payload::from_text(data.to_owned()).expect("JSON");
    let today = E::decode(&kind, SchemaVersion::new(version), &data)?;
    Ok(today.into_iter().collect())
}

fn closed(reason: &str) -> Closed {
    Closed { reason: reason.to_owned() }
}

#[test]
fn an_old_event_becomes_one_event_or_several_or_none() {
    let read = |kind, version, data| decode::<AccountEvent>(kind, version, data).expect("known");
    assert_eq!(read("Opened", 2, r#"{"percent":1.5}"#), [Opened { percent: 1.5 }.into()]);
    assert_eq!(read("Ended", 1, r#"{"reason":"request"}"#), [closed("request").into()]);
    assert_eq!(
        read("Opened", 1, r#"{"basis_points":150,"owner":"ada"}"#),
        [Opened { percent: 1.5 }.into(), OwnerNamed { owner: "ada".to_owned() }.into()]
    );
    assert_eq!(read("Noted", 1, r#"{"text":"it rains"}"#), []);
    assert_eq!(read("Viewed", 1, "{}"), []);
}

// Guards: no-event-is-skipped-silently
#[test]
fn an_unknown_event_is_an_error_unless_unknown_events_are_skipped() {
    for (kind, version) in [("Lost", 1), ("Opened", 3), ("Ended", 2), ("Viewed", 2)] {
        let unknown = decode::<AccountEvent>(kind, version, "{}");
        assert!(matches!(unknown, Err(DecodeError::Unknown { .. })), "{kind}: {unknown:?}");
    }
    assert_eq!(decode::<ClosingEvent>("Opened", 1, "{}").expect("the event is skipped"), []);
    let read = decode::<ClosingEvent>("Closed", 1, r#"{"reason":"request"}"#);
    assert_eq!(read.expect("the event is known"), [closed("request").into()]);
}

// Guards: no-event-is-skipped-silently
#[test]
fn a_known_type_is_never_skipped() {
    let newer = decode::<ClosingEvent>("Closed", 2, r#"{"reason":"request"}"#);
    assert!(matches!(newer, Err(DecodeError::Unknown { .. })), "{newer:?}");
    for (kind, version) in [("Opened", 1), ("Opened", 2), ("Ended", 1), ("Noted", 1)] {
        let malformed = decode::<AccountEvent>(kind, version, r#"{"weight":7}"#);
        assert!(matches!(malformed, Err(DecodeError::Malformed(_))), "{kind}: {malformed:?}");
    }
    let malformed = decode::<ClosingEvent>("Closed", 1, r#"{"reason":7}"#);
    assert!(matches!(malformed, Err(DecodeError::Malformed(_))), "{malformed:?}");
}

/// Appends these events.
#[derive(Clone, Debug, Serialize)]
struct Append(Vec<String>);

/// Closes the account, if it is opened and ownerled.
#[derive(Clone, Debug, Serialize)]
struct Close;

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("it has no owner")]
struct NoOwner;

impl Rejection for NoOwner {
    fn rule(&self) -> &'static str {
        "no-owner"
    }
}

impl Command for Append {
    fn name(&self) -> CommandName {
        CommandName::from_static("Append")
    }
}

impl Command for Close {
    fn name(&self) -> CommandName {
        CommandName::from_static("Close")
    }
}

const ACCOUNT: Category = <Accounts>::CATEGORY;

/// An account's owners, and whether it is closed.
type Owners = (Vec<String>, bool);

struct Yesterday;

impl Decider for Yesterday {
    type Command = Append;
    type Event = yesterday::AccountEvent;
    type State = Owners;
    type Rejection = NoOwner;
    const CATEGORY: Category = ACCOUNT;

    fn initial() -> Owners {
        Owners::default()
    }

    fn evolve(owners: Owners, _: &yesterday::AccountEvent) -> Owners {
        owners
    }

    fn decide(
        _: &Owners,
        Append(kinds): &Append,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<yesterday::AccountEvent>, NoOwner> {
        let event = |kind: &String| match kind.as_str() {
            "opened" => yesterday::Opened { basis_points: 150, owner: "ada".to_owned() }.into(),
            "ended" => yesterday::Ended { reason: "request".to_owned() }.into(),
            "viewed" => yesterday::Viewed {}.into(),
            text => yesterday::Noted { text: text.to_owned() }.into(),
        };
        Ok(kinds.iter().map(event).collect())
    }
}

struct Today;

impl Decider for Today {
    type Command = Close;
    type Event = AccountEvent;
    type State = Owners;
    type Rejection = NoOwner;
    const CATEGORY: Category = ACCOUNT;

    fn initial() -> Self::State {
        Self::State::default()
    }

    fn evolve((mut owners, closed): Self::State, event: &AccountEvent) -> Self::State {
        match event {
            AccountEvent::Opened(_) => (owners, closed),
            AccountEvent::OwnerNamed(owner) => {
                owners.push(owner.owner.clone());
                (owners, closed)
            }
            AccountEvent::Closed(_) => (owners, true),
        }
    }

    fn decide(
        (owners, closed): &Self::State,
        Close: &Close,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, NoOwner> {
        match (owners.join("+"), closed) {
            (reason, _) if reason.is_empty() => Err(NoOwner),
            (_, true) => Ok(Vec::new()),
            (reason, false) => Ok(vec![Closed { reason }.into()]),
        }
    }
}

/// A projection of all event types with their versions.
struct Story;

impl Projection for Story {
    type Event = AccountEvent;
    type Row = Vec<(String, u64)>;

    fn evolve(
        row: Option<Self::Row>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<Self::Row>, String> {
        let mut story = row.unwrap_or_default();
        story.push((event.event.event_type().to_string(), event.version.get()));
        Ok(Some(story))
    }
}

/// A tally of the events by type.
struct Kinds;

impl Tally for Kinds {
    type Event = AccountEvent;
    type Memo = ();

    fn count(
        (): &mut (),
        event: &Recorded<AccountEvent>,
        counts: &mut Counts,
    ) -> Result<(), String> {
        counts.add(
            CounterKey::new(event.event.event_type().to_string()).expect("a key"),
            "events",
            1,
        )
    }
}

fn request<C>(stream: &StreamId, attempt: &str, command: C) -> CommandRequest<C> {
    let id = CommandId::new(attempt).expect("visible ASCII");
    CommandRequest::new(Caller::anonymous(), stream.clone(), command, id)
}

/// An account with these events of yesterday, in one commit.
async fn account(world: &World, events: &[&str]) -> StreamId {
    let id = format!("p-{}", world.log.commits().len());
    let stream = StreamId::of_default_tenant(ACCOUNT, id.parse().expect("an id"));
    let append = Append(events.iter().map(ToString::to_string).collect());
    let handler = world.handler::<Yesterday>();
    handler.handle(&request(&stream, "append", append)).await.expect("accepted");
    stream
}

fn story(events: &[(&str, u64)]) -> Vec<(String, u64)> {
    events.iter().map(|(kind, version)| ((*kind).to_owned(), *version)).collect()
}

// Guards: every-event-can-be-read
#[tokio::test]
async fn a_command_is_decided_on_upcast_events() {
    let world = World::new();
    let stream = account(&world, &["opened", "viewed", "owner grace"]).await;
    let close = request(&stream, "close", Close);
    let answer = world.handler::<Today>().handle(&close).await.expect("the account has a owner");
    assert_eq!(answer.version, Version::new(4), "versions count stored events");
    let commits = world.log.commits();
    let (_, last) = commits[1].events().last().expect("the account was closed");
    assert_eq!(last.data.as_str(), r#"{"reason":"ada+grace"}"#);

    let unowned = account(&world, &["viewed", "it rains"]).await;
    let refused = world.handler::<Today>().handle(&request(&unowned, "close", Close)).await;
    assert!(matches!(refused, Err(CommandError::Rejected(NoOwner))), "{refused:?}");
    let ended = account(&world, &["opened", "ended"]).await;
    let nothing = world.handler::<Today>().handle(&request(&ended, "close", Close)).await;
    assert_eq!(nothing.expect("the account is closed").events.len(), 0);
}

#[tokio::test]
async fn a_stream_with_an_unknown_event_is_not_decided_on() {
    let world = World::new();
    let stream = account(&world, &["opened"]).await;
    world.handler::<Today>().handle(&request(&stream, "close", Close)).await.expect("accepted");
    // Yesterday's code still runs somewhere and reads an event of today.
    let append = request(&stream, "late", Append(vec!["ended".to_owned()]));
    let refused = world.handler::<Yesterday>().handle(&append).await;
    let Err(CommandError::Load(LoadError::Event { version, source, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(version, Version::new(2));
    assert!(matches!(source, DecodeError::Unknown { .. }), "{source}");
}

// Guards: every-event-can-be-read
#[tokio::test]
async fn read_models_fold_upcast_events_in_any_order_of_deliveries() {
    let world = World::new();
    let stream = account(&world, &["opened", "viewed", "ended"]).await;
    let today = story(&[("Opened", 1), ("OwnerNamed", 1), ("Closed", 3)]);
    let row = || async {
        let row =
            fresh_row::<Story>(&*world.rows, &*world.log, &*world.parked_notes, &stream, None)
                .await;
        row.expect("the read succeeds").map(|fresh| (fresh.row, fresh.version.get()))
    };
    assert_eq!(row().await, Some((today.clone(), 3)), "from the log");

    let rows = Arc::new(RowModel::<Story>::new(world.rows.clone()));
    let kinds = Arc::new(TallyModel::<Kinds>::new(world.tallies.clone()));
    for _delivered_and_replayed in 0..3 {
        let models: [Arc<dyn ReadModel>; 2] = [rows.clone(), kinds.clone()];
        for model in models {
            let failed = world
                .projector(model, world.parked_notes.clone())
                .project(deliveries(world.envelopes()))
                .await;
            assert_eq!(failed, []);
        }
    }
    assert_eq!(row().await, Some((today, 3)), "from the table");
    let (first, last) = (CounterKey::least(), CounterKey::new("~").expect("a key"));
    let counted = world
        .tallies
        .range(&TenantId::default_tenant(), &first, &last)
        .await
        .expect("the read succeeds");
    let counted: Vec<_> = counted
        .into_iter()
        .map(|counter| (counter.key.to_string(), counter.amounts["events"]))
        .collect();
    let one_each = ["Closed", "Opened", "OwnerNamed"].map(|kind| (kind.to_owned(), 1));
    assert_eq!(counted, one_each);
}

// Guards: every-event-can-be-read
#[tokio::test]
async fn the_past_is_shown_in_events_of_today_and_the_audit_log_in_stored_events() {
    let world = World::new();
    let stream = account(&world, &["opened", "viewed", "ended"]).await;
    let at = Until::Version(Version::new(3));
    let past = as_of::<Story>(&*world.log, &*world.parked_notes, &stream, at)
        .await
        .expect("the read succeeds");
    let past = past.expect("there was a row").row;
    assert_eq!(past, story(&[("Opened", 1), ("OwnerNamed", 1), ("Closed", 3)]));

    let page = audit(&*world.log, &stream, AuditPosition::START, 10).await.expect("readable");
    let stored: Vec<_> = page
        .events
        .iter()
        .map(|event| (event.event.event_type.as_str(), event.event.data.as_str()))
        .collect();
    let opened = ("Opened", r#"{"basis_points":150,"owner":"ada"}"#);
    assert_eq!(stored, [opened, ("Viewed", "{}"), ("Ended", r#"{"reason":"request"}"#)]);
}

#[test]
fn a_snapshot_becomes_invalid_when_a_version_becomes_upcast() {
    let (today, yesterday) = (Snapshots::of::<Today>(1), Snapshots::of::<Yesterday>(1));
    assert_eq!(today.schema(), Snapshots::of::<Today>(1).schema());
    assert_ne!(today.schema(), Snapshots::of::<Today>(2).schema());
    assert_ne!(today.schema(), yesterday.schema(), "only the shape of the states is the same");
}
