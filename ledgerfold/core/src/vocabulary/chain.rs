//! The hash chain of a stream, which shows whether a stored commit was changed, removed or moved.
//!
//! Each commit has a hash of its content and of the hash of the commit before it. `docs/stored-format.md` specifies the
//! bytes, and a Python script of the repository computes the same hashes from its test vectors.

use std::fmt;

use sha2::{Digest, Sha256};

use super::Commit;

/// Begins every hash, so that no other hash of the same bytes is a commit's hash. Change it with the format.
const DOMAIN: &[u8] = b"ledgerfold commit 1";
/// The hash of a commit: SHA-256 over its content, its place and the hash of the commit before it.
///
/// It covers the stored form of events. Content that is sealed stays sealed, so an erasure changes no hash. It does not
/// cover the snapshot, which is only a cache of the events before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommitHash([u8; 32]);

impl CommitHash {
    /// The hash before the first commit of a stream.
    pub(super) const NONE: Self = Self([0; 32]);

    /// The hash of a commit that follows a commit with the hash `previous`, or that is the first of its stream.
    pub fn of(commit: &Commit, previous: Option<Self>) -> Self {
        let mut hash = Fields::default();
        hash.text(commit.stream().to_string());
        hash.number(commit.from().get());
        hash.number(commit.to().get());
        hash.bytes(&previous.unwrap_or(Self::NONE).0);
        hash.count(commit.events().count());
        for (_, event) in commit.events() {
            hash.text(event.id.to_string());
            hash.text(event.event_type.as_str());
            hash.number(event.schema_version.get().into());
            hash.text(event.data.as_str());
        }
        let command = commit.command();
        hash.text(command.id.as_str());
        hash.text(command.name.as_str());
        hash.text(command.fingerprint.as_str());
        hash.count(command.siblings.len());
        for sibling in &command.siblings {
            hash.text(sibling.stream.to_string());
            hash.number(sibling.from.get());
        }
        let metadata = commit.metadata();
        hash.text(metadata.recorded_at.to_string());
        hash.text(metadata.correlation_id.as_str());
        hash.text(metadata.causation_id.as_str());
        hash.text(metadata.actor.as_str());
        hash.text(metadata.traceparent.as_ref().map_or("", |trace| trace.as_str()));
        hash.end()
    }

    /// Takes a hash from a store; `None` if it does not have 32 bytes.
    pub fn restore(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommitHash({self})")
    }
}

/// Fields on their way into a hash. Each has its length before it, so two lists of fields never have the same bytes.
struct Fields(Sha256);

impl Default for Fields {
    fn default() -> Self {
        let mut fields = Self(Sha256::new());
        fields.bytes(DOMAIN);
        fields
    }
}

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: impl AsRef<str>) {
        self.bytes(text.as_ref().as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(u64::try_from(count).unwrap_or(u64::MAX));
    }

    fn end(self) -> CommitHash {
        CommitHash(self.0.finalize().into())
    }
}
