#![doc = include_str!("process.md")]

mod dispatch;
mod expiry;
mod handler;
mod reconcile;
mod sent;
mod sweep;
mod target;
mod worker;

pub use expiry::{Expiry, ProcessExpiry, Unfulfilled};
pub use handler::ProcessHandler;
pub use reconcile::{
    Asked, DeadlineCheck, DeadlineFault, ProcessSchedule, ScheduleError, Scheduling, WrongDeadline,
};
pub use sent::RESEND_AFTER;
pub use sweep::{DeadlineSweep, Swept, SweptProcess};
pub use target::{AcrossTenants, Joint, NoDeadline, NotSent, Reach, Target};
pub use worker::{DeadlineWorker, DueMessage, Fired, MAX_ATTEMPTS};

use crate::{
    DeadlineName, Envelope, Event, ProcessName, Recorded, StreamId, Timestamp, ports::DeadlineKey,
};

/// A process manager: it reacts to events with commands to one [`Target`]: the streams of one domain, or several streams
/// at once. It consists of pure functions, without a clock, input or output.
///
/// It has no state of its own: it sees the event, and the decider of its command sees the current state of the
/// streams. For a process over several targets, write several process managers.
///
/// A refusal is not stored, so a later delivery of the same event may be decided differently. Where the process must
/// act on a refusal, let the decider record it as an event, and react to that event.
pub trait ProcessManager: Send + Sync + 'static {
    /// The events that it reacts to.
    type Event: Event;
    /// What its commands go to.
    type Target: Target;
    /// The settings of the deployment, for example a waiting time.
    type Settings: Send + Sync + 'static;

    /// The name. It is part of the ids of its commands, of their actor, and of the keys of its deadlines, so it must
    /// never change.
    const NAME: ProcessName;

    /// The types of the events that it reacts to, as they are stored. It gets no others. Empty means all events of the
    /// context.
    const REACTS_TO: &'static [&'static str] = &[];

    /// What the refusal of a command means.
    const ON_REFUSAL: OnRefusal;

    /// Whether all its reactions are deadlines. Its function then needs no permission to append, and an immediate command
    /// is refused.
    const ONLY_SCHEDULES: bool = false;

    /// What the text of its settings means, with its unit, for operators.
    const ABOUT_SETTINGS: &'static str = "";

    /// The reactions to an event, in any number. They must be the same each time. A reaction is identified by its event
    /// and its position, so a repeated event sends the same commands under the same ids.
    fn react(event: &Recorded<Self::Event>, settings: &Self::Settings) -> Vec<ReactionOf<Self>>;

    /// The command of a due deadline, for the stream of its key. `None` if the process does not need a deadline of this
    /// name any more; the deadline is then removed. A process without deadlines leaves this function out.
    fn expire(_deadline: &DeadlineKey) -> Option<CommandOf<Self>> {
        None
    }
}

/// The commands that a process sends.
pub type CommandOf<P> = <<P as ProcessManager>::Target as Target>::Command;

/// The addresses of these commands.
pub(crate) type ToOf<P> = <<P as ProcessManager>::Target as Target>::To;

/// What handles the commands of a process.
pub type HandlerOf<P> = <<P as ProcessManager>::Target as Target>::Handler;

/// The reactions of a process.
pub type ReactionOf<P> =
    Reaction<CommandOf<P>, ToOf<P>, <<P as ProcessManager>::Target as Target>::Waits>;

/// What it means if the domain refuses a command of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefusal {
    /// The command is not needed any more. The refusal is logged, and the command is not sent again.
    Ignore,
    /// It must not happen. The command is sent again, as after a failure. If it stays refused, the message goes to the
    /// dead-letter queue, or the deadline is given up, and an alarm reports it.
    Report,
}

/// A reaction to an event, with a command `C` to an address `To`: one stream, or several for a [`Joint`] target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction<C, To = StreamId, Waits = To> {
    /// A command, at once.
    Send {
        /// The command's stream or streams.
        to: To,
        /// The command.
        command: C,
    },
    /// A command at a later time: see [`ProcessManager::expire`].
    Schedule {
        /// The stream of the later command.
        stream: Waits,
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
