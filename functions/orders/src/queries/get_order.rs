//! `GET /orders/{id}`

use async_trait::async_trait;
use ledgerfold::{
    EntityId, Version,
    query::{Fresh, Until},
};
use ledgerfold_lambda::http::{HttpQuery, Instant, Problem, QueryCall, Rows};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{example_order, no_such_order, stream};
use crate::{
    domain::Orders,
    read_models::{OrderView, OrderViews},
};

/// An order in its current state, or in the past by version or time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GetOrder {
    /// The order.
    id: EntityId,
    /// Show the order at this version. Events of one commit take effect together: for a version inside a commit, the
    /// answer shows the order before the commit, with the version it had then. Cannot be combined with `at`.
    #[schemars(range(min = 1, max = 999_999_999_999_999_u64))]
    version: Option<u64>,
    /// Show the order as it was recorded by this time. Cannot be combined with `version`.
    at: Option<Instant>,
}

#[async_trait]
impl HttpQuery for GetOrder {
    type Decider = Orders;
    type Models = Rows<OrderViews>;
    type Answer = Fresh<OrderView>;

    const PATH: &'static str = "/orders/{id}";

    fn example() -> Self {
        Self { id: example_order(), version: None, at: None }
    }

    async fn answer(
        self,
        orders: &Rows<OrderViews>,
        call: QueryCall<'_>,
    ) -> Result<Fresh<OrderView>, Problem> {
        let stream = stream(call, self.id);
        let found = match (self.version, self.at) {
            (None, None) => orders.get(&stream, call).await?,
            (Some(version), None) => {
                orders.as_of(&stream, Until::Version(Version::new(version)), call).await?
            }
            (None, Some(Instant(at))) => orders.as_of(&stream, Until::Instant(at), call).await?,
            (Some(_), Some(_)) => {
                return Err(Problem::bad_request("Use either version or at, not both."));
            }
        };
        found.ok_or_else(no_such_order)
    }
}
