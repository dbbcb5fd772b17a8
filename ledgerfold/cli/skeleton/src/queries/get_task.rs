//! `GET /tasks/{id}`

use async_trait::async_trait;
use ledgerfold::{Decider, EntityId, StreamId, query::Fresh};
use ledgerfold_lambda::http::{HttpQuery, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::Tasks,
    read_models::{ListedTask, TaskList},
};

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
        let found = tasks.get(&StreamId::new(Tasks::CATEGORY, self.id), call).await?;
        found.ok_or_else(|| Problem::not_found("The task does not exist."))
    }
}
