//! `POST /accounts/{id}/holds/{hold}/release`

use async_trait::async_trait;
use banking_events::{AccountEvent, HoldEvent, HoldReleased};
use ledgerfold::{
    Access, Caller, Command, CommandName, Decider, DecisionContext, EntityId,
    command::{JointDecider, Parts},
};
use ledgerfold_lambda::http::{
    Accepted, HttpCommand, HttpJointCommand, JointCall, JointEffect, JointPlan, Problem,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, HoldState, Holds, access, hold,
};

/// Make the rest of a hold available again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleaseHold {
    /// The hold.
    pub hold: EntityId,
}

/// A release, with the account that the path names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Releasing {
    /// The account.
    pub account: EntityId,
    /// The hold.
    pub hold: EntityId,
}

impl Command for Releasing {
    fn name(&self) -> CommandName {
        CommandName::from_static("ReleaseHold")
    }
}

impl JointDecider for ReleaseHold {
    type Command = Releasing;
    type Parts = (Accounts, Holds);
    type Rejection = BankingRejection;

    fn may(caller: &Caller, _: &Releasing, (account, _): &(&AccountState, &HoldState)) -> Access {
        access::by_owner(caller, account)
    }

    fn decide(
        (account, hold): <Self::Parts as Parts>::States<'_>,
        command: &Releasing,
        context: &DecisionContext<'_>,
    ) -> Result<(Vec<AccountEvent>, Vec<HoldEvent>), BankingRejection> {
        let mut account = AccountAt::new(account, context.at)?;
        let hold = hold::open(hold, &command.account, context.at)?;
        account.release(&command.hold)?;
        Ok((account.into_events(), vec![HoldReleased { amount: hold.left() }.into()]))
    }
}

impl HttpCommand for ReleaseHold {
    const PATH: &'static str = "/accounts/{id}/holds/{hold}/release";
    const REFUSALS: &'static [&'static str] = &["hold-expired", "hold-not-open"];

    fn example() -> Self {
        Self { hold: EntityId::new("h-1").expect("h-1 is an id") }
    }
}

#[async_trait]
impl HttpJointCommand for ReleaseHold {
    type Decider = Self;
    type Answer = Accepted;

    async fn plan(self, call: &JointCall<'_>) -> Result<JointPlan<Self>, Problem> {
        let account = call.stream(Accounts::CATEGORY, call.id()?.clone());
        let hold = call.stream(Holds::CATEGORY, self.hold.clone());
        let command = Releasing { account: account.id().clone(), hold: self.hold };
        Ok(JointPlan::new([account, hold.clone()], command).showing(hold))
    }

    fn answer(effect: &JointEffect<'_>) -> Accepted {
        effect.accepted()
    }
}
