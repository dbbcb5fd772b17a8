//! The messages of the process of transfers between banks: each comes late, twice, or in another order than its event.
//! The product's pipeline of messages belongs to the simulation of the library.

use std::{sync::Arc, time::Duration};

use banking::{
    commands::InterbankStep, domain::settlement::interbank_of, process::InterbankTransfers,
};
use banking_events::TransferEvent;
use ledgerfold::{
    Caller, CommandId, EntityId, Envelope, StreamId,
    command::{Context, JointRequest},
    ports::Clock,
    process::{ProcessManager, Reaction},
    vocabulary::{Content, Delivery, Receipt},
};
use ledgerfold_simulator::Scheduler;

use crate::{functions::Containers, ledger::Ledger, plan::Plant};

const MINUTE: Duration = Duration::from_secs(60);
/// How often a message is delivered that fails.
const TRIES: usize = 60;

/// Delivers the messages that follow from commits.
#[derive(Clone)]
pub(crate) struct Messages {
    pub(crate) scheduler: Scheduler,
    pub(crate) ledger: Ledger,
    pub(crate) containers: Arc<Containers>,
    pub(crate) plant: Plant,
}

/// The steps that follow from an event of a transfer, with their streams.
pub(crate) fn steps(envelope: &Envelope) -> Vec<([StreamId; 3], InterbankStep)> {
    let is_asked = InterbankTransfers::REACTS_TO.contains(&envelope.event.event_type.as_str());
    let events = envelope.open::<TransferEvent>().ok().filter(|_| is_asked);
    let events = events.into_iter().flatten();
    let reactions = events.flat_map(|event| InterbankTransfers::react(&event, &()));
    let steps = reactions.map(|Reaction::Send { to, command }| (to, command));
    steps.collect()
}

impl Messages {
    pub(crate) async fn run(self) {
        loop {
            while let Some(envelope) = self.ledger.next_message() {
                self.plan(&envelope);
            }
            self.ledger.message_came().await;
        }
    }

    fn plan(&self, envelope: &Envelope) {
        let late = || self.scheduler.within(MINUTE);
        let waits = match self.scheduler.below(3) {
            0 => vec![Duration::ZERO],
            1 => vec![late()],
            _ => vec![late(), late()],
        };
        for (number, wait) in waits.into_iter().enumerate() {
            let this = self.clone();
            let envelope = envelope.clone();
            self.scheduler.spawn(async move {
                this.scheduler.sleep(wait).await;
                this.deliver(&envelope, number).await;
            });
        }
    }

    async fn deliver(&self, envelope: &Envelope, number: usize) {
        for attempt in 0..TRIES {
            let is_done = match self.plant {
                Plant::StepOfItsOwnName => {
                    self.step_of_its_own_name(envelope, number, attempt).await
                }
                _ => self.handle(envelope).await,
            };
            if is_done {
                return;
            }
            self.scheduler.sleep(self.scheduler.within(MINUTE)).await;
        }
    }

    async fn handle(&self, envelope: &Envelope) -> bool {
        let process = self.containers.interbank();
        let receipt = Receipt("message".to_owned());
        let content = Ok(Content::Event(Box::new(envelope.clone())));
        let message = Delivery { receipt, content, replay: None };
        let handled = async move { process.handle(vec![message]).await };
        self.containers.processes.run(handled).await.is_some_and(|failed| failed.is_empty())
    }

    /// The planted fault: each delivery gives the receiver's transfer, and its command, another id.
    async fn step_of_its_own_name(
        &self,
        envelope: &Envelope,
        number: usize,
        attempt: usize,
    ) -> bool {
        let name = format!("{}.{number}.{attempt}", envelope.event.id);
        let mut is_done = true;
        for (mut to, mut step) in steps(envelope) {
            if envelope.event.event_type.as_str() == "TransferSent" {
                step.transfer = EntityId::new(name.clone()).expect("a short id");
                let bank = interbank_of(&step.transfer, step.amount.currency);
                to[1] = to[1].beside(to[1].category().clone(), bank);
                to[2] = to[2].beside(to[2].category().clone(), step.transfer.clone());
            }
            let id = CommandId::new(name.clone()).expect("visible ASCII");
            let caller = Caller::process(&InterbankTransfers::NAME, to[0].tenant().clone());
            let context =
                Context { causation_id: envelope.event.id.into(), ..Context::of(caller, &id) };
            let request = JointRequest::in_context(context, to, step, id);
            let steps = self.containers.interbank_steps();
            let handled = async move { steps.handle(&request).await.is_ok() };
            is_done &= self.containers.processes.run(handled).await == Some(true);
        }
        is_done
    }
}
