//! The wrong deciders of planted faults. Each is the product's decision with one mistake.

use banking::{
    commands::{CaptureHold, MakeTransfer, Making, ReleaseHold, Releasing},
    domain::{AccountAt, BankingRejection, at::date_of},
};
use banking_events::{
    AccountEvent, Credited, Debited, HoldReleased, ReleaseCause, ReservationReleased,
};
use jiff::{SignedDuration, civil::Date};
use ledgerfold::{
    DecisionContext,
    command::{JointDecider, Parts},
};

type Events<J> = <<J as JointDecider>::Parts as Parts>::Events;

/// A capture that decides as if its hold had not expired.
pub(crate) struct CaptureAtAnyTime;

impl JointDecider for CaptureAtAnyTime {
    type Command = Making<CaptureHold>;
    type Parts = <CaptureHold as JointDecider>::Parts;
    type Rejection = BankingRejection;

    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
        context: &DecisionContext<'_>,
    ) -> Result<Events<Self>, BankingRejection> {
        let at = match states.2 {
            Some(hold) => context.at.min(hold.placed.expires_at - SignedDuration::from_millis(1)),
            None => context.at,
        };
        CaptureHold::decide(states, command, &DecisionContext { at, ..*context })
    }
}

/// A release that gives back what an expiry has given back.
pub(crate) struct ReleaseAfterExpiry;

impl JointDecider for ReleaseAfterExpiry {
    type Command = Releasing;
    type Parts = <ReleaseHold as JointDecider>::Parts;
    type Rejection = BankingRejection;

    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
        context: &DecisionContext<'_>,
    ) -> Result<Events<Self>, BankingRejection> {
        let refusal = match ReleaseHold::decide(states, command, context) {
            Err(refusal @ BankingRejection::HoldExpired) => refusal,
            decision => return decision,
        };
        let (account, Some(hold)) = states else { return Err(refusal) };
        let mut account = AccountAt::new(account, context.at)?;
        account.record(ReservationReleased {
            hold: command.hold.clone(),
            amount: hold.left(),
            cause: ReleaseCause::Released,
            booked_on: account.booked_on(),
        });
        Ok((account.into_events(), vec![HoldReleased { amount: hold.left() }.into()]))
    }
}

/// A transfer that is booked on the day of the clock.
pub(crate) struct TransferBookedToday;

impl JointDecider for TransferBookedToday {
    type Command = Making<MakeTransfer>;
    type Parts = <MakeTransfer as JointDecider>::Parts;
    type Rejection = BankingRejection;

    fn decide(
        states: <Self::Parts as Parts>::States<'_>,
        command: &Self::Command,
        context: &DecisionContext<'_>,
    ) -> Result<Events<Self>, BankingRejection> {
        let (mut from, mut to, made) = MakeTransfer::decide(states, command, context)?;
        for event in from.iter_mut().chain(&mut to) {
            book(event, date_of(context.at));
        }
        Ok((from, to, made))
    }
}

fn book(event: &mut AccountEvent, day: Date) {
    if let AccountEvent::Debited(Debited { booked_on, .. })
    | AccountEvent::Credited(Credited { booked_on, .. }) = event
    {
        *booked_on = day;
    }
}
