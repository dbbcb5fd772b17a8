//! A movement of money between two accounts, and its record.

use banking_events::{Kind, LegAccount, Money, SettlementEvent, TransferMade};
use jiff::civil::Date;
use ledgerfold::EntityId;

use super::{
    AccountAt, BankingRejection, SettlementState,
    at::Leg,
    settlement::{self, OtherLeg},
};

/// A movement that is to be made.
#[derive(Clone, Debug)]
pub struct Movement {
    /// The transfer.
    pub transaction: EntityId,
    /// The kind.
    pub kind: Kind,
    /// The account that is debited.
    pub from: LegAccount,
    /// The account that is credited.
    pub to: LegAccount,
    /// The amount, above zero.
    pub amount: Money,
    /// The purpose.
    pub reference: String,
}

/// One side of a movement, after its leg.
struct Side {
    /// The owner of the account; `None` for the bank.
    owner: Option<EntityId>,
    /// The booking date of the leg.
    booked_on: Date,
}

impl Movement {
    /// Books both legs of a movement between two customers.
    ///
    /// # Errors
    /// The rule that refuses a leg.
    pub fn between(
        self,
        from: &mut AccountAt,
        to: &mut AccountAt,
    ) -> Result<TransferMade, BankingRejection> {
        from.debit(&self.outgoing())?;
        to.credit(&self.incoming())?;
        Ok(self.made_between(from, to))
    }

    /// The record of a movement between two customers whose legs are booked.
    pub fn made_between(self, from: &AccountAt, to: &AccountAt) -> TransferMade {
        self.made(from.into(), to.into())
    }

    /// Books both legs of a movement between a customer and the bank: the leg of the account, and that of the settlement
    /// account, which is returned with the record.
    ///
    /// # Errors
    /// The rule that refuses a leg. [`BankingRejection::NoTransfer`] if no account is a customer's: no command makes such
    /// a movement.
    pub fn with_the_bank(
        self,
        account: &mut AccountAt,
        bank: &SettlementState,
    ) -> Result<(SettlementEvent, TransferMade), BankingRejection> {
        let at = account.at();
        match (&self.from, &self.to) {
            (LegAccount::Customer(id), _) => {
                account.debit(&self.outgoing())?;
                let other = settlement::credit(bank, self.other_leg(id), at)?;
                let made = self.made((&*account).into(), (&other).into());
                Ok((other, made))
            }
            (_, LegAccount::Customer(id)) => {
                account.credit(&self.incoming())?;
                let other = settlement::debit(bank, self.other_leg(id), at)?;
                let made = self.made((&other).into(), (&*account).into());
                Ok((other, made))
            }
            (LegAccount::Settlement(_), LegAccount::Settlement(_)) => {
                Err(BankingRejection::NoTransfer)
            }
        }
    }

    /// Books both legs of a transfer whose money is reserved: the leg of the sender, and that of the settlement account,
    /// which is returned with the record.
    ///
    /// # Errors
    /// [`BankingRejection::HoldNotOpen`] or [`BankingRejection::BalanceTooLarge`].
    pub fn settle(
        self,
        from: &mut AccountAt,
        id: &EntityId,
        bank: &SettlementState,
    ) -> Result<(SettlementEvent, TransferMade), BankingRejection> {
        from.settle(&self.outgoing())?;
        let other = settlement::credit(bank, self.other_leg(id), from.at())?;
        let made = self.made((&*from).into(), (&other).into());
        Ok((other, made))
    }

    /// The leg of the customer's account that is debited.
    pub fn outgoing(&self) -> Leg {
        self.leg(&self.to)
    }

    /// The leg of the customer's account that is credited.
    pub fn incoming(&self) -> Leg {
        self.leg(&self.from)
    }

    fn leg(&self, counterparty: &LegAccount) -> Leg {
        let Self { transaction, amount, reference, .. } = self.clone();
        Leg { transaction, amount, counterparty: counterparty.clone(), reference }
    }

    /// The leg of the settlement account, for this account of a customer.
    fn other_leg(&self, account: &EntityId) -> OtherLeg {
        let account = account.clone();
        OtherLeg { transaction: self.transaction.clone(), amount: self.amount, account }
    }

    /// The record of the movement.
    fn made(self, from: Side, to: Side) -> TransferMade {
        TransferMade {
            kind: self.kind,
            from: self.from,
            from_owner: from.owner,
            to: self.to,
            to_owner: to.owner,
            amount: self.amount,
            reference: self.reference,
            from_booked_on: from.booked_on,
            to_booked_on: to.booked_on,
            hold: None,
            reverses: None,
            originally_booked_on: None,
        }
    }
}

impl From<&AccountAt> for Side {
    fn from(at: &AccountAt) -> Self {
        Self { owner: Some(at.account().owner_id.clone()), booked_on: at.account().booked_on }
    }
}

impl From<&SettlementEvent> for Side {
    fn from(event: &SettlementEvent) -> Self {
        Self { owner: None, booked_on: event.leg().booked_on }
    }
}
