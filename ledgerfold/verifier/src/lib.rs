//! Verifies the commits of an event log against the checkpoints of its transparency log.
//!
//! It needs the public key of the log, one or more checkpoints from any source, the entries of the log, and the commits:
//! a table, an export or a restored copy. It trusts none of them but the key. The crate shares no code with
//! `ledgerfold-transparency`, which makes the log, nor with the rest of the library: two programs that were written apart
//! seldom contain the same mistake. `docs/tamper-evidence.md` and `docs/stored-format.md` specify what it verifies.

mod commit;
mod comparison;
mod fields;
mod item;
mod log;
mod merkle;
mod note;
mod proof_file;

pub use commit::{Sibling, StoredCommit, StoredEvent};
pub use comparison::{Comparison, Finding, Kind, Stored, Window};
pub use item::{Item, ItemError};
pub use log::{LogFault, LogSource, ReadError, SealedCommit, SealedLog, SourceError};
pub use merkle::{Accumulator, Digest, verify_consistency, verify_inclusion};
pub use note::{Checkpoint, NoteError, PublicKey};
pub use proof_file::{ProofError, Proven, verify_head, verify_proof};
