//! Faults of the reservations, as the command line reports them.

use ledgerfold::{StreamId, claims::Finding};
use serde::Serialize;

use crate::output::table;

/// One fault of the reservations.
#[derive(Debug, Serialize)]
pub(in crate::admin) struct ReservationFault {
    pub(super) fault: &'static str,
    pub(super) key: Option<String>,
    /// The stream that owns the key by its events, or that cannot be read.
    pub(super) owner: Option<StreamId>,
    /// The stream that the key is reserved for.
    pub(super) holder: Option<StreamId>,
    pub(super) reason: Option<String>,
}

impl From<&Finding> for ReservationFault {
    fn from(finding: &Finding) -> Self {
        Self {
            fault: finding.name(),
            key: finding.key().map(ToString::to_string),
            owner: finding.owner().cloned(),
            holder: finding.holder().cloned(),
            reason: match finding {
                Finding::Unreadable { reason, .. } => Some(reason.clone()),
                _ => None,
            },
        }
    }
}

impl ReservationFault {
    /// A table of these faults, or nothing if there are none.
    pub(in crate::admin) fn table<'a>(found: impl IntoIterator<Item = &'a Self>) -> String {
        let text = |stream: &Option<StreamId>| {
            stream.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        let rows: Vec<_> = found
            .into_iter()
            .map(|found| {
                [
                    found.fault.to_owned(),
                    found.key.clone().unwrap_or_default(),
                    text(&found.owner),
                    text(&found.holder),
                    found.reason.clone().unwrap_or_default(),
                ]
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        table(["fault", "key", "owned by", "reserved for", "reason"], rows)
    }
}
