//! `GET /orders/{id}/events`

use async_trait::async_trait;
use ledgerfold::{
    EntityId,
    query::AuditPosition,
    vocabulary::{Cursor, DamagedToken},
};
use ledgerfold_lambda::http::{
    AtVersion, AuditedEvent, EventLog, HttpQuery, Limit, List, Page, PageCursor, Problem,
    QueryCall, Rows,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{example_order, no_such_order, stream};
use crate::{
    domain::{Orders, access},
    read_models::OrderViews,
};

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
    // The log does not know who may see an order. Its row does.
    type Models = (Rows<OrderViews>, EventLog);
    type Answer = AtVersion<List<AuditedEvent>>;

    const PATH: &'static str = "/orders/{id}/events";

    fn example() -> Self {
        Self { id: example_order(), limit: Limit::default(), cursor: None }
    }

    async fn answer(
        self,
        (orders, log): &(Rows<OrderViews>, EventLog),
        call: QueryCall<'_>,
    ) -> Result<AtVersion<List<AuditedEvent>>, Problem> {
        let stream = stream(call, self.id);
        let is_staff = access::is_staff(call.caller());
        if !is_staff && orders.get(&stream, call).await?.is_none() {
            return Err(no_such_order());
        }
        let list = format!("events of {stream}");
        let Page { limit, from } =
            Page::<AuditPosition>::of(&list, self.limit, self.cursor.as_ref())?;
        let begin = from.unwrap_or(AuditPosition::START);
        let page = log.page(&stream, begin, limit).await?;
        let Some(last) = page.events.last().map(|event| event.version) else {
            // We only issue a cursor if there are more events, and events are never removed.
            let foreign = || Problem::bad_request(format!("cursor {DamagedToken}."));
            return Err(if from.is_some() { foreign() } else { no_such_order() });
        };
        // A page gets its cursor when the next event is recorded, so it shows that this one exists.
        let shown = if page.next.is_some() { last.next() } else { last };
        let items = page.events.into_iter().map(AuditedEvent::from).collect();
        let next_cursor = page.next.map(|position| Cursor(position).to_text(&list));
        Ok(AtVersion { version: shown, body: List { items, next_cursor } })
    }
}
