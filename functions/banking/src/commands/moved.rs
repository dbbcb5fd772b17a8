//! The answer to a command that moves money.

use banking_events::LegAccount;
use ledgerfold::{Decider, EntityId, Version, command::Answer};
use ledgerfold_lambda::http::JointEffect;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{Accounts, Settlements};

/// A transfer that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// The transfer.
    id: EntityId,
    /// Its legs: the account that was debited, and the one that was credited.
    legs: Vec<MovedLeg>,
}

/// A leg of a transfer that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MovedLeg {
    /// The account. An account of the bank begins with `settlement#`.
    account: LegAccount,
    /// The version of the account after the leg.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

impl Moved {
    pub(super) fn of(effect: &JointEffect<'_>) -> Self {
        let legs = effect.answers().iter().filter_map(MovedLeg::of);
        Self { id: effect.chosen_id().clone(), legs: legs.collect() }
    }
}

impl MovedLeg {
    fn of(answer: &Answer) -> Option<Self> {
        let id = answer.stream.id().clone();
        let category = answer.stream.category();
        let account = if *category == Accounts::CATEGORY {
            LegAccount::Customer(id)
        } else if *category == Settlements::CATEGORY {
            LegAccount::Settlement(id)
        } else {
            return None;
        };
        Some(Self { account, version: answer.version })
    }
}
