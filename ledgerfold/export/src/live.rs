//! The export as all its manifests together describe it.

use std::collections::BTreeMap;

use ledgerfold::{
    Timestamp,
    ports::{ExportError, ExportFiles},
};
use serde::{Deserialize, Serialize};

use crate::manifest::{Manifest, Unit, UnitId};

/// After how many manifests there is a checkpoint. It bounds the work of a reader.
const CHECKPOINT_EVERY: u64 = 64;

/// The state of an export: the files that belong to it, and the last closed window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The number of the last manifest; 0 if there is none.
    pub number: u64,
    /// The end of the last closed window.
    pub closed: Option<Timestamp>,
    /// The number of events that were added after it was closed.
    pub since: u64,
    #[serde(with = "pairs")]
    units: BTreeMap<UnitId, Unit>,
}

impl Live {
    /// Reads the state. A new export is empty.
    ///
    /// # Errors
    /// [`ExportError`].
    pub async fn load(files: &dyn ExportFiles) -> Result<Self, ExportError> {
        let mut live = Self::checkpoint(files).await?;
        while let Some(manifest) = read(files, live.number + 1).await? {
            live.apply(&manifest);
        }
        Ok(live)
    }

    /// The newest checkpoint.
    async fn checkpoint(files: &dyn ExportFiles) -> Result<Self, ExportError> {
        // Keys count down, so that the newest one comes first.
        let Some(key) = files.list(CHECKPOINTS, "").await?.into_iter().next() else {
            return Ok(Self::default());
        };
        let json = files.get(&key).await?.unwrap_or_default();
        serde_json::from_slice(&json).map_err(|error| corrupt(&key, error.to_string()))
    }

    /// Stores a checkpoint, if one is due.
    pub(crate) async fn keep(&self, files: &dyn ExportFiles) -> Result<(), ExportError> {
        if self.number == 0 || !self.number.is_multiple_of(CHECKPOINT_EVERY) {
            return Ok(());
        }
        let key = format!("{CHECKPOINTS}{:020}.json", u64::MAX - self.number);
        files.put_new(&key, json(self)).await.map(drop)
    }

    pub(crate) fn apply(&mut self, manifest: &Manifest) {
        let Manifest { number, streams, units, replaces, closes, .. } = manifest;
        self.number = *number;
        for unit in replaces {
            self.units.remove(unit);
        }
        for unit in units {
            self.units.insert(UnitId { number: *number, day: unit.day }, unit.clone());
        }
        self.since += streams.iter().map(|range| range.to + 1 - range.from).sum::<u64>();
        if let Some(closed) = closes {
            self.closed = Some(closed.until);
            self.since = 0;
        }
    }

    /// All units by id.
    pub const fn units(&self) -> &BTreeMap<UnitId, Unit> {
        &self.units
    }
}

const CHECKPOINTS: &str = "checkpoints/";

/// The manifest with this number, if it is stored.
pub(crate) async fn read(
    files: &dyn ExportFiles,
    number: u64,
) -> Result<Option<Manifest>, ExportError> {
    let key = Manifest::key(number);
    let json = files.get(&key).await?;
    let manifest = json.map(|json| Manifest::read(number, &json)).transpose();
    manifest.map_err(|reason| corrupt(&key, reason))
}

pub(crate) fn corrupt(name: &str, reason: impl Into<String>) -> ExportError {
    ExportError::Corrupt { name: name.to_owned(), reason: reason.into() }
}

/// The JSON of a value whose keys are all text.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("all keys are text")
}

/// A map with keys that are not text, as a list.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}
