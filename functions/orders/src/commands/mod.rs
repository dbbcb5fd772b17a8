//! The commands of an order, one file each: the body with its bounds, the path, the refusals, an example and the
//! decision. Routes, checks and the OpenAPI document follow from these files.
//!
//! To add a command, copy the file that is most like it, and add it to both lists below.

mod cancel_order;
mod cancel_unpaid_order;
mod deliver_order;
mod pay_order;
mod place_order;
mod prices;
mod ship_order;

use ledgerfold::commands;
use ledgerfold_lambda::http::Api;

use crate::domain::Orders;

pub use cancel_order::CancelOrder;
pub use cancel_unpaid_order::CancelUnpaidOrder;
pub use deliver_order::DeliverOrder;
pub use money::CurrentCurrency;
pub use pay_order::PayOrder;
pub use place_order::{Basket, BasketItem, InvalidBasket, PlaceOrder};
pub use prices::{Amount, UnitPrice};
pub use ship_order::ShipOrder;

commands! {
    /// A command to an order.
    pub enum OrderCommand of Orders {
        PlaceOrder,
        PayOrder,
        CancelOrder,
        CancelUnpaidOrder,
        ShipOrder,
        DeliverOrder,
    }
}

/// Adds the commands that HTTP offers.
pub(crate) fn add_to(api: Api) -> Api {
    api.command::<PlaceOrder>()
        .command::<PayOrder>()
        .command::<CancelOrder>()
        .command::<ShipOrder>()
        .command::<DeliverOrder>()
}
