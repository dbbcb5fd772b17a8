//! What commands cost.

use ledgerfold::{
    StreamId, Version,
    command::{CommandError, CommandHandler, CommandRequest, JointRequest, StreamHint},
};
use ledgerfold_proofs::conformance::{
    account::{self, AccountCommand, Accounts, Transfer, Transfers, ask, fresh_address},
    notebook::{FORBIDDEN, Notebook, Write, fresh, write},
};

use super::{
    NOTE_BYTES,
    desk::{Desk, handled},
    diary::{Diaries, Note},
    meter::Cost,
};

fn note(stream: &StreamId, attempt: &str) -> CommandRequest<Write> {
    write(stream, attempt, &[&"x".repeat(NOTE_BYTES)])
}

fn creation(stream: &StreamId) -> CommandRequest<Write> {
    CommandRequest { hint: StreamHint::New, ..note(stream, "a0") }
}

/// A notebook with one note in it.
async fn begun(handler: &CommandHandler<Notebook>) -> StreamId {
    let stream = fresh();
    handled(handler, &creation(&stream)).await;
    stream
}

pub(super) async fn presumed_new(desk: &Desk) -> Cost {
    desk.accepted(&desk.cold::<Notebook>(), &creation(&fresh())).await
}

pub(super) async fn not_presumed_new(desk: &Desk) -> Cost {
    desk.accepted(&desk.cold::<Notebook>(), &note(&fresh(), "a0")).await
}

pub(super) async fn warm(desk: &Desk) -> Cost {
    let handler = desk.warm::<Notebook>();
    let stream = begun(&handler).await;
    desk.accepted(&handler, &note(&stream, "a1")).await
}

pub(super) async fn cold(desk: &Desk) -> Cost {
    let stream = begun(&desk.cold()).await;
    desk.accepted(&desk.cold::<Notebook>(), &note(&stream, "a1")).await
}

/// Of 30 commits of 1 KB, the 20th has the snapshot; what is read is the newest 21.
pub(super) async fn behind_a_near_snapshot(desk: &Desk) -> Cost {
    let stream = desk.diary(NOTE_BYTES, 30, 1).await;
    one_more(desk, &stream).await
}

/// A snapshot of 30 KB waits for events of 30 KB, which is 50 commits; the last one is 40 commits back.
/// The first read does not reach it, and the second brings as much as there is, up to 1 MB.
pub(super) async fn behind_a_far_snapshot(desk: &Desk) -> Cost {
    let stream = desk.diary(30_000, 390, 1).await;
    one_more(desk, &stream).await
}

async fn one_more(desk: &Desk, stream: &StreamId) -> Cost {
    let command = ask(stream, "more", Note(vec!["n".repeat(NOTE_BYTES)]));
    desk.accepted(&desk.cold::<Diaries>(), &command).await
}

/// An account of five events, whose state is 100 bytes.
pub(super) async fn with_a_snapshot(desk: &Desk) -> Cost {
    let (handler, stream) = (desk.warm::<Accounts>(), account::fresh());
    open(&handler, &stream).await;
    for at in 0..3 {
        handled(&handler, &ask(&stream, &format!("a{at}"), AccountCommand::Deposit(7))).await;
    }
    desk.accepted(&handler, &ask(&stream, "a4", AccountCommand::Deposit(7))).await
}

pub(super) async fn repeated_cold(desk: &Desk) -> Cost {
    let stream = begun(&desk.cold()).await;
    desk.accepted(&desk.cold::<Notebook>(), &note(&stream, "a0")).await
}

pub(super) async fn repeated_warm(desk: &Desk) -> Cost {
    let handler = desk.warm::<Notebook>();
    let stream = begun(&handler).await;
    desk.accepted(&handler, &note(&stream, "a0")).await
}

/// A creation that comes again elsewhere, where it is presumed new.
pub(super) async fn repeated_creation(desk: &Desk) -> Cost {
    let stream = begun(&desk.cold()).await;
    desk.accepted(&desk.warm::<Notebook>(), &creation(&stream)).await
}

pub(super) async fn refused_cold(desk: &Desk) -> Cost {
    let stream = begun(&desk.cold()).await;
    rejected(desk, &desk.cold(), &stream).await
}

pub(super) async fn refused_warm(desk: &Desk) -> Cost {
    let handler = desk.warm::<Notebook>();
    let stream = begun(&handler).await;
    rejected(desk, &handler, &stream).await
}

async fn rejected(desk: &Desk, handler: &CommandHandler<Notebook>, stream: &StreamId) -> Cost {
    let (cost, error) = desk.refused(handler, &write(stream, "a1", &[FORBIDDEN])).await;
    assert!(matches!(error, CommandError::Rejected(_)), "{error}");
    cost
}

pub(super) async fn unexpected_version(desk: &Desk) -> Cost {
    let handler = desk.warm::<Notebook>();
    let stream = begun(&handler).await;
    let expected = Some(Version::new(9));
    let command = CommandRequest { expected, ..note(&stream, "a1") };
    let (cost, error) = desk.refused(&handler, &command).await;
    assert!(matches!(error, CommandError::ExpectedVersion { .. }), "{error}");
    cost
}

/// What is remembered has been overtaken: an append in vain, a read of what is new, an append.
pub(super) async fn overtaken(desk: &Desk) -> Cost {
    let handler = desk.warm::<Notebook>();
    let stream = begun(&handler).await;
    handled(&desk.cold::<Notebook>(), &note(&stream, "other")).await;
    desk.accepted(&handler, &note(&stream, "a1")).await
}

async fn open(handler: &CommandHandler<Accounts>, stream: &StreamId) -> String {
    let address = fresh_address();
    handled(handler, &ask(stream, "open", AccountCommand::Open(address.clone()))).await;
    address
}

pub(super) async fn with_a_unique_key(desk: &Desk) -> Cost {
    let stream = account::fresh();
    let command = ask(&stream, "open", AccountCommand::Open(fresh_address()));
    let command = CommandRequest { hint: StreamHint::New, ..command };
    desk.accepted(&desk.cold::<Accounts>(), &command).await
}

pub(super) async fn with_a_key_taken(desk: &Desk) -> Cost {
    let handler = desk.warm::<Accounts>();
    let address = open(&handler, &account::fresh()).await;
    let command = ask(&account::fresh(), "open", AccountCommand::Open(address));
    let command = CommandRequest { hint: StreamHint::New, ..command };
    let (cost, error) = desk.refused(&handler, &command).await;
    assert!(matches!(error, CommandError::Reserved { .. }), "{error}");
    cost
}

pub(super) async fn with_a_key_changed(desk: &Desk) -> Cost {
    let (handler, stream) = (desk.warm::<Accounts>(), account::fresh());
    open(&handler, &stream).await;
    desk.accepted(&handler, &ask(&stream, "move", AccountCommand::Move(fresh_address()))).await
}

pub(super) async fn strict(desk: &Desk) -> Cost {
    let (handler, stream) = (desk.warm::<Accounts>(), account::fresh());
    open(&handler, &stream).await;
    desk.accepted(&handler, &ask(&stream, "once", AccountCommand::DepositOnce(7))).await
}

pub(super) async fn joint(desk: &Desk) -> Cost {
    let (handler, streams) = (desk.warm::<Accounts>(), [account::fresh(), account::fresh()]);
    for stream in &streams {
        open(&handler, stream).await;
        handled(&handler, &ask(stream, "fill", AccountCommand::Deposit(7))).await;
    }
    let CommandRequest { command, id, context, .. } = ask(&streams[0], "transfer", Transfer(5));
    let transfer = JointRequest::<Transfers> { streams, command, id, context };
    let (cost, outcome) = desk.meter.of(desk.joint().handle(&transfer)).await;
    assert_eq!(outcome.expect("there is enough in it").len(), 2);
    cost
}
