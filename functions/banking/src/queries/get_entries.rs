//! `GET /accounts/{id}/entries`

use std::ops::RangeInclusive;

use async_trait::async_trait;
use banking_events::{AccountEvent, LegAccount};
use jiff::civil::Date;
use ledgerfold::{
    EntityId, Recorded, StreamId, Timestamp, Version, query::AuditPosition, vocabulary::Cursor,
};
use ledgerfold_lambda::http::{
    AtVersion, EventLog, HttpQuery, Limit, List, Page, PageCursor, Problem, QueryCall, Rows,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{account, example_account, no_such_account};
use crate::{domain::Accounts, read_models::AccountViews};

/// The version of the first event of a stream.
pub(super) const FIRST: Version = Version::new(1);

/// How many pages of the log a page of entries may read, because other events stand between entries. A page may
/// therefore have fewer entries than its limit, and still a next page.
const LOG_PAGES: usize = 10;

/// The entries of an account, oldest first. A page with fewer entries than its limit can have a next page.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetEntries {
    /// The account.
    id: EntityId,
    /// The most entries of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// An entry of an account. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The transfer.
    pub transaction: EntityId,
    /// The amount, below zero for a debit.
    pub amount: i64,
    /// The balance after it.
    pub balance_after: i64,
    /// The account of the other leg. An account of the bank begins with `settlement#`.
    pub counterparty: LegAccount,
    /// The purpose.
    pub reference: String,
    /// The booking date. It is final once the day is over.
    pub booked_on: Date,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The version of the account with this entry.
    #[schemars(with = "u64", range(min = 1))]
    pub version: Version,
}

impl Entry {
    /// The entry, if the event is one.
    pub(super) fn of(recorded: Recorded<AccountEvent>) -> Option<Self> {
        let Recorded { event, recorded_at, version, .. } = recorded;
        match event {
            AccountEvent::Credited(leg) => Some(Self {
                transaction: leg.transaction,
                amount: leg.amount,
                balance_after: leg.balance_after,
                counterparty: leg.counterparty,
                reference: leg.reference,
                booked_on: leg.booked_on,
                recorded_at,
                version,
            }),
            AccountEvent::Debited(leg) => Some(Self {
                transaction: leg.transaction,
                amount: -leg.amount,
                balance_after: leg.balance_after,
                counterparty: leg.counterparty,
                reference: leg.reference,
                booked_on: leg.booked_on,
                recorded_at,
                version,
            }),
            _ => None,
        }
    }
}

/// A page of entries, with the position of the next one.
pub(super) struct EntryPage {
    pub(super) entries: Vec<Entry>,
    pub(super) next: Option<AuditPosition>,
}

/// The entries of an account with these versions, from a position on.
pub(super) async fn entries(
    log: &EventLog,
    stream: &StreamId,
    versions: RangeInclusive<Version>,
    from: AuditPosition,
    limit: usize,
) -> Result<EntryPage, Problem> {
    let mut entries = Vec::new();
    let mut next = Some(from);
    for _ in 0..LOG_PAGES {
        let Some(from) = next.filter(|_| entries.len() < limit) else { break };
        let missing = limit - entries.len();
        let page = log.events::<AccountEvent>(stream, versions.clone(), from, missing).await?;
        entries.extend(page.events.into_iter().filter_map(Entry::of));
        next = page.next;
    }
    Ok(EntryPage { entries, next })
}

#[async_trait]
impl HttpQuery for GetEntries {
    type Decider = Accounts;
    // The row knows who may see the account, and how long its stream is.
    type Models = (Rows<AccountViews>, EventLog);
    type Answer = AtVersion<List<Entry>>;

    const PATH: &'static str = "/accounts/{id}/entries";

    fn example() -> Self {
        Self { id: example_account(), limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        (accounts, log): &(Rows<AccountViews>, EventLog),
        call: QueryCall<'_>,
    ) -> Result<AtVersion<List<Entry>>, Problem> {
        let stream = account(call, self.id);
        let found = accounts.current(&stream, call).await?.ok_or_else(no_such_account)?;
        let list = format!("entries of {stream}");
        let Page { limit, from } =
            Page::<AuditPosition>::of(&list, self.limit, self.cursor.as_ref())?;
        let from = from.unwrap_or(AuditPosition::START);
        let page = entries(log, &stream, FIRST..=found.version, from, limit).await?;
        let next_cursor = page.next.map(|position| Cursor(position).to_text(&list));
        let body = List { items: page.entries, next_cursor };
        Ok(AtVersion { version: found.version, body })
    }
}
