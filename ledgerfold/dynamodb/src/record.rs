//! Items of commands that are recognised for ever.

use aws_sdk_dynamodb::types::AttributeValue;
use ledgerfold::{
    CommandId, InvalidId, Version,
    ports::{CommandRecord, Unchanged},
    vocabulary::{CommitRef, Fingerprint},
};
use serde::{Deserialize, Serialize};

/// The result of a command that is recognised for ever, as an item of the reservation table.
#[derive(Debug, Serialize, Deserialize)]
pub struct CommandItem {
    pk: String,
    #[serde(rename = "f")]
    fingerprint: String,
    /// The places of its commits.
    #[serde(rename = "at", default, skip_serializing_if = "Vec::is_empty")]
    commits: Vec<PlaceItem>,
    /// The streams that it left unchanged.
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    unchanged: Vec<PlaceItem>,
}

/// A stream and one of its versions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlaceItem {
    #[serde(rename = "s")]
    stream: String,
    #[serde(rename = "v")]
    version: u64,
}

impl CommandItem {
    /// The item of a command's record.
    pub fn new(command: &CommandId, record: &CommandRecord) -> Self {
        let unchanged = record
            .unchanged
            .iter()
            .map(|it| PlaceItem { stream: it.stream.to_string(), version: it.version.get() });
        Self {
            pk: pk(command),
            fingerprint: record.fingerprint.to_string(),
            commits: record.commits.iter().map(PlaceItem::from).collect(),
            unchanged: unchanged.collect(),
        }
    }

    /// The key of a command's item.
    pub(crate) fn key(command: &CommandId) -> AttributeValue {
        AttributeValue::S(pk(command))
    }

    /// The record.
    ///
    /// # Errors
    /// [`InvalidId`] if the name of a stream is invalid.
    pub fn read(self) -> Result<CommandRecord, InvalidId> {
        let unchanged = self.unchanged.into_iter().map(|it| {
            let CommitRef { stream, from: version } = it.try_into()?;
            Ok(Unchanged { stream, version })
        });
        Ok(CommandRecord {
            fingerprint: Fingerprint::restore(self.fingerprint),
            commits: self.commits.into_iter().map(CommitRef::try_from).collect::<Result<_, _>>()?,
            unchanged: unchanged.collect::<Result<_, InvalidId>>()?,
        })
    }
}

fn pk(command: &CommandId) -> String {
    format!("command#{command}")
}

impl From<&CommitRef> for PlaceItem {
    fn from(place: &CommitRef) -> Self {
        Self { stream: place.stream.to_string(), version: place.from.get() }
    }
}

impl TryFrom<PlaceItem> for CommitRef {
    type Error = InvalidId;

    fn try_from(item: PlaceItem) -> Result<Self, InvalidId> {
        Ok(Self { stream: item.stream.parse()?, from: Version::new(item.version) })
    }
}
