//! The transfers.

use banking_events::TransferEvent;
use ledgerfold::{Access, Caller, Decider, EntityId, Recorded, Timestamp, project::Projection};
use serde::{Deserialize, Serialize};

use super::not_begun;
use crate::domain::{Transfer, Transfers, access};

/// The transfers.
#[derive(Clone, Copy, Debug)]
pub struct TransferViews;

/// A transfer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRow {
    /// Its id.
    pub id: EntityId,
    /// Its state.
    pub transfer: Transfer,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

impl Projection for TransferViews {
    type Event = TransferEvent;
    type Row = TransferRow;

    fn evolve(
        row: Option<TransferRow>,
        event: &Recorded<TransferEvent>,
    ) -> Result<Option<TransferRow>, String> {
        let recorded_at = row.as_ref().map_or(event.recorded_at, |row| row.recorded_at);
        let before = row.map(|row| row.transfer);
        let transfer = Transfers::evolve(before, &event.event).ok_or_else(not_begun)?;
        // A transfer that this bank declined is none of its own.
        let is_ours = transfer.sent.is_some() || transfer.made.is_some();
        let id = event.stream.id().clone();
        Ok(is_ours.then_some(TransferRow { id, transfer, recorded_at }))
    }

    fn may_see(caller: &Caller, row: &TransferRow) -> Access {
        let is = |owner: Option<&EntityId>| owner.is_some_and(|it| access::is_owner(caller, it));
        let is_party = is(row.transfer.from_owner()) || is(row.transfer.to_owner());
        Access::visible_if(access::sees_everything(caller) || is_party)
    }
}
