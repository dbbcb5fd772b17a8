use ledgerfold::{Rejection, RejectionKind};
use orders_events::Money;

/// Why a command is refused. The rules' names are part of the HTTP contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRejection {
    /// There is no such order.
    #[error("There is no such order.")]
    NotFound,
    /// An order can be placed once.
    #[error("The order is there already.")]
    AlreadyPlaced,
    /// An order can be paid once.
    #[error("The order is paid already.")]
    AlreadyPaid,
    /// Only a paid order is shipped.
    #[error("The order is not paid yet.")]
    NotPaid,
    /// What is on its way cannot be shipped again or called off.
    #[error("The order is shipped already.")]
    AlreadyShipped,
    /// Only a shipped order is delivered.
    #[error("The order is not shipped yet.")]
    NotShipped,
    /// What has arrived has arrived.
    #[error("The order is delivered already.")]
    AlreadyDelivered,
    /// Nothing happens to a cancelled order.
    #[error("The order is cancelled.")]
    Cancelled,
    /// An order is paid in full, in its currency.
    #[error("The total is {total}, and not {offered}.")]
    AmountMismatch {
        /// What is to be paid.
        total: Money,
        /// What was offered.
        offered: Money,
    },
}

impl Rejection for OrderRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::AlreadyPlaced => "order-already-placed",
            Self::AlreadyPaid => "order-already-paid",
            Self::NotPaid => "order-not-paid",
            Self::AlreadyShipped => "order-already-shipped",
            Self::NotShipped => "order-not-shipped",
            Self::AlreadyDelivered => "order-already-delivered",
            Self::Cancelled => "order-cancelled",
            Self::AmountMismatch { .. } => "amount-mismatch",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NotFound => RejectionKind::NotFound,
            _ => RejectionKind::Conflict,
        }
    }
}
