//! The state of a task, how events change it, and the reasons to refuse a command.

use __ident___events::TaskEvent;
use ledgerfold::{Category, Decider, DecisionContext, Rejection, RejectionKind};

use crate::commands::TaskCommand;

/// The domain of tasks.
#[derive(Clone, Copy, Debug)]
pub struct Tasks;

/// The state that decisions depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// There is no such task.
    #[default]
    Missing,
    /// It waits to be done.
    Open,
    /// It is done.
    Finished,
}

/// The events of a command, or the reason to refuse it.
pub type Decision = Result<Vec<TaskEvent>, TaskRejection>;

impl Decider for Tasks {
    type Command = TaskCommand;
    type Event = TaskEvent;
    type State = Task;
    type Rejection = TaskRejection;

    const CATEGORY: Category = Category::from_static("task");

    fn initial() -> Task {
        Task::Missing
    }

    fn evolve(_: Task, event: &TaskEvent) -> Task {
        match event {
            TaskEvent::TaskAdded(_) => Task::Open,
            TaskEvent::TaskFinished(_) => Task::Finished,
        }
    }

    fn decide(task: &Task, command: &TaskCommand, context: &DecisionContext<'_>) -> Decision {
        command.decide(task, context)
    }
}

/// The reason to refuse a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskRejection {
    /// There is no such task.
    #[error("The task does not exist.")]
    NotFound,
    /// A task is added once.
    #[error("The task exists already.")]
    AlreadyAdded,
    /// A task is finished once.
    #[error("The task is finished already.")]
    AlreadyFinished,
}

impl Rejection for TaskRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::AlreadyAdded => "task-already-added",
            Self::AlreadyFinished => "task-already-finished",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            Self::AlreadyAdded | Self::AlreadyFinished => RejectionKind::Conflict,
        }
    }
}
