//! The transfers.

use banking_events::{TransferEvent, TransferMade};
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
    /// The movement.
    pub made: TransferMade,
    /// The transfer that moved the money back.
    pub reversed_by: Option<EntityId>,
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
        let before = row.map(|row| Transfer { made: row.made, reversed_by: row.reversed_by });
        let after = Transfers::evolve(before, &event.event).ok_or_else(not_begun)?;
        let Transfer { made, reversed_by } = after;
        let id = event.stream.id().clone();
        Ok(Some(TransferRow { id, made, reversed_by, recorded_at }))
    }

    fn may_see(caller: &Caller, row: &TransferRow) -> Access {
        let is = |owner: &Option<EntityId>| {
            owner.as_ref().is_some_and(|owner| access::is_owner(caller, owner))
        };
        let is_party = is(&row.made.from_owner) || is(&row.made.to_owner);
        Access::visible_if(access::sees_everything(caller) || is_party)
    }
}
