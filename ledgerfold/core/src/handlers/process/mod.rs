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

/// A process: what follows from events, in commands to the streams of one domain. Pure functions; no
/// clock, no input or output.
///
/// It has no state of its own. What it knows is the event, and what has become of the stream in the
/// meantime is known to the decider of the command, which is asked at the moment that counts. A
/// process over several domains is several process managers.
pub trait ProcessManager: Send + Sync + 'static {
    /// The events that it listens to.
    type Event: Event;
    /// The domain that its commands are for.
    type Target: Decider;
    /// What can be set where it runs, as how long it waits.
    type Settings: Send + Sync + 'static;

    /// What it is called: in the ids of its commands, as their actor, and in its deadlines' keys.
    const NAME: ProcessName;

    /// What follows from an event, in any number of reactions. Must be the same each time: a
    /// reaction is known by its event and its place among the others, so that an event which comes
    /// again sends the same commands under the same ids.
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
        /// What is asked.
        command: C,
    },
    /// A command later: see [`ProcessManager::expire`].
    Schedule {
        /// The stream it will be for.
        stream: StreamId,
        /// Which deadline of the stream. There is one of a name at a time, and the first one stays:
        /// what is to start anew has another name.
        name: DeadlineName,
        /// From when on.
        due: Timestamp,
    },
}
