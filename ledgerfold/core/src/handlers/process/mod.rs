#![doc = include_str!("process.md")]

mod dispatch;
mod expiry;
mod handler;
mod reconcile;
mod sent;
mod sweep;
mod worker;

pub use expiry::{Expiry, ProcessExpiry, Unfulfilled};
pub use handler::ProcessHandler;
pub use reconcile::{
    Asked, DeadlineCheck, DeadlineFault, ProcessSchedule, ScheduleError, Scheduling, WrongDeadline,
};
pub use sent::RESEND_AFTER;
pub use sweep::{DeadlineSweep, Swept, SweptProcess};
pub use worker::{DeadlineWorker, DueMessage, Fired, MAX_ATTEMPTS};

use crate::{
    DeadlineName, Decider, Envelope, Event, ProcessName, Recorded, StreamId, Timestamp,
    ports::DeadlineKey,
};

/// A process manager: it reacts to events with commands to the streams of one domain. It consists of pure functions,
/// without a clock, input or output.
///
/// It has no state of its own: it sees the event, and the decider of its command sees the current state of the
/// stream. For a process over several domains, write several process managers.
pub trait ProcessManager: Send + Sync + 'static {
    /// The events that it reacts to.
    type Event: Event;
    /// The domain of its commands.
    type Target: Decider;
    /// The settings of the deployment, for example a waiting time.
    type Settings: Send + Sync + 'static;

    /// The name. It is part of the ids of its commands, of their actor, and of the keys of its deadlines, so it must
    /// never change.
    const NAME: ProcessName;

    /// The types of the events that it reacts to, as they are stored. It gets no others. Empty means all events of the
    /// context.
    const REACTS_TO: &'static [&'static str] = &[];

    /// Whether all its reactions are deadlines. Its function then needs no permission to append, and an immediate command
    /// is refused.
    const ONLY_SCHEDULES: bool = false;

    /// What the text of its settings means, with its unit, for operators.
    const ABOUT_SETTINGS: &'static str = "";

    /// The reactions to an event, in any number. They must be the same each time. A reaction is identified by its event
    /// and its position, so a repeated event sends the same commands under the same ids.
    fn react(
        event: &Recorded<Self::Event>,
        settings: &Self::Settings,
    ) -> Vec<Reaction<CommandOf<Self>>>;

    /// The command of a due deadline, for the stream of its key. `None` if the process does not need a deadline of this
    /// name any more; the deadline is then removed.
    fn expire(deadline: &DeadlineKey) -> Option<CommandOf<Self>>;
}

/// The commands that a process sends.
pub type CommandOf<P> = <<P as ProcessManager>::Target as Decider>::Command;

/// A reaction to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction<C> {
    /// A command, at once.
    Send {
        /// The command's stream.
        stream: StreamId,
        /// The command.
        command: C,
    },
    /// A command at a later time: see [`ProcessManager::expire`].
    Schedule {
        /// The stream of the later command.
        stream: StreamId,
        /// The name of the deadline within its stream. While a deadline of this name is scheduled, another one of the
        /// same name has no effect. Use another name for a new wait.
        name: DeadlineName,
        /// The time from which on the deadline is due.
        due: Timestamp,
    },
}

/// Whether the process gets this event.
fn concerns<P: ProcessManager>(envelope: &Envelope) -> bool {
    P::REACTS_TO.is_empty() || P::REACTS_TO.contains(&envelope.event.event_type.as_str())
}
