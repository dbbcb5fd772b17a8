//! Accounts with a long history, and with snapshots at the default distance.

use ledgerfold::{Snapshots, StreamId};
use ledgerfold_proofs::conformance::requests::{ask, fresh, write};
use ledgerfold_testkit::bank::{Account, AccountCommand, Accounts, Release};

use super::{
    NOTE_BYTES,
    fixture::{Fixture, handled},
};

/// The release with snapshots at the default distance.
#[derive(Debug)]
pub(super) struct Snapshotted;

impl Release for Snapshotted {
    fn snapshots() -> Option<Snapshots<Account>> {
        Some(Snapshots::of::<Accounts<Self>>(1))
    }
}

/// An account with an address of this size, and with commands of this many notes of `NOTE_BYTES` each. Its snapshots are
/// as large as the address.
pub(super) async fn account(
    fixture: &Fixture,
    address: usize,
    commands: usize,
    notes: usize,
) -> StreamId {
    let (stream, writer) = (fresh(), fixture.warm::<Accounts<Snapshotted>>());
    let open = AccountCommand::Open("f".repeat(address));
    handled(&writer, &ask(&stream, "open", open)).await;
    let note = "n".repeat(NOTE_BYTES);
    for at in 1..commands {
        handled(&writer, &write(&stream, &format!("d{at}"), &vec![&*note; notes])).await;
    }
    stream
}
