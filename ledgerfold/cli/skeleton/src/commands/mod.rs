//! The commands of a task, one file each. To add one, copy a file and add it to both lists.

mod add_task;
mod finish_task;

use ledgerfold_lambda::{commands, http::Api};

use crate::domain::Tasks;

pub use add_task::AddTask;
pub use finish_task::FinishTask;

commands! {
    /// A command to a task.
    pub enum TaskCommand of Tasks {
        AddTask,
        FinishTask,
    }
}

/// Adds the commands that HTTP offers.
pub(crate) fn add_to(api: Api) -> Api {
    api.command::<AddTask>().command::<FinishTask>()
}
