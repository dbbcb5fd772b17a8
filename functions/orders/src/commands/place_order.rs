//! `POST /orders`

use ledgerfold::{Access, Caller, Decide, DecisionContext, EntityId};
use ledgerfold_lambda::http::HttpCommand;
use orders_events::{Item, Money, OrderPlaced};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{UnitPrice, prices::MAX_AMOUNT};
use crate::domain::{Decision, OrderRejection, OrderState, Orders, access};

/// Place an order. The service chooses the id. It is the same for the same caller and Idempotency-Key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceOrder {
    /// The customer.
    pub customer_id: EntityId,
    /// The ordered items. All prices must have the same currency.
    #[schemars(length(min = 1, max = 100))]
    pub items: Basket,
}

impl HttpCommand for PlaceOrder {
    const PATH: &'static str = "/orders";
    const REFUSALS: &'static [&'static str] = &["order-already-placed"];

    fn example() -> Self {
        let tea =
            BasketItem { sku: "tea".to_owned(), quantity: 2, unit_price: UnitPrice::euro(450) };
        Self {
            customer_id: EntityId::new("c-1").expect("c-1 is an id"),
            items: Basket::new(vec![tea]).expect("a single item has one currency"),
        }
    }
}

impl Decide for PlaceOrder {
    type Decider = Orders;

    fn may(&self, caller: &Caller, _: &OrderState) -> Access {
        let customer_id = self.customer_id.as_str();
        Access::allowed_if(access::is_staff(caller) || access::is_customer(caller, customer_id))
    }

    fn decide(&self, state: &OrderState, _: &DecisionContext<'_>) -> Decision {
        if state.is_some() {
            return Err(OrderRejection::AlreadyPlaced);
        }
        let customer_id = self.customer_id.to_string();
        let Basket { items, total } = &self.items;
        let items = items.iter().map(Item::from).collect();
        Ok(vec![OrderPlaced { customer_id, items, total: *total }.into()])
    }
}

/// A quantity of one article.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BasketItem {
    /// The article.
    #[schemars(
        regex(pattern = "^[A-Za-z0-9._-]{1,64}$"),
        extend("x-rule" = "1 to 64 characters of A-Z a-z 0-9 . _ -")
    )]
    pub sku: String,
    /// The quantity.
    #[schemars(range(min = 1, max = 10_000))]
    pub quantity: u32,
    /// The price of one unit.
    pub unit_price: UnitPrice,
}

impl From<&BasketItem> for Item {
    fn from(item: &BasketItem) -> Self {
        let BasketItem { sku, quantity, unit_price } = item.clone();
        Self { sku, quantity, unit_price: unit_price.into() }
    }
}

/// Items in one currency, with their total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<BasketItem>", into = "Vec<BasketItem>")]
#[schemars(inline)]
pub struct Basket {
    items: Vec<BasketItem>,
    total: Money,
}

/// Items that cannot be ordered together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBasket {
    /// There are no items.
    #[error("must have an item")]
    Empty,
    /// The prices differ in their currency.
    #[error("must all be priced in the same currency")]
    SeveralCurrencies,
    /// The total is too large.
    #[error("must not cost more than {MAX_AMOUNT} in total")]
    TooExpensive,
}

impl Basket {
    /// The basket with these items.
    ///
    /// # Errors
    /// [`InvalidBasket`].
    pub fn new(items: Vec<BasketItem>) -> Result<Self, InvalidBasket> {
        let prices = || items.iter().map(|item| (Money::from(item.unit_price), item.quantity));
        let (Money { currency, .. }, _) = prices().next().ok_or(InvalidBasket::Empty)?;
        if prices().any(|(price, _)| price.currency != currency) {
            return Err(InvalidBasket::SeveralCurrencies);
        }
        let total = prices().try_fold(Money { amount: 0, currency }, |total, (price, quantity)| {
            total.checked_add(price.checked_mul(quantity)?)
        });
        let total = total.filter(|total| total.amount <= MAX_AMOUNT);
        Ok(Self { total: total.ok_or(InvalidBasket::TooExpensive)?, items })
    }
}

impl TryFrom<Vec<BasketItem>> for Basket {
    type Error = InvalidBasket;

    fn try_from(items: Vec<BasketItem>) -> Result<Self, InvalidBasket> {
        Self::new(items)
    }
}

impl From<Basket> for Vec<BasketItem> {
    fn from(basket: Basket) -> Self {
        basket.items
    }
}
