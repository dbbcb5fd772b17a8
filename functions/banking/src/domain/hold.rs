//! A reservation of money, from its beginning to its end.

use banking_events::{HoldCaptured, HoldEvent, HoldPlaced};
use ledgerfold::{Category, Decider, DecisionContext, EntityId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BankingRejection, NoCommand};

/// The domain of holds. Only joint commands change them.
///
/// It has no snapshots. After one, a load would not find the command that placed the hold, which is recognised for ever.
#[derive(Clone, Copy, Debug)]
pub struct Holds;

/// The state that decisions depend on. `None` means that there is no such hold.
pub type HoldState = Option<Hold>;

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The reservation as it was placed.
    pub placed: HoldPlaced,
    /// The sum of its captures, in minor units.
    pub captured: i64,
    /// Whether somebody released the rest.
    pub released: bool,
}

/// The state of a hold at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldStatus {
    /// It can be captured and released.
    Open,
    /// It was captured in full.
    Captured,
    /// The rest was released.
    Released,
    /// The rest expired.
    Expired,
}

impl Hold {
    /// The amount that is left, in minor units.
    pub const fn left(&self) -> i64 {
        self.placed.amount.amount - self.captured
    }

    /// The status at this time. A hold expires exactly at its time, whether or not a deadline has noticed.
    pub fn status(&self, at: Timestamp) -> HoldStatus {
        if self.left() == 0 {
            HoldStatus::Captured
        } else if self.released {
            HoldStatus::Released
        } else if self.placed.expires_at <= at {
            HoldStatus::Expired
        } else {
            HoldStatus::Open
        }
    }
}

/// The open hold of this account.
///
/// # Errors
/// [`BankingRejection::NoHold`] if the account has no such hold; [`BankingRejection::HoldExpired`] or
/// [`BankingRejection::HoldNotOpen`] if it has ended.
pub fn open<'a>(
    state: &'a HoldState,
    account: &EntityId,
    at: Timestamp,
) -> Result<&'a Hold, BankingRejection> {
    let hold = state.as_ref().filter(|hold| hold.placed.account == *account);
    let hold = hold.ok_or(BankingRejection::NoHold)?;
    match hold.status(at) {
        HoldStatus::Open => Ok(hold),
        HoldStatus::Expired => Err(BankingRejection::HoldExpired),
        HoldStatus::Captured | HoldStatus::Released => Err(BankingRejection::HoldNotOpen),
    }
}

impl Decider for Holds {
    type Command = NoCommand;
    type Event = HoldEvent;
    type State = HoldState;
    type Rejection = BankingRejection;

    const CATEGORY: Category = Category::from_static("hold");

    fn initial() -> HoldState {
        None
    }

    fn evolve(state: HoldState, event: &HoldEvent) -> HoldState {
        match event {
            HoldEvent::HoldPlaced(placed) => {
                Some(Hold { placed: placed.clone(), captured: 0, released: false })
            }
            HoldEvent::HoldCaptured(HoldCaptured { amount, .. }) => {
                state.map(|hold| Hold { captured: hold.captured + amount, ..hold })
            }
            HoldEvent::HoldReleased(_) => state.map(|hold| Hold { released: true, ..hold }),
        }
    }

    fn decide(
        _: &HoldState,
        command: &NoCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<HoldEvent>, BankingRejection> {
        match *command {}
    }
}
