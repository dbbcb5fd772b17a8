//! The cost of commands.

use ledgerfold::{
    StreamId, Version,
    command::{CommandError, CommandHandler, CommandRequest, JointRequest, StreamHint},
};
use ledgerfold_proofs::conformance::requests::{ask, fresh, fresh_address, write};
use ledgerfold_testkit::bank::{AccountCommand, Accounts, FORBIDDEN, Plain, Transfer, Transfers};

use super::{
    NOTE_BYTES,
    fixture::{Fixture, handled},
    history::{self, Snapshotted},
    meter::Cost,
};

fn note(stream: &StreamId, attempt: &str) -> CommandRequest<AccountCommand> {
    write(stream, attempt, &[&"x".repeat(NOTE_BYTES)])
}

fn creation(stream: &StreamId) -> CommandRequest<AccountCommand> {
    CommandRequest { hint: StreamHint::New, ..note(stream, "a0") }
}

/// A stream with one note.
async fn begun(handler: &CommandHandler<Accounts<Plain>>) -> StreamId {
    let stream = fresh();
    handled(handler, &creation(&stream)).await;
    stream
}

pub(super) async fn presumed_new(fixture: &Fixture) -> Cost {
    fixture.accepted(&fixture.cold::<Accounts<Plain>>(), &creation(&fresh())).await
}

pub(super) async fn not_presumed_new(fixture: &Fixture) -> Cost {
    fixture.accepted(&fixture.cold::<Accounts<Plain>>(), &note(&fresh(), "a0")).await
}

pub(super) async fn warm(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts<Plain>>();
    let stream = begun(&handler).await;
    fixture.accepted(&handler, &note(&stream, "a1")).await
}

pub(super) async fn cold(fixture: &Fixture) -> Cost {
    let stream = begun(&fixture.cold()).await;
    fixture.accepted(&fixture.cold::<Accounts<Plain>>(), &note(&stream, "a1")).await
}

/// 30 commits of 1 KB, with a snapshot in the 20th. A load reads the newest 21.
pub(super) async fn behind_a_near_snapshot(fixture: &Fixture) -> Cost {
    let stream = history::account(fixture, NOTE_BYTES, 30, 1).await;
    one_more(fixture, &stream).await
}

/// A snapshot of 30 KB is taken every 30 KB of events, which is 50 commits, and the last one is 40 commits back. The
/// first read does not reach it; the second reads up to 1 MB.
pub(super) async fn behind_a_far_snapshot(fixture: &Fixture) -> Cost {
    let stream = history::account(fixture, 30_000, 390, 1).await;
    one_more(fixture, &stream).await
}

async fn one_more(fixture: &Fixture, stream: &StreamId) -> Cost {
    let command = write(stream, "more", &[&"n".repeat(NOTE_BYTES)]);
    fixture.accepted(&fixture.cold::<Accounts<Snapshotted>>(), &command).await
}

/// An account of five events, with a state of 100 bytes.
pub(super) async fn with_a_snapshot(fixture: &Fixture) -> Cost {
    let (handler, stream) = (fixture.warm::<Accounts>(), fresh());
    open(&handler, &stream).await;
    for at in 0..3 {
        handled(&handler, &ask(&stream, &format!("a{at}"), AccountCommand::Deposit(7))).await;
    }
    fixture.accepted(&handler, &ask(&stream, "a4", AccountCommand::Deposit(7))).await
}

pub(super) async fn repeated_cold(fixture: &Fixture) -> Cost {
    let stream = begun(&fixture.cold()).await;
    fixture.accepted(&fixture.cold::<Accounts<Plain>>(), &note(&stream, "a0")).await
}

pub(super) async fn repeated_warm(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts<Plain>>();
    let stream = begun(&handler).await;
    fixture.accepted(&handler, &note(&stream, "a0")).await
}

/// A repeated creation in another environment, which presumes the stream to be new.
pub(super) async fn repeated_creation(fixture: &Fixture) -> Cost {
    let stream = begun(&fixture.cold()).await;
    fixture.accepted(&fixture.warm::<Accounts<Plain>>(), &creation(&stream)).await
}

pub(super) async fn refused_cold(fixture: &Fixture) -> Cost {
    let stream = begun(&fixture.cold()).await;
    rejected(fixture, &fixture.cold(), &stream).await
}

pub(super) async fn refused_warm(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts<Plain>>();
    let stream = begun(&handler).await;
    rejected(fixture, &handler, &stream).await
}

async fn rejected(
    fixture: &Fixture,
    handler: &CommandHandler<Accounts<Plain>>,
    stream: &StreamId,
) -> Cost {
    let (cost, error) = fixture.refused(handler, &write(stream, "a1", &[FORBIDDEN])).await;
    assert!(matches!(error, CommandError::Rejected(_)), "{error}");
    cost
}

pub(super) async fn unexpected_version(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts<Plain>>();
    let stream = begun(&handler).await;
    let expected = Some(Version::new(9));
    let command = CommandRequest { expected, ..note(&stream, "a1") };
    let (cost, error) = fixture.refused(&handler, &command).await;
    assert!(matches!(error, CommandError::ExpectedVersion { .. }), "{error}");
    cost
}

/// The cached state is outdated: a failed append, a read of the new commits, an append.
pub(super) async fn overtaken(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts<Plain>>();
    let stream = begun(&handler).await;
    handled(&fixture.cold::<Accounts<Plain>>(), &note(&stream, "other")).await;
    fixture.accepted(&handler, &note(&stream, "a1")).await
}

async fn open(handler: &CommandHandler<Accounts>, stream: &StreamId) -> String {
    let address = fresh_address();
    handled(handler, &ask(stream, "open", AccountCommand::Open(address.clone()))).await;
    address
}

pub(super) async fn with_a_unique_key(fixture: &Fixture) -> Cost {
    let stream = fresh();
    let command = ask(&stream, "open", AccountCommand::Open(fresh_address()));
    let command = CommandRequest { hint: StreamHint::New, ..command };
    fixture.accepted(&fixture.cold::<Accounts>(), &command).await
}

pub(super) async fn with_a_key_taken(fixture: &Fixture) -> Cost {
    let handler = fixture.warm::<Accounts>();
    let address = open(&handler, &fresh()).await;
    let command = ask(&fresh(), "open", AccountCommand::Open(address));
    let command = CommandRequest { hint: StreamHint::New, ..command };
    let (cost, error) = fixture.refused(&handler, &command).await;
    assert!(matches!(error, CommandError::Reserved { .. }), "{error}");
    cost
}

pub(super) async fn with_a_key_changed(fixture: &Fixture) -> Cost {
    let (handler, stream) = (fixture.warm::<Accounts>(), fresh());
    open(&handler, &stream).await;
    fixture.accepted(&handler, &ask(&stream, "move", AccountCommand::Move(fresh_address()))).await
}

pub(super) async fn strict(fixture: &Fixture) -> Cost {
    let (handler, stream) = (fixture.warm::<Accounts>(), fresh());
    open(&handler, &stream).await;
    fixture.accepted(&handler, &ask(&stream, "once", AccountCommand::DepositOnce(7))).await
}

pub(super) async fn joint(fixture: &Fixture) -> Cost {
    let (handler, streams) = (fixture.warm::<Accounts>(), [fresh(), fresh()]);
    for stream in &streams {
        open(&handler, stream).await;
        handled(&handler, &ask(stream, "fill", AccountCommand::Deposit(7))).await;
    }
    let CommandRequest { command, id, context, .. } = ask(&streams[0], "transfer", Transfer(5));
    let transfer = JointRequest::<Transfers>::in_context(context, streams, command, id);
    let (cost, outcome) = fixture.meter.of(fixture.joint().handle(&transfer)).await;
    assert_eq!(outcome.expect("there is enough in it").len(), 2);
    cost
}
