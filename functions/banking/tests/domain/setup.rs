//! Values that many tests need.

use banking::commands::Amount;
use banking_events::{AccountEvent, AccountOpened, Credited, Currency, LegAccount};
use jiff::civil::Date;
use ledgerfold::{Caller, EntityId, Granted, Role, Subject, TenantId, Timestamp, Via};
use money::CurrentCurrency;
use serde_json::json;

/// The morning on which most tests begin.
pub(crate) const MORNING: &str = "2026-11-28T09:00:00Z";

/// The day of [`MORNING`].
pub(crate) const DAY: Date = Date::constant(2026, 11, 28);

pub(crate) fn id(text: &str) -> EntityId {
    EntityId::new(text).expect("an id")
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().expect("a time in RFC 3339")
}

pub(crate) fn currency(code: &str) -> CurrentCurrency {
    serde_json::from_value(json!(code)).expect("a current currency")
}

pub(crate) fn euro() -> Currency {
    Currency::from_code("EUR").expect("three capital letters")
}

pub(crate) fn amount(amount: i64, code: &str) -> Amount {
    Amount { amount, currency: currency(code) }
}

/// A caller with these roles.
pub(crate) fn caller(subject: &str, roles: &[&'static str]) -> Caller {
    Caller {
        tenant: TenantId::default_tenant(),
        subject: Subject::new(subject).expect("a subject"),
        roles: Granted::only(roles.iter().copied().map(Role::from_static)),
        scopes: Granted::none(),
        via: Via::Token,
    }
}

/// An account of `o-1` in euro, without an overdraft.
pub(crate) fn opened() -> AccountEvent {
    opened_by("o-1", 0)
}

pub(crate) fn opened_by(owner: &str, overdraft_limit: i64) -> AccountEvent {
    AccountOpened { owner_id: id(owner), currency: euro(), overdraft_limit, booked_on: DAY }.into()
}

/// The first entry of an account.
pub(crate) fn paid_in(amount: i64) -> AccountEvent {
    Credited {
        transaction: id("t-0"),
        amount,
        balance_after: amount,
        counterparty: LegAccount::Settlement(id("cash.EUR.0")),
        reference: "Salary".to_owned(),
        booked_on: DAY,
    }
    .into()
}
