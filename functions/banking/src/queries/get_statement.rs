//! `GET /accounts/{id}/statements/{month}`

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use async_trait::async_trait;
use banking_events::AccountEvent;
use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use ledgerfold::{
    EntityId, StreamId, Timestamp, Version,
    query::{AuditPosition, Fresh},
    vocabulary::Cursor,
};
use ledgerfold_lambda::http::{
    EventLog, HttpQuery, Limit, ListPosition, Page, PageCursor, Problem, QueryCall, Rows,
    Unversioned,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{
    Entry, account, example_account,
    get_entries::{EntryPage, entries},
    no_such_account,
};
use crate::{
    domain::Accounts,
    read_models::{AccountRow, AccountViews},
};

/// The time after the end of a month at which it counts as closed. A function whose clock is behind may book into the old
/// month until then; the clocks of Lambda differ by far less, and a request ends after at most 15 minutes.
const CLOSED_AFTER: Duration = Duration::from_secs(3_600);

/// The statement of an account for a month, in pages. Its entries are those that were booked in the month. Opening
/// balance and all entries give the closing balance, and the opening balance is the closing balance of the month before.
/// A page with fewer entries than its limit can have a next page.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetStatement {
    /// The account.
    id: EntityId,
    /// The month.
    month: YearMonth,
    /// The most entries of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// A statement. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Statement")]
pub struct StatementAnswer {
    /// The first day of the month.
    from: Date,
    /// The last day of the month.
    to: Date,
    /// The balance at the beginning.
    opening: i64,
    /// The balance at the end, or now if the month is not over.
    closing: i64,
    /// The entries of this page, oldest first.
    entries: Vec<Entry>,
    /// The cursor of the next page, or null.
    next_cursor: Option<String>,
    /// Whether the month is over. The statement never changes then.
    closed: bool,
    /// The hash of the last commit of a closed month, or of the commits before it. It covers all earlier commits of the
    /// account. Null while the month is open.
    hash: Option<String>,
}

/// A month, for example `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct YearMonth(Date);

/// A text that is not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a month, for example 2026-11")]
pub struct InvalidMonth;

impl YearMonth {
    /// The month of this day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    const fn first_day(self) -> Date {
        self.0
    }

    fn last_day(self) -> Date {
        self.0.last_of_month()
    }

    /// The first day of the next month. The calendar ends with the year 9999.
    fn next(self) -> Date {
        self.0.saturating_add(1.month())
    }

    /// Whether a month that the account's newest event does not show as over is over at this time.
    fn is_over(self, now: Timestamp) -> bool {
        let end = DateTime::from(self.next()).to_zoned(TimeZone::UTC).map(|end| end.timestamp());
        let closed = end.and_then(|end| end.checked_add(CLOSED_AFTER));
        closed.is_ok_and(|closed| closed <= now)
    }
}

impl fmt::Display for YearMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m"))
    }
}

impl FromStr for YearMonth {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let is_short = text.len() == "2026-11".len();
        let day = format!("{text}-01").parse().ok().filter(|_| is_short);
        day.map(Self).ok_or(InvalidMonth)
    }
}

impl TryFrom<String> for YearMonth {
    type Error = InvalidMonth;

    fn try_from(text: String) -> Result<Self, InvalidMonth> {
        text.parse()
    }
}

impl From<YearMonth> for String {
    fn from(month: YearMonth) -> Self {
        month.to_string()
    }
}

impl JsonSchema for YearMonth {
    fn schema_name() -> Cow<'static, str> {
        "YearMonth".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^\d{4}-(0[1-9]|1[0-2])$",
            "x-rule": "a month, for example 2026-11",
        })
    }
}

/// The events of a month: the versions after `before` up to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(Version, Version, bool)", into = "(Version, Version, bool)")]
struct Extent {
    before: Version,
    last: Version,
    /// Whether the month was over.
    closed: bool,
}

/// The start of a page: the events of the whole statement, and a position among them. So all pages show one statement,
/// although money moves meanwhile, and no further page searches for the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StatementPosition(Extent, AuditPosition);

impl ListPosition for StatementPosition {}

impl TryFrom<(Version, Version, bool)> for Extent {
    type Error = &'static str;

    fn try_from((before, last, closed): (Version, Version, bool)) -> Result<Self, &'static str> {
        if before <= last {
            Ok(Self { before, last, closed })
        } else {
            Err("it ends before it begins")
        }
    }
}

impl From<Extent> for (Version, Version, bool) {
    fn from(Extent { before, last, closed }: Extent) -> Self {
        (before, last, closed)
    }
}

/// The log of one account.
struct AccountLog<'a> {
    log: &'a EventLog,
    stream: &'a StreamId,
    /// The account with every event.
    current: &'a Fresh<AccountRow>,
}

impl AccountLog<'_> {
    /// The events of a month. The row knows its newest month, so that month costs nothing. Booking dates never go back,
    /// so any other month takes a binary search for each end.
    async fn extent(&self, month: YearMonth, closed: bool) -> Result<Extent, Problem> {
        let Fresh { row, version } = self.current;
        let newest = YearMonth(row.month.first_day);
        let (before, last) = if month > newest {
            (*version, *version)
        } else if month == newest {
            (previous(row.month.first_version), *version)
        } else {
            let last = self.end_before(month.next(), row.month.first_version).await?;
            if month == YearMonth::of(row.opened_on) {
                (Version::NONE, last)
            } else {
                (self.end_before(month.first_day(), last.next()).await?, last)
            }
        };
        Ok(Extent { before, last, closed })
    }

    /// The balances before and after these events.
    async fn balances(&self, Extent { before, last, .. }: Extent) -> Result<[i64; 2], Problem> {
        let closing = self.balance_after(last).await?;
        let opening = if before == last { closing } else { self.balance_after(before).await? };
        Ok([opening, closing])
    }

    /// The version of the last event that was booked before this day. All events from `high` on are later.
    ///
    /// It looks at the event before `high` first: that is the one if the account had no events in between.
    async fn end_before(&self, day: Date, mut high: Version) -> Result<Version, Problem> {
        // Of the events up to `low` all are before the day, and of those from `high` on none.
        let mut low = Version::NONE;
        let mut probe = previous(high);
        while low.next() < high {
            match self.booked_on(probe).await? {
                Some(booked_on) if booked_on < day => low = probe,
                _ => high = probe,
            }
            probe = Version::new(low.get().midpoint(high.get()));
        }
        Ok(low)
    }

    async fn booked_on(&self, version: Version) -> Result<Option<Date>, Problem> {
        let only = version..=version;
        let page = self.log.events::<AccountEvent>(self.stream, only, AuditPosition::START, 1);
        let page = page.await?;
        Ok(page.events.first().map(|event| event.event.booked_on()))
    }

    /// The balance after a version: the balance before the next entry.
    async fn balance_after(&self, version: Version) -> Result<i64, Problem> {
        let Fresh { row, version: current } = self.current;
        if version == Version::NONE {
            return Ok(0);
        }
        // The row knows the balance before its newest month, and that of now.
        let (end, balance) = match version.next() < row.month.first_version {
            true => (previous(row.month.first_version), row.month.opening),
            false if version.next() == row.month.first_version => return Ok(row.month.opening),
            false => (*current, row.account.posted),
        };
        let later = version.next()..=end;
        let mut from = Some(AuditPosition::START).filter(|_| !later.is_empty());
        while let Some(position) = from {
            let page = entries(self.log, self.stream, later.clone(), position, 25).await?;
            if let Some(entry) = page.entries.first() {
                return Ok(entry.balance_after - entry.amount);
            }
            from = page.next;
        }
        Ok(balance)
    }
}

/// The version before this one.
fn previous(version: Version) -> Version {
    Version::new(version.get().saturating_sub(1))
}

#[async_trait]
impl HttpQuery for GetStatement {
    type Decider = Accounts;
    type Models = (Rows<AccountViews>, EventLog);
    type Answer = Unversioned<StatementAnswer>;

    const PATH: &'static str = "/accounts/{id}/statements/{month}";

    fn example() -> Self {
        let month = YearMonth(Date::constant(2026, 11, 1));
        Self { id: example_account(), month, limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        (accounts, log): &(Rows<AccountViews>, EventLog),
        call: QueryCall<'_>,
    ) -> Result<Unversioned<StatementAnswer>, Problem> {
        let stream = account(call, self.id);
        let current = accounts.current(&stream, call).await?.ok_or_else(no_such_account)?;
        let month = self.month;
        let newest = YearMonth(current.row.month.first_day);
        let today = YearMonth::of(call.now().to_zoned(TimeZone::UTC).date());
        if month < YearMonth::of(current.row.opened_on) || month > newest.max(today) {
            return Err(Problem::not_found("The account has no statement for this month."));
        }
        let list = format!("statement {month} of {stream}");
        let page = Page::<StatementPosition>::of(&list, self.limit, self.cursor.as_ref())?;
        let account = AccountLog { log, stream: &stream, current: &current };
        let StatementPosition(extent, from) = match page.from {
            Some(place) => place,
            None => {
                let closed = month < newest || month.is_over(call.now());
                let extent = account.extent(month, closed).await?;
                StatementPosition(extent, AuditPosition::START)
            }
        };
        let Extent { before, last, closed } = extent;
        let [opening, closing] = account.balances(extent).await?;
        let page = entries(log, &stream, before.next()..=last, from, page.limit).await?;
        let EntryPage { entries, next } = page;
        let hash = if closed { log.commit_hash(&stream, last).await? } else { None };
        let next = next.map(|position| StatementPosition(extent, position));
        Ok(Unversioned(StatementAnswer {
            from: month.first_day(),
            to: month.last_day(),
            opening,
            closing,
            entries,
            next_cursor: next.map(|next| Cursor(next).to_text(&list)),
            closed,
            hash: hash.map(|hash| hash.to_string()),
        }))
    }
}
