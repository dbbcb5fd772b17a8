//! `POST /accounts/{id}/holds`

use std::time::Duration;

use async_trait::async_trait;
use banking_events::{AccountEvent, HoldEvent, HoldPlaced};
use ledgerfold::{
    Access, Caller, Decider, DecisionContext, Timestamp,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    Accepted, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Amount, MakesSomething, Making};
use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, HoldState, Holds, access,
};

/// The longest hold, in seconds: 31 days.
const LONGEST: u64 = 31 * 24 * 60 * 60;

/// Reserve money of an account. Its Idempotency-Key is recognised for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceHold {
    /// The amount.
    pub amount: Amount,
    /// The purpose.
    #[schemars(length(min = 1, max = 200))]
    pub reference: String,
    /// The seconds until the hold expires.
    #[schemars(range(min = 1, max = LONGEST))]
    pub expires_in: u64,
}

impl MakesSomething for PlaceHold {
    const NAME: &'static str = "PlaceHold";
}

impl JointDecider for PlaceHold {
    type Command = Making<Self>;
    type Parts = (Accounts, Holds);
    type Rejection = BankingRejection;

    fn may(
        caller: &Caller,
        _: &Making<Self>,
        (account, _): &(&AccountState, &HoldState),
    ) -> Access {
        access::by_owner(caller, account)
    }

    fn decide(
        (account, hold): <Self::Parts as Parts>::States<'_>,
        Making { account: account_id, id, command }: &Making<Self>,
        context: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<HoldEvent>), BankingRejection> {
        let mut account = AccountAt::new(account, context.at)?;
        if hold.is_some() {
            return Err(BankingRejection::HoldExists);
        }
        let lasting = Duration::from_secs(command.expires_in);
        let expires_at = context.at.checked_add(lasting).unwrap_or(Timestamp::MAX);
        account.reserve(id.clone(), command.amount.into(), Some(expires_at))?;
        let placed = HoldPlaced {
            account: account_id.clone(),
            owner_id: account.account().owner_id.clone(),
            amount: command.amount.into(),
            reference: command.reference.clone(),
            expires_at,
        };
        Ok((account.into_events(), vec![placed.into()]))
    }
}

impl HttpCommand for PlaceHold {
    const PATH: &'static str = "/accounts/{id}/holds";
    const REFUSALS: &'static [&'static str] = &[
        "insufficient-funds",
        "daily-limit-exceeded",
        "account-frozen",
        "account-closed",
        "currency-mismatch",
        "too-many-holds",
        "hold-exists",
    ];

    fn example() -> Self {
        let reference = "Hotel".to_owned();
        Self { amount: Amount::euro(900), reference, expires_in: 3_600 }
    }
}

#[async_trait]
impl HttpJointCommand for PlaceHold {
    type Decider = Self;
    type Answer = Accepted;

    const LOCATION: Option<&'static str> = Some("/accounts/{id}/holds/{created}");

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        let account = call.stream(Accounts::CATEGORY, call.id()?.clone());
        let hold = call.stream(Holds::CATEGORY, call.chosen_id().clone());
        let command = Making::of(call, account.id(), self);
        let plan = JointPlan::new([account, hold.clone()], command);
        Ok(plan.creating(hold.clone()).showing(hold))
    }

    fn answer(effect: &JointEffect<'_>) -> Accepted {
        effect.accepted()
    }
}
