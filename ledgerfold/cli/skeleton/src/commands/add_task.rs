//! `POST /tasks`

use __ident___events::TaskAdded;
use ledgerfold::{Decide, DecisionContext};
use ledgerfold_lambda::http::HttpCommand;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Decision, Task, TaskRejection, Tasks};

/// Add a task. The service chooses the id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AddTask {
    /// What there is to do.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
}

impl HttpCommand for AddTask {
    const PATH: &'static str = "/tasks";
    const REFUSALS: &'static [&'static str] = &["task-already-added"];

    fn example() -> Self {
        Self { title: "Water the plants".to_owned() }
    }
}

impl Decide for AddTask {
    type Decider = Tasks;

    fn decide(&self, task: &Task, _: &DecisionContext<'_>) -> Decision {
        match task {
            Task::Missing => Ok(vec![TaskAdded { title: self.title.clone() }.into()]),
            Task::Open | Task::Finished => Err(TaskRejection::AlreadyAdded),
        }
    }
}
