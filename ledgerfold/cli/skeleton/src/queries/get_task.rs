//! `GET /tasks/{id}`, with its read model.

use __ident___events::TaskEvent;
use async_trait::async_trait;
use ledgerfold::{Decider, EntityId, Recorded, Timestamp, project::Projection, query::Fresh};
use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::Tasks;

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

/// A task.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetTask {
    /// The task.
    id: EntityId,
}

#[async_trait]
impl HttpQuery for GetTask {
    type Decider = Tasks;
    type Models = Rows<TaskList>;
    type Answer = Fresh<ListedTask>;

    const PATH: &'static str = "/tasks/{id}";

    fn example() -> Self {
        Self { id: EntityId::new("t-1").expect("t-1 is an id") }
    }

    async fn answer(
        self,
        tasks: &Rows<TaskList>,
        call: QueryCall<'_>,
    ) -> Result<Fresh<ListedTask>, Problem> {
        let found = tasks.get(&call.stream(Tasks::CATEGORY, self.id), call).await?;
        found.ok_or_else(|| Problem::not_found("The task does not exist."))
    }
}
