//! The process that records the expiry of holds.

use banking_events::{AccountEvent, FundsReserved};
use ledgerfold::{
    DeadlineName, ProcessName, Recorded,
    ports::DeadlineKey,
    process::{OnRefusal, ProcessManager, Reaction},
};

use crate::{
    commands::{AccountCommand, ReleaseExpiredHolds},
    domain::Accounts,
};

/// Releases the rest of a hold after its time, so that other systems learn of it and the version of the account changes.
///
/// Nothing depends on it: a decision and a query compare the time of the hold with the clock. We never cancel a deadline.
/// When it is due, the domain ignores it if the hold has ended.
#[derive(Clone, Copy, Debug)]
pub struct HoldExpiry;

impl ProcessManager for HoldExpiry {
    type Event = AccountEvent;
    type Target = Accounts;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("hold-expiry");
    const ON_REFUSAL: OnRefusal = OnRefusal::Ignore;
    const REACTS_TO: &'static [&'static str] = &["FundsReserved"];
    const ONLY_SCHEDULES: bool = true;

    fn react(event: &Recorded<AccountEvent>, (): &()) -> Vec<Reaction<AccountCommand>> {
        let AccountEvent::FundsReserved(FundsReserved { hold, expires_at, .. }) = &event.event
        else {
            return Vec::new();
        };
        // The service chooses the ids of holds, and each of them is the name of a deadline.
        let deadline = DeadlineName::new(hold.as_str()).ok().zip(*expires_at);
        let stream = || event.stream.clone();
        let reaction =
            deadline.map(|(name, due)| Reaction::Schedule { stream: stream(), name, due });
        reaction.into_iter().collect()
    }

    fn expire(_: &DeadlineKey) -> Option<AccountCommand> {
        Some(ReleaseExpiredHolds {}.into())
    }
}
