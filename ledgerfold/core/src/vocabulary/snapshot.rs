use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Decider, DecodeError, EncodeError, Payload,
    schema::{Contract, Standing},
    vocabulary::{RecentCommands, digest::digest},
};

/// The largest state that rides along with a commit, in bytes: a commit of the largest size and a
/// snapshot together stay below DynamoDB's 400 KB.
pub const MAX_SNAPSHOT_BYTES: usize = 80 * 1024;

/// The state of a stream after a commit, stored with that commit. A shortcut for loads and nothing
/// else: it is never published, and a stream means the same without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The shape of the state and the meaning of its fields.
    pub schema: StateSchema,
    /// The state.
    pub state: Payload,
    /// The commands of the newest commits, this one included.
    pub recent: RecentCommands,
}

/// The shape of a state in a snapshot: a digest of its JSON Schema and its revision. A loader ignores snapshots of
/// another schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StateSchema(String);

impl StateSchema {
    /// A schema's name read back from where it was kept.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The 22 characters it is kept as.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StateSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a domain's state is kept in snapshots.
///
/// ```ignore
/// impl Decider for Accounts {
///     fn snapshots() -> Option<Snapshots<Balance>> {
///         Some(Snapshots::of::<Self>(1))
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Snapshots<S> {
    schema: StateSchema,
    policy: SnapshotPolicy,
    encode: fn(&S) -> Result<Payload, EncodeError>,
    decode: fn(&Payload) -> Result<S, DecodeError>,
}

/// When a commit takes a snapshot along: as soon as either bound is reached since the last one, but not before the
/// events since then outweigh it, so that snapshots at most double the size of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Events since the last snapshot.
    pub events: usize,
    /// Bytes of their content.
    pub bytes: usize,
}

impl Default for SnapshotPolicy {
    /// 20 events or 8 KB. A write unit costs five times a read unit, and a read unit brings 4 KB: for
    /// a small state and commits of 400 bytes the sum is least at some ten to thirty events.
    fn default() -> Self {
        Self { events: 20, bytes: 8 * 1024 }
    }
}

impl<S: Serialize + DeserializeOwned + PartialEq + JsonSchema> Snapshots<S> {
    /// Snapshots of a domain's state. The library notices a change of the state's fields and of an upcaster. It does
    /// not notice a change of `evolve`: raise the revision for that.
    pub fn of<D>(revision: u32) -> Self
    where
        D: Decider<State = S>,
        D::Event: Contract,
    {
        // A schema is made of texts and numbers, which JSON can carry.
        let schema = serde_json::to_vec(&schema_for!(S)).unwrap_or_default();
        let digest =
            digest(&[&schema, translated::<D::Event>().as_bytes(), &revision.to_be_bytes()]);
        Self {
            schema: StateSchema(URL_SAFE_NO_PAD.encode(digest)),
            policy: SnapshotPolicy::default(),
            encode: Payload::encode,
            decode: Payload::decode,
        }
    }
}

/// The event versions that are read as other events, or as none: a state that was folded before they
/// were is not the one that would be folded now.
fn translated<E: Contract>() -> String {
    let catalog = E::catalog();
    let entries = catalog.entries().iter();
    let old = entries.filter(|entry| !matches!(entry.standing, Standing::Written(_)));
    old.map(|entry| format!("{} {}\n", entry.event_type, entry.version)).collect()
}

impl<S> Snapshots<S> {
    /// The same at other distances.
    #[must_use]
    pub fn every(self, policy: SnapshotPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The present shape of the state.
    pub const fn schema(&self) -> &StateSchema {
        &self.schema
    }

    /// How far snapshots are apart.
    pub const fn policy(&self) -> SnapshotPolicy {
        self.policy
    }

    /// The state in a snapshot, if it is of today's schema. One that cannot be read in spite of that
    /// is passed over as well: the events say the same.
    pub(crate) fn open(&self, snapshot: &Snapshot) -> Option<S> {
        (snapshot.schema == self.schema).then(|| (self.decode)(&snapshot.state).ok()).flatten()
    }

    /// A snapshot of this state, unless it is too large to ride along.
    pub(crate) fn take(
        &self,
        state: &S,
        recent: RecentCommands,
    ) -> Result<Option<Snapshot>, EncodeError> {
        let state = (self.encode)(state)?;
        let small = state.as_str().len() <= MAX_SNAPSHOT_BYTES;
        Ok(small.then(|| Snapshot { schema: self.schema.clone(), state, recent }))
    }
}
