//! The steps of a transfer to another bank after its money is reserved. Only the process
//! [`Interbank`](crate::process::InterbankTransfers) sends them.
//!
//! Each step is named after the transfer: its stream remembers that the step was taken. So a repetition changes nothing,
//! however late it is and whatever its command id is.

use banking_events::{
    AccountEvent, Kind, LegAccount, Money, RemoteAccount, SettlementEvent, TransferDeclined,
    TransferEvent, TransferReceived, TransferRefused, TransferSent,
};
use ledgerfold::{
    Command, CommandName, Decider, DecisionContext, EntityId, Rejection, StreamId, TenantId,
    command::{JointDecider, Parts},
    derive_uuid,
};
use serde::Serialize;

use crate::domain::{
    AccountAt, AccountState, Accounts, BankingRejection, Movement, Progress, SettlementState,
    Settlements, Transfer, TransferState, Transfers, settlement::interbank_of,
};

/// A step on an account, the settlement account and the transfer of one bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InterbankStep {
    /// The account of the customer.
    pub account: EntityId,
    /// The transfer in this bank.
    pub transfer: EntityId,
    /// The amount.
    pub amount: Money,
    /// What to do.
    pub action: Action,
}

/// The action of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// The receiver's bank: credit the account, or decline. Both are an event, so no repetition decides differently.
    Receive {
        /// The account whose money is reserved.
        from: RemoteAccount,
        /// The transfer in that bank.
        remote: EntityId,
        /// The kind.
        kind: Kind,
        /// The purpose.
        reference: String,
    },
    /// The sender's bank: debit the account, because the receiver has the money.
    Settle,
    /// The sender's bank: release the money, because the receiver's bank declined.
    Refuse {
        /// The rule of the receiver's bank.
        rule: String,
    },
}

impl Command for InterbankStep {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self.action {
            Action::Receive { .. } => "ReceiveTransfer",
            Action::Settle => "SettleTransfer",
            Action::Refuse { .. } => "RefuseTransfer",
        })
    }
}

/// The transfer in the receiver's bank. It follows from the transfer in the sender's bank.
pub fn received_as(bank: &TenantId, transfer: &EntityId) -> EntityId {
    let id = derive_uuid(&["interbank", bank.as_str(), transfer.as_str()]);
    EntityId::new(id.to_string()).expect("a UUID is an id")
}

impl InterbankStep {
    /// The step that receives what `sent`, in this stream of the sender's bank, has sent.
    pub fn receive(stream: &StreamId, sent: TransferSent) -> ([StreamId; 3], Self) {
        let TransferSent { kind, from, to, amount, reference, .. } = sent;
        let bank = stream.tenant();
        let from = RemoteAccount { bank: bank.clone(), account: from };
        let remote = stream.id().clone();
        let transfer = received_as(bank, &remote);
        let action = Action::Receive { from, remote, kind, reference };
        Self::at(to, transfer, amount, action)
    }

    /// The step that ends the transfer of this account in the sender's bank.
    pub fn end(
        from: RemoteAccount,
        transfer: EntityId,
        amount: Money,
        action: Action,
    ) -> ([StreamId; 3], Self) {
        Self::at(from, transfer, amount, action)
    }

    fn at(
        at: RemoteAccount,
        transfer: EntityId,
        amount: Money,
        action: Action,
    ) -> ([StreamId; 3], Self) {
        let RemoteAccount { bank, account } = at;
        let settlement = interbank_of(&transfer, amount.currency);
        let stream = |category, id: &EntityId| StreamId::new(bank.clone(), category, id.clone());
        let streams = [
            stream(Accounts::CATEGORY, &account),
            stream(Settlements::CATEGORY, &settlement),
            stream(Transfers::CATEGORY, &transfer),
        ];
        (streams, Self { account, transfer, amount, action })
    }

    /// The settlement account of the step.
    fn bank(&self) -> LegAccount {
        LegAccount::Settlement(interbank_of(&self.transfer, self.amount.currency))
    }

    fn customer(&self) -> LegAccount {
        LegAccount::Customer(self.account.clone())
    }
}

/// The decision of each step.
#[derive(Clone, Copy, Debug)]
pub struct Interbank;

/// The events of the account, of the settlement account and of the transfer.
type Stepped = (Vec<AccountEvent>, Vec<SettlementEvent>, Vec<TransferEvent>);

impl JointDecider for Interbank {
    type Command = InterbankStep;
    type Parts = (Accounts, Settlements, Transfers);
    type Rejection = BankingRejection;

    fn decide(
        (account, settlement, transfer): <Self::Parts as Parts>::States<'_>,
        step: &InterbankStep,
        context: &DecisionContext<'_>,
    ) -> Result<Stepped, BankingRejection> {
        match &step.action {
            Action::Receive { from, remote, kind, reference } => {
                if transfer.is_some() {
                    return Ok(Stepped::default());
                }
                let movement = Movement {
                    transaction: step.transfer.clone(),
                    kind: *kind,
                    from: step.bank(),
                    to: step.customer(),
                    amount: step.amount,
                    reference: reference.clone(),
                };
                let (from, remote) = (from.clone(), remote.clone());
                let received = || TransferReceived {
                    from: from.clone(),
                    transfer: remote.clone(),
                    amount: step.amount,
                };
                match credit(movement, account, settlement, context) {
                    Ok((events, other, made)) => {
                        Ok((events, vec![other], vec![made, received().into()]))
                    }
                    Err(rejection) => {
                        let rule = rejection.rule().to_owned();
                        let amount = step.amount;
                        let declined = TransferDeclined { from, transfer: remote, amount, rule };
                        Ok((Vec::new(), Vec::new(), vec![declined.into()]))
                    }
                }
            }
            Action::Settle => settle(step, account, settlement, transfer, context),
            Action::Refuse { rule } => {
                match sent(transfer)?.0 {
                    Progress::Pending => {}
                    Progress::Refused => return Ok(Stepped::default()),
                    Progress::Settled => return Err(BankingRejection::Concluded("settled")),
                }
                let mut from = AccountAt::new(account, context.at)?;
                from.release(&step.transfer)?;
                let refused = TransferRefused { rule: rule.clone() };
                Ok((from.into_events(), Vec::new(), vec![refused.into()]))
            }
        }
    }
}

fn credit(
    movement: Movement,
    account: &AccountState,
    settlement: &SettlementState,
    context: &DecisionContext<'_>,
) -> Result<(Vec<AccountEvent>, SettlementEvent, TransferEvent), BankingRejection> {
    let mut to = AccountAt::new(account, context.at)?;
    let (other, made) = movement.with_the_bank(&mut to, settlement)?;
    Ok((to.into_events(), other, made.into()))
}

fn settle(
    step: &InterbankStep,
    account: &AccountState,
    settlement: &SettlementState,
    transfer: &TransferState,
    context: &DecisionContext<'_>,
) -> Result<Stepped, BankingRejection> {
    let (progress, sent) = sent(transfer)?;
    match progress {
        Progress::Pending => {}
        Progress::Settled => return Ok(Stepped::default()),
        Progress::Refused => return Err(BankingRejection::Concluded("refused")),
    }
    let mut from = AccountAt::new(account, context.at)?;
    let movement = Movement {
        transaction: step.transfer.clone(),
        kind: sent.kind,
        from: step.customer(),
        to: step.bank(),
        amount: step.amount,
        reference: sent.reference.clone(),
    };
    let (other, mut made) = movement.settle(&mut from, &step.account, settlement)?;
    made.reverses.clone_from(&sent.reverses);
    Ok((from.into_events(), vec![other], vec![made.into()]))
}

/// The request of a transfer to another bank, and how far it is.
fn sent(transfer: &TransferState) -> Result<(Progress, &TransferSent), BankingRejection> {
    let transfer: &Transfer = transfer.as_ref().ok_or(BankingRejection::NoTransfer)?;
    let sent = transfer.sent.as_ref().ok_or(BankingRejection::NoTransfer)?;
    Ok((transfer.progress(), sent))
}
