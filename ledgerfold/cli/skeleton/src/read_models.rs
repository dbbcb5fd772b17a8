//! What queries show.

use __ident___events::TaskEvent;
use ledgerfold::{Recorded, Timestamp, project::Projection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All tasks.
#[derive(Clone, Copy, Debug)]
pub struct TaskList;

/// A task as `GET /tasks/{id}` shows it, without its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedTask {
    /// The id.
    pub id: String,
    /// What there is to do.
    pub title: String,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

impl Projection for TaskList {
    type Event = TaskEvent;
    type Row = ListedTask;

    fn evolve(
        row: Option<ListedTask>,
        event: &Recorded<TaskEvent>,
    ) -> Result<Option<ListedTask>, String> {
        let id = event.stream.id().to_string();
        match (&event.event, row) {
            (TaskEvent::TaskAdded(added), _) => {
                Ok(Some(ListedTask { id, title: added.title.clone(), finished_at: None }))
            }
            (TaskEvent::TaskFinished(_), Some(task)) => {
                Ok(Some(ListedTask { finished_at: Some(event.recorded_at), ..task }))
            }
            (TaskEvent::TaskFinished(_), None) => Err("the task was never added".to_owned()),
        }
    }
}
