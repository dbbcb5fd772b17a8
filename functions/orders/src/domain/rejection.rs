//! The reasons for which a command is rejected.

use ledgerfold::{Rejection, RejectionKind};
use orders_events::Money;

/// The reason why a command is rejected. The names of the rules are part of the HTTP contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderRejection {
    /// The order does not exist.
    #[error("The order does not exist.")]
    NotFound,
    /// An order can only be placed once.
    #[error("The order already exists.")]
    AlreadyPlaced,
    /// An order can only be paid once.
    #[error("The order is already paid.")]
    AlreadyPaid,
    /// Only a paid order can be shipped.
    #[error("The order is not paid yet.")]
    NotPaid,
    /// A shipped order can be neither shipped again nor cancelled.
    #[error("The order is already shipped.")]
    AlreadyShipped,
    /// Only a shipped order can be delivered.
    #[error("The order is not shipped yet.")]
    NotShipped,
    /// A delivered order cannot be changed.
    #[error("The order is already delivered.")]
    AlreadyDelivered,
    /// A cancelled order cannot be changed.
    #[error("The order is cancelled.")]
    Cancelled,
    /// An order must be paid in full and in its currency.
    #[error("The amount must be {total}, not {offered}.")]
    AmountMismatch {
        /// The order's total.
        total: Money,
        /// The amount in the command.
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
