//! `POST /tasks/{id}/finish`

use __ident___events::TaskFinished;
use ledgerfold::{Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, Task, TaskRejection, Tasks};

/// Finish a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FinishTask {}

impl HttpCommand for FinishTask {
    const PATH: &'static str = "/tasks/{id}/finish";
    const REFUSALS: &'static [&'static str] = &["task-already-finished"];

    fn example() -> Self {
        Self {}
    }
}

impl Decide for FinishTask {
    type Decider = Tasks;

    fn decide(&self, task: &Task, _: &DecisionContext<'_>) -> Decision {
        match task {
            Task::Missing => Err(TaskRejection::NotFound),
            Task::Open => Ok(vec![TaskFinished {}.into()]),
            Task::Finished => Err(TaskRejection::AlreadyFinished),
        }
    }
}
