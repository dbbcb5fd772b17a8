use std::{
    any::TypeId,
    collections::HashMap,
    fmt,
    sync::{LazyLock, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Decider, DecodeError, EncodeError, Payload,
    schema::{Contract, Standing},
    vocabulary::{RecentCommands, digest::digest},
};

/// The largest state in a snapshot, in bytes. With this limit the largest commit and its snapshot together stay below
/// DynamoDB's 400 KB.
pub const MAX_SNAPSHOT_BYTES: usize = 80 * 1024;

/// The state of a stream after a commit, stored with that commit. It only makes loading faster: it is never published,
/// and a stream has the same state without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The shape of the state and the meaning of its fields.
    pub schema: StateSchema,
    /// The state.
    pub state: Payload,
    /// The commands of the newest commits, including this one.
    pub recent: RecentCommands,
}

/// The shape of a state in a snapshot: a digest of its JSON Schema and its revision. A loader ignores snapshots of
/// another schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StateSchema(String);

impl StateSchema {
    /// Takes a schema's name from a store.
    pub fn restore(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The stored name of 22 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StateSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules for snapshots of a domain's state: its schema, its encoding and how often one is taken.
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

/// The distance between snapshots. A commit includes a snapshot as soon as either limit is reached since the last one.
/// The events since then must also be as large as that snapshot, so snapshots at most double the size of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Events since the last snapshot.
    pub events: usize,
    /// Bytes of these events' content.
    pub bytes: usize,
}

impl Default for SnapshotPolicy {
    /// 20 events or 8 KB. A write unit costs five times as much as a read unit, and a read unit covers 4 KB. For a
    /// small state and commits of 400 bytes, ten to thirty events give the lowest total cost.
    fn default() -> Self {
        Self { events: 20, bytes: 8 * 1024 }
    }
}

impl<S: Serialize + DeserializeOwned + PartialEq + JsonSchema> Snapshots<S> {
    /// Snapshots of a domain's state. The library notices when the state's fields change, or when a version becomes
    /// upcast or retired. It does not notice a change of `evolve` or of an upcaster's code: raise the revision then. Equal
    /// states must have equal JSON, apart from the order of an object's members, so that an audit can compare them.
    pub fn of<D>(revision: u32) -> Self
    where
        D: Decider<State = S>,
        D::Event: Contract,
    {
        let mut known = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (TypeId::of::<D>(), revision);
        let schema = known.entry(key).or_insert_with(|| schema_of::<S, D::Event>(revision));
        Self {
            schema: schema.clone(),
            policy: SnapshotPolicy::default(),
            encode: Payload::encode,
            decode: Payload::decode,
        }
    }
}

/// The schemas of domains that were computed before, by domain and revision. Computing one takes long, and a program makes
/// many loaders for one domain.
static SCHEMAS: LazyLock<Mutex<HashMap<(TypeId, u32), StateSchema>>> =
    LazyLock::new(Mutex::default);

fn schema_of<S: JsonSchema, E: Contract>(revision: u32) -> StateSchema {
    // A schema consists of texts and numbers, so JSON can represent it.
    let schema = serde_json::to_vec(&schema_for!(S)).unwrap_or_default();
    let digest = digest(&[&schema, older_versions::<E>().as_bytes(), &revision.to_be_bytes()]);
    StateSchema(URL_SAFE_NO_PAD.encode(digest))
}

/// The versions that are upcast or retired. When this list changes, the same events may fold to another state than
/// before.
fn older_versions<E: Contract>() -> String {
    let catalog = E::catalog();
    let entries = catalog.entries().iter();
    let old = entries.filter(|entry| !matches!(entry.standing, Standing::Written(_)));
    old.map(|entry| format!("{} {}\n", entry.event_type, entry.version)).collect()
}

impl<S> Snapshots<S> {
    /// The same with another policy.
    #[must_use]
    pub fn every(self, policy: SnapshotPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The current schema of the state.
    pub const fn schema(&self) -> &StateSchema {
        &self.schema
    }

    /// The distance between snapshots.
    pub const fn policy(&self) -> SnapshotPolicy {
        self.policy
    }

    /// The state in a snapshot, if it has the current schema. A snapshot that cannot be read is ignored as well,
    /// because the events give the same state.
    pub(crate) fn open(&self, snapshot: &Snapshot) -> Option<S> {
        (snapshot.schema == self.schema).then(|| (self.decode)(&snapshot.state).ok()).flatten()
    }

    /// A snapshot of this state; `None` if it exceeds [`MAX_SNAPSHOT_BYTES`].
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
