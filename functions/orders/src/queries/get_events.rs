//! `GET /orders/{id}/events`

use async_trait::async_trait;
use ledgerfold::{
    EntityId,
    query::AuditPosition,
    vocabulary::{Cursor, DamagedToken},
};
use ledgerfold_lambda::http::{
    AtVersion, AuditedEvent, EventLog, HttpQuery, Limit, List, Page, PageCursor, Problem, QueryCall,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{example_order, no_such_order, stream};
use crate::domain::Orders;

/// The events of an order, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetEvents {
    /// The order.
    id: EntityId,
    /// The most events of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

#[async_trait]
impl HttpQuery for GetEvents {
    type Decider = Orders;
    type Models = EventLog;
    type Answer = AtVersion<List<AuditedEvent>>;

    const PATH: &'static str = "/orders/{id}/events";

    fn example() -> Self {
        Self { id: example_order(), limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        log: &EventLog,
        _: QueryCall<'_>,
    ) -> Result<AtVersion<List<AuditedEvent>>, Problem> {
        let list = format!("events of {}", self.id);
        let Page { limit, from } =
            Page::<AuditPosition>::of(&list, self.limit, self.cursor.as_ref())?;
        let begin = from.unwrap_or(AuditPosition::START);
        let page = log.page(&stream(self.id), begin, limit).await?;
        let Some(last) = page.events.last().map(|event| event.version) else {
            // We only issue a cursor if there are more events, and events are never removed.
            let foreign = || Problem::bad_request(format!("cursor {DamagedToken}."));
            return Err(if from.is_some() { foreign() } else { no_such_order() });
        };
        let items = page.events.into_iter().map(AuditedEvent::from).collect();
        let next_cursor = page.next.map(|position| Cursor(position).to_text(&list));
        Ok(AtVersion { version: last, body: List { items, next_cursor } })
    }
}
