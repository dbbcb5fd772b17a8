//! `GET /customers/{customerId}/orders`

use async_trait::async_trait;
use ledgerfold::{Access, Caller, EntityId, Timestamp, Version, query::Fresh};
use ledgerfold_lambda::http::{
    HttpQuery, Limit, List, PageCursor, Problem, QueryCall, Rows, Unversioned,
};
use orders_events::Money;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Orders, access},
    read_models::{CustomerOrder, CustomerOrders, Status},
};

/// A customer's orders, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetCustomerOrders {
    /// The customer.
    customer_id: EntityId,
    /// The most orders of the page.
    #[serde(default)]
    limit: Limit,
    /// The `nextCursor` of the previous page. Any other value is refused with 400.
    cursor: Option<PageCursor>,
}

/// An order in its customer's list.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedOrder {
    /// Its id.
    #[schemars(with = "EntityId")]
    id: String,
    /// The current status.
    status: Status,
    /// The total price.
    total: Money,
    /// When it was placed.
    placed_at: Timestamp,
    /// The version that this item shows.
    #[schemars(with = "u64", range(min = 1))]
    version: Version,
}

impl From<Fresh<CustomerOrder>> for ListedOrder {
    fn from(Fresh { row, version }: Fresh<CustomerOrder>) -> Self {
        let CustomerOrder { id, status, total, placed_at, .. } = row;
        Self { id, status, total, placed_at, version }
    }
}

#[async_trait]
impl HttpQuery for GetCustomerOrders {
    type Decider = Orders;
    type Models = Rows<CustomerOrders>;
    type Answer = Unversioned<List<ListedOrder>>;

    const PATH: &'static str = "/customers/{customerId}/orders";

    fn example() -> Self {
        let customer_id = EntityId::new("c-1").expect("c-1 is an id");
        Self { customer_id, limit: Limit::default(), cursor: None }
    }

    fn may(&self, caller: &Caller) -> Access {
        access::of_customer(caller, self.customer_id.as_str())
    }

    async fn answer(
        self,
        orders: &Rows<CustomerOrders>,
        call: QueryCall<'_>,
    ) -> Result<Unversioned<List<ListedOrder>>, Problem> {
        let list = format!("orders of {}", self.customer_id);
        let cursor = self.cursor.as_ref();
        let page = orders.page(&list, &self.customer_id, self.limit, cursor, call).await?;
        Ok(Unversioned(page.map(ListedOrder::from)))
    }
}
