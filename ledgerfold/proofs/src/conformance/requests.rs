//! Streams, requests and commits of accounts for the suites.

use std::sync::atomic::{AtomicU64, Ordering};

use ledgerfold::{
    Actor, Caller, CausationId, Command, CommandId, CorrelationId, Decider, EntityId, EventId,
    ReservedKey, SnapshotPolicy, Snapshots, StreamId, Subject, TenantId, Timestamp, Traceparent,
    UniqueKey,
    command::{CommandRequest, Loaded},
    vocabulary::{CommandStamp, Fingerprint, Metadata, NewCommit},
};
use ledgerfold_testkit::bank::{
    Account, AccountCommand, AccountEvent, Accounts, NoteWritten, Plain, Release,
};
use uuid::Uuid;

/// The release of accounts with a snapshot as often as the core allows.
#[derive(Debug)]
pub struct OftenSnapshotted;

impl Release for OftenSnapshotted {
    /// A snapshot of this size and the largest commit together stay below the limit of a store's item.
    const NOTE_BYTES: usize = 78_000;

    fn snapshots() -> Option<Snapshots<Account>> {
        let policy = SnapshotPolicy { events: 1, bytes: 1 };
        Some(Snapshots::of::<Accounts<Self>>(1).every(policy))
    }
}

/// A new account.
pub fn fresh() -> StreamId {
    let id = EntityId::new(Uuid::new_v4().to_string()).expect("a UUID is an id");
    StreamId::of_default_tenant(<Accounts>::CATEGORY, id)
}

/// The stream with the same category and id in another tenant.
pub fn twin(stream: &StreamId) -> StreamId {
    StreamId::new(other_tenant(), stream.category().clone(), stream.id().clone())
}

/// A tenant that is not the default one.
pub fn other_tenant() -> TenantId {
    TenantId::new("other").expect("letters")
}

/// A new address.
pub fn fresh_address() -> String {
    format!("{}@example.org", Uuid::new_v4())
}

/// A caller of the stream's tenant with every role.
pub fn tester(stream: &StreamId) -> Caller {
    let subject = Subject::new("tester").expect("visible ASCII");
    Caller { tenant: stream.tenant().clone(), subject, ..Caller::anonymous() }
}

/// The key as it is reserved for a stream of the default tenant.
pub fn reserved(key: &UniqueKey) -> ReservedKey {
    ReservedKey { tenant: TenantId::default_tenant(), key: key.clone() }
}

/// A request whose command id is the name of the attempt.
pub fn ask<C>(stream: &StreamId, attempt: &str, command: C) -> CommandRequest<C> {
    let id = CommandId::new(attempt).expect("an attempt's name is visible ASCII");
    CommandRequest::new(tester(stream), stream.clone(), command, id)
}

/// The request to write these notes.
pub fn write(stream: &StreamId, attempt: &str, notes: &[&str]) -> CommandRequest<AccountCommand> {
    ask(stream, attempt, AccountCommand::Write(texts(notes)))
}

fn texts(notes: &[&str]) -> Vec<String> {
    notes.iter().map(ToString::to_string).collect()
}

/// The commit of these notes after the loaded stream, recorded `second` seconds after the start of 1970. All fields of
/// its metadata are in use.
pub fn commit(
    loaded: &Loaded<Accounts<Plain>>,
    attempt: &str,
    notes: &[&str],
    second: i64,
) -> NewCommit {
    let written = texts(notes).into_iter().map(|text| NoteWritten { text }.into());
    let events: Vec<AccountEvent> = written.collect();
    let command = AccountCommand::Write(texts(notes));
    let stamp = CommandStamp {
        id: CommandId::new(attempt).expect("visible ASCII"),
        name: command.name(),
        fingerprint: Fingerprint::of(&command, std::slice::from_ref(loaded.stream()))
            .expect("a list of texts is JSON"),
        siblings: Vec::new(),
    };
    let metadata = Metadata {
        recorded_at: Timestamp::from_second(second).expect("a second of our era"),
        correlation_id: CorrelationId::new("conversation-1").expect("visible ASCII"),
        causation_id: CausationId::new("event-7").expect("visible ASCII"),
        actor: Actor::new("tester").expect("visible ASCII"),
        traceparent: Some(
            Traceparent::new("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .expect("the example of W3C Trace Context"),
        ),
    };
    loaded.commit(&events, new_id, stamp, metadata).expect("notes are JSON")
}

fn new_id() -> EventId {
    // Atomic, because tests run concurrently and every id must be new.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    EventId::new(0, &random)
}
