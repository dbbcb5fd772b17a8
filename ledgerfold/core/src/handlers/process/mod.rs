#![doc = include_str!("process.md")]

mod dispatch;
mod expiry;
mod handler;
mod reconcile;
mod sweep;

pub use expiry::{Expiry, ProcessExpiry, Unfulfilled};
pub use handler::ProcessHandler;
pub use reconcile::{
    Asked, DeadlineCheck, DeadlineFault, ProcessSchedule, ScheduleError, Scheduling, WrongDeadline,
};
pub use sweep::{DeadlineSweep, MAX_ATTEMPTS, Swept};

use crate::{
    DeadlineName, Decider, Event, ProcessName, Recorded, StreamId, Timestamp, ports::DeadlineKey,
};

/// A process manager: the reactions to events, which are commands to the streams of one domain. Pure functions; no
/// clock, no input or output.
///
/// It has no state of its own. It knows the event, and the decider of its command knows the present state of the
/// stream. Processes over several domains are several process managers.
pub trait ProcessManager: Send + Sync + 'static {
    /// The events that it listens to.
    type Event: Event;
    /// The domain that its commands are for.
    type Target: Decider;
    /// The settings of the deployment, for example a waiting time.
    type Settings: Send + Sync + 'static;

    /// The name. It is part of the ids of its commands, their actor, and the keys of its deadlines.
    const NAME: ProcessName;

    /// The reactions to an event, in any number. Must be the same each time: a reaction's identity is its event and
    /// its place among the others, so a repeated event sends the same commands under the same ids.
    fn react(
        event: &Recorded<Self::Event>,
        settings: &Self::Settings,
    ) -> Vec<Reaction<CommandOf<Self>>>;

    /// The command of a deadline that is due, for the stream of its key. `None` where a deadline of
    /// this name means nothing any more: it is removed.
    fn expire(deadline: &DeadlineKey) -> Option<CommandOf<Self>>;
}

/// The commands that a process sends.
pub type CommandOf<P> = <<P as ProcessManager>::Target as Decider>::Command;

/// Something that follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction<C> {
    /// A command, at once.
    Send {
        /// The stream it is for.
        stream: StreamId,
        /// The command.
        command: C,
    },
    /// A command later: see [`ProcessManager::expire`].
    Schedule {
        /// The stream it will be for.
        stream: StreamId,
        /// The name of the deadline within its stream. There is one of a name at a time, and the first one stays: a
        /// new wait needs another name.
        name: DeadlineName,
        /// From when on.
        due: Timestamp,
    },
}
