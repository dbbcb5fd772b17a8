//! Commands that make something with an id of its own: a transfer or a hold.

use std::fmt;

use ledgerfold::{Command, CommandName, Decider, EntityId, command::JointDecider};
use ledgerfold_lambda::http::{JointCall, JointPlan, Problem};
use serde::Serialize;

use super::Amount;
use crate::domain::{Accounts, Settlements, Transfers, settlement};

/// A command about an account, with the id of the transfer or hold that it makes.
///
/// The id follows from the caller, the path and the key of the request. So a repeated request makes the same one, and the
/// store refuses to begin its stream twice: the command is recognised for ever.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Making<C> {
    /// The account that the request names first.
    pub account: EntityId,
    /// The new transfer or hold.
    pub id: EntityId,
    /// The body of the request.
    pub command: C,
}

impl<C> Making<C> {
    /// The command of a request about this account.
    pub(super) fn of(call: &JointCall<'_>, account: &EntityId, command: C) -> Self {
        Self { account: account.clone(), id: call.chosen_id().clone(), command }
    }
}

impl<C> Making<C>
where
    C: MakesSomething + JointDecider<Command = Self, Parts = (Accounts, Settlements, Transfers)>,
{
    /// The plan of a movement between the account of the path and the bank.
    pub(super) fn with_the_bank(
        call: &JointCall<'_>,
        amount: Amount,
        command: C,
    ) -> Result<JointPlan<C>, Problem> {
        let transfer = call.stream(Transfers::CATEGORY, call.chosen_id().clone());
        let account = call.stream(Accounts::CATEGORY, call.id()?.clone());
        let tenant = call.caller().tenant.clone();
        let bank = settlement::stream_of(tenant, transfer.id(), amount.currency.into());
        let command = Self::of(call, account.id(), command);
        Ok(JointPlan::new([account, bank, transfer.clone()], command).creating(transfer))
    }
}

/// A body that makes something.
pub trait MakesSomething: Clone + fmt::Debug + Serialize + Send + Sync + 'static {
    /// The command's name.
    const NAME: &'static str;
}

impl<C: MakesSomething> Command for Making<C> {
    fn name(&self) -> CommandName {
        CommandName::from_static(C::NAME)
    }
}
