//! The holds of an account.

use banking_events::HoldEvent;
use ledgerfold::{
    Access, Caller, Decider, EntityId, InvalidId, Recorded, Timestamp, ports::IndexKey,
    project::Projection,
};
use serde::{Deserialize, Serialize};

use super::not_begun;
use crate::domain::{Hold, Holds, access};

/// The holds, listed by account, newest first.
#[derive(Clone, Copy, Debug)]
pub struct HoldViews;

/// A hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldRow {
    /// Its id.
    pub id: EntityId,
    /// Its state.
    pub hold: Hold,
    /// When it was placed.
    pub placed_at: Timestamp,
}

impl Projection for HoldViews {
    type Event = HoldEvent;
    type Row = HoldRow;

    fn evolve(
        row: Option<HoldRow>,
        event: &Recorded<HoldEvent>,
    ) -> Result<Option<HoldRow>, String> {
        let placed_at = row.as_ref().map_or(event.recorded_at, |row| row.placed_at);
        let hold = Holds::evolve(row.map(|row| row.hold), &event.event);
        let id = event.stream.id().clone();
        Ok(Some(HoldRow { id, hold: hold.ok_or_else(not_begun)?, placed_at }))
    }

    fn may_see(caller: &Caller, row: &HoldRow) -> Access {
        access::of_owner(caller, &row.hold.placed.owner_id)
    }

    fn index(row: &HoldRow) -> Result<Option<IndexKey>, InvalidId> {
        let account = row.hold.placed.account.as_str();
        IndexKey::by_time(account, row.placed_at, row.id.as_str()).map(Some)
    }
}
