//! The commands of clients, as values that can be sent again, and decided again by the checker. Handlers do not belong
//! here.

use banking::{
    commands::{
        AccountCommand, CaptureHold, Deposit, Interbank, InterbankStep, MakeTransfer, Making,
        PlaceHold, ReleaseHold, Releasing, ReverseBetweenAccounts, ReverseBetweenBanks,
        ReverseWithTheBank, Reversing, SendTransfer, Withdraw,
    },
    domain::{Accounts, BankingRejection},
};
use ledgerfold::{
    Caller, CommandId, Decider, DecisionContext, EntityId, StreamId, Timestamp,
    command::{JointDecider, JointRequest, Parts},
};

use crate::books::{Books, Kept, KeptParts, encoded};

/// The events of each stream that gets some, as they would be stored.
pub(crate) type Stored = Vec<(StreamId, Vec<String>)>;

/// A command with everything that a client sends.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: CommandId,
    pub(crate) caller: Caller,
    /// In the order of the decision's parts.
    pub(crate) streams: Vec<StreamId>,
    pub(crate) ask: Ask,
}

/// The command of a request.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Account(AccountCommand),
    Deposit(Making<Deposit>),
    Withdraw(Making<Withdraw>),
    Transfer(Making<MakeTransfer>),
    Send(Making<SendTransfer>),
    /// A step of the process of transfers between banks.
    Step(InterbankStep),
    Hold(Making<PlaceHold>),
    Capture(Making<CaptureHold>),
    Release(Releasing),
    ReverseBetween(Reversing),
    ReverseWithTheBank(Reversing),
    ReverseBetweenBanks(Reversing),
}

impl Request {
    /// As a command of several streams.
    pub(crate) fn joint<J, const PARTS: usize>(&self, command: &J::Command) -> JointRequest<J>
    where
        J: JointDecider<Parts: Parts<Streams = [StreamId; PARTS]>>,
    {
        let streams = self.streams.clone().try_into().expect("a stream for each part");
        JointRequest::new(self.caller.clone(), streams, command.clone(), self.id.clone())
    }

    /// The effect of the command in these states at this time.
    pub(crate) fn decide(&self, books: &Books, at: Timestamp) -> Result<Stored, BankingRejection> {
        let context = &DecisionContext { at, caller: &self.caller };
        let events = match &self.ask {
            Ask::Account(command) => {
                let state = Accounts::of(books, &self.streams[0]);
                vec![encoded(&Accounts::decide(state, command, context)?)]
            }
            Ask::Deposit(command) => self.decide_jointly::<Deposit>(books, command, context)?,
            Ask::Withdraw(command) => self.decide_jointly::<Withdraw>(books, command, context)?,
            Ask::Transfer(command) => {
                self.decide_jointly::<MakeTransfer>(books, command, context)?
            }
            Ask::Send(command) => self.decide_jointly::<SendTransfer>(books, command, context)?,
            Ask::Step(step) => self.decide_jointly::<Interbank>(books, step, context)?,
            Ask::Hold(command) => self.decide_jointly::<PlaceHold>(books, command, context)?,
            Ask::Capture(command) => self.decide_jointly::<CaptureHold>(books, command, context)?,
            Ask::Release(command) => self.decide_jointly::<ReleaseHold>(books, command, context)?,
            Ask::ReverseBetween(command) => {
                self.decide_jointly::<ReverseBetweenAccounts>(books, command, context)?
            }
            Ask::ReverseBetweenBanks(command) => {
                self.decide_jointly::<ReverseBetweenBanks>(books, command, context)?
            }
            Ask::ReverseWithTheBank(command) => {
                self.decide_jointly::<ReverseWithTheBank>(books, command, context)?
            }
        };
        let parts = self.streams.iter().cloned().zip(events);
        Ok(parts.filter(|(_, events)| !events.is_empty()).collect())
    }

    fn decide_jointly<J>(
        &self,
        books: &Books,
        command: &J::Command,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<Vec<String>>, BankingRejection>
    where
        J: JointDecider<Parts: KeptParts, Rejection = BankingRejection>,
    {
        let states = J::Parts::kept(books, &self.streams);
        Ok(J::Parts::stored(&J::decide(states, command, context)?))
    }

    /// The planted fault `RepeatedTransferMadeAgain`: the same transfer under the ids of this attempt.
    pub(crate) fn under_ids_of(&self, attempt: usize) -> Self {
        let Ask::Transfer(making) = &self.ask else { return self.clone() };
        let afresh = |id: &str| format!("{id}.{attempt}");
        let id = EntityId::new(afresh(making.id.as_str())).expect("a short id");
        let transfer = &self.streams[2];
        let mut streams = self.streams.clone();
        streams[2] = transfer.beside(transfer.category().clone(), id.clone());
        Self {
            id: CommandId::new(afresh(self.id.as_str())).expect("visible ASCII"),
            caller: self.caller.clone(),
            streams,
            ask: Ask::Transfer(Making { id, ..making.clone() }),
        }
    }
}
