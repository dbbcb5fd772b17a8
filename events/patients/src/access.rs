//! The events of the access log of a patient. The id of its stream is that of the patient.

use ledgerfold::{Subject, events};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Purpose, RecordKind};

events! {
    /// The events of the access log of a patient.
    pub enum AccessEvent { DataRead: 1 }
}

/// Somebody read data of the patient, or was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataRead {
    /// The caller.
    #[schemars(with = "String", length(min = 1, max = 255))]
    pub subject: Subject,
    /// The role in which the caller read.
    pub role: String,
    /// The purpose that the caller stated.
    pub purpose: Purpose,
    /// The kinds of records that the answer contained. Empty if it contained none, and for a refusal.
    pub kinds: Vec<RecordKind>,
    /// Whether the caller got an answer.
    pub allowed: bool,
    /// Whether only an emergency access allowed it.
    pub emergency: bool,
}
