//! A transparency log over the commits of an event log.
//!
//! The hash chain of a stream shows an edit, but whoever can write the log can compute a chain again, and a chain does
//! not show that its end or the whole stream was removed. A [`Sealer`] therefore adds each commit to a Merkle tree
//! (RFC 6962), which is stored as tiles (C2SP tlog-tiles), and signs checkpoints of the tree. Whoever keeps a
//! checkpoint can later prove what was changed. `docs/tamper-evidence.md` specifies every byte.
//!
//! The crate is the prover. `ledgerfold-verifier` verifies, and shares no code with it.

mod batch;
mod bytes;
mod checkpoint;
mod entry;
mod hash;
mod heads;
#[cfg(feature = "memory")]
pub mod memory;
mod ports;
mod proof;
mod prover;
mod sealer;
mod tile;
mod tree;

pub use batch::{Batch, Sealable};
pub use checkpoint::{Checkpoint, KeyKind, LogKey, SignatureLine};
pub use entry::{Entry, Head};
pub use hash::Hash;
pub use heads::{DIRECTORY_SHARDS, Directory, Shard};
pub use ports::{CheckpointStore, HeadStore, LogError, ObjectStore, Signer};
pub use prover::{HeadProof, ProveError, Prover};
pub use sealer::{Broken, MAX_ENTRIES, SealError, Sealed, Sealer, Unsealed};
pub use tile::TileName;
