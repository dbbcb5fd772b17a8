//! The accounts of an owner.

use banking_events::AccountEvent;
use jiff::civil::Date;
use ledgerfold::{
    Access, Caller, Decider, EntityId, InvalidId, Recorded, Timestamp, Version, ports::IndexKey,
    project::Projection,
};
use serde::{Deserialize, Serialize};

use super::not_begun;
use crate::domain::{Account, Accounts, access};

/// The accounts, listed by owner, newest first.
#[derive(Clone, Copy, Debug)]
pub struct AccountViews;

/// An account with the beginning of its newest month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    /// Its id.
    pub id: EntityId,
    /// Its state.
    pub account: Account,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The day on which it was opened.
    pub opened_on: Date,
    /// When its newest event was recorded.
    pub recorded_at: Timestamp,
    /// The newest month with an event.
    pub month: Month,
}

/// The beginning of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Month {
    /// Its first day.
    pub first_day: Date,
    /// The version of its first event.
    pub first_version: Version,
    /// The balance before its first event.
    pub opening: i64,
}

impl AccountRow {
    /// The month with this event, if it is not the month of the events before.
    fn month_of(before: Option<&Self>, event: &Recorded<AccountEvent>) -> Month {
        let first_day = event.event.booked_on().first_of_month();
        match before {
            Some(row) if row.month.first_day == first_day => row.month,
            _ => Month {
                first_day,
                first_version: event.version,
                opening: before.map_or(0, |row| row.account.posted),
            },
        }
    }
}

impl Projection for AccountViews {
    type Event = AccountEvent;
    type Row = AccountRow;

    fn evolve(
        row: Option<AccountRow>,
        event: &Recorded<AccountEvent>,
    ) -> Result<Option<AccountRow>, String> {
        let month = AccountRow::month_of(row.as_ref(), event);
        let opened_at = row.as_ref().map_or(event.recorded_at, |row| row.opened_at);
        let opened_on = row.as_ref().map_or(event.event.booked_on(), |row| row.opened_on);
        let account = Accounts::evolve(row.map(|row| row.account), &event.event);
        Ok(Some(AccountRow {
            id: event.stream.id().clone(),
            account: account.ok_or_else(not_begun)?,
            opened_at,
            opened_on,
            recorded_at: event.recorded_at,
            month,
        }))
    }

    fn may_see(caller: &Caller, row: &AccountRow) -> Access {
        access::of_owner(caller, &row.account.owner_id)
    }

    fn index(row: &AccountRow) -> Result<Option<IndexKey>, InvalidId> {
        IndexKey::by_time(row.account.owner_id.as_str(), row.opened_at, row.id.as_str()).map(Some)
    }
}
