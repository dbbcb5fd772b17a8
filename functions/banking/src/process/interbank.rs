//! The process of transfers between banks.

use banking_events::{TransferDeclined, TransferEvent, TransferReceived};
use ledgerfold::{
    ProcessName, Recorded,
    process::{AcrossTenants, Joint, OnRefusal, ProcessManager, Reaction, ReactionOf},
};

use crate::commands::{Action, Interbank, InterbankStep};

/// Carries a transfer to another bank, and its outcome back.
///
/// | event | in | step | in |
/// | --- | --- | --- | --- |
/// | `TransferSent` | the sender's bank | credit the receiver, or decline | the receiver's bank |
/// | `TransferReceived` | the receiver's bank | debit the sender | the sender's bank |
/// | `TransferDeclined` | the receiver's bank | release the sender's money | the sender's bank |
///
/// The receiver's bank stores its decision as an event, so a transfer has one outcome. A refusal of any step would mean
/// that money is in one bank only, so it is reported.
#[derive(Clone, Copy, Debug)]
pub struct InterbankTransfers;

impl ProcessManager for InterbankTransfers {
    type Event = TransferEvent;
    type Target = AcrossTenants<Joint<Interbank>>;
    type Settings = ();

    const NAME: ProcessName = ProcessName::from_static("interbank");
    const REACTS_TO: &'static [&'static str] =
        &["TransferSent", "TransferReceived", "TransferDeclined"];
    const ON_REFUSAL: OnRefusal = OnRefusal::Report;

    fn react(event: &Recorded<TransferEvent>, (): &()) -> Vec<ReactionOf<Self>> {
        let (to, command) = match event.event.clone() {
            TransferEvent::TransferSent(sent) => InterbankStep::receive(&event.stream, sent),
            TransferEvent::TransferReceived(TransferReceived { from, transfer, amount }) => {
                InterbankStep::end(from, transfer, amount, Action::Settle)
            }
            TransferEvent::TransferDeclined(TransferDeclined { from, transfer, amount, rule }) => {
                InterbankStep::end(from, transfer, amount, Action::Refuse { rule })
            }
            TransferEvent::TransferMade(_)
            | TransferEvent::TransferReversed(_)
            | TransferEvent::TransferRefused(_) => return Vec::new(),
        };
        vec![Reaction::Send { to, command }]
    }
}
