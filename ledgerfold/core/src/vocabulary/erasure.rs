//! An erasure as the key table keeps it, in the item of the person's key.

use serde::{Deserialize, Serialize};

use crate::{Actor, CommandId, Timestamp, sealed::KeyVersion};

/// A request to erase a person, which the mark keeps for ever. It contains no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErasureRequest {
    /// When it was decided.
    pub at: Timestamp,
    /// Who sent it.
    pub by: Actor,
    /// The command, so that its repetition is recognised.
    pub command: CommandId,
    /// The legal basis.
    pub basis: String,
    /// Who asked for it, for example `data subject`, or the number of a letter.
    pub requested_by: String,
}

impl ErasureRequest {
    /// A request for examples and tests.
    pub fn example() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            at: Timestamp::UNIX_EPOCH,
            by: Actor::new("privacy-officer").expect("visible ASCII"),
            command: CommandId::new("command-1").expect("visible ASCII"),
            basis: text("withdrawn consent"),
            requested_by: text("data subject"),
        }
    }
}

/// A duty to keep the data of a person. While it lasts, no erasure is possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LegalHold {
    /// When it was placed.
    pub at: Timestamp,
    /// Who placed it.
    pub by: Actor,
    /// The reason, without personal data.
    pub reason: String,
}

impl LegalHold {
    /// A hold for examples and tests.
    pub fn example() -> Self {
        let by = Actor::new("privacy-officer").expect("visible ASCII");
        Self { at: Timestamp::UNIX_EPOCH, by, reason: "lawsuit 7".to_owned() }
    }
}

/// The mark of an erased person. It stays for ever, so that no command makes another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasureMark {
    /// The newest version of the key that is destroyed.
    pub through: KeyVersion,
    /// The request.
    pub request: ErasureRequest,
}

/// Whether a person can be erased, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErasureState {
    /// There is neither a key nor a mark: nothing was ever sealed for the person.
    NoKey,
    /// There is a key.
    Active,
    /// There is a key, and a legal hold.
    Held(LegalHold),
    /// The key is destroyed.
    Erased(ErasureMark),
}
