//! The reasons for which a command is rejected.

use banking_events::Currency;
use ledgerfold::{Rejection, RejectionKind};

use super::{MAX_BALANCE, MAX_HOLDS};

/// The reason why a command is rejected. The names of the rules are part of the HTTP contract. Amounts are in minor
/// units.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankingRejection {
    /// The account does not exist.
    #[error("The account does not exist.")]
    NoAccount,
    /// The transfer does not exist.
    #[error("The transfer does not exist.")]
    NoTransfer,
    /// The hold does not exist.
    #[error("The account has no such hold.")]
    NoHold,
    /// An account can only be opened once.
    #[error("The account already exists.")]
    AccountExists,
    /// A transfer can only be made once.
    #[error("The transfer already exists.")]
    TransferExists,
    /// A hold can only be placed once.
    #[error("The hold already exists.")]
    HoldExists,
    /// The account does not have the amount.
    #[error("The available amount is {available} in minor units.")]
    InsufficientFunds {
        /// The balance without holds, with the overdraft limit.
        available: i64,
    },
    /// The amount would exceed the limit of the day.
    #[error("The daily limit leaves {left} in minor units for today.")]
    DailyLimitExceeded {
        /// The rest of the limit.
        left: i64,
    },
    /// A frozen account takes no debit and no hold.
    #[error("The account is frozen.")]
    AccountFrozen,
    /// Only a frozen account can be opened again.
    #[error("The account is not frozen.")]
    AccountNotFrozen,
    /// A closed account takes nothing.
    #[error("The account is closed.")]
    AccountClosed,
    /// Only an empty account can be closed.
    #[error(
        "The account has a balance of {posted} and holds of {held} in minor units; both must be zero."
    )]
    AccountNotEmpty {
        /// The balance.
        posted: i64,
        /// The sum of the open holds.
        held: i64,
    },
    /// An account has one currency.
    #[error("The currency of the account is {account}, not {offered}.")]
    CurrencyMismatch {
        /// The account's currency.
        account: Currency,
        /// The currency of the command.
        offered: Currency,
    },
    /// The balance would leave the range of exact numbers.
    #[error("The balance must not exceed {MAX_BALANCE} minor units.")]
    BalanceTooLarge,
    /// An account has a limited number of holds.
    #[error("The account has {MAX_HOLDS} open holds, and cannot have more.")]
    TooManyHolds,
    /// The hold has reached its time.
    #[error("The hold has expired.")]
    HoldExpired,
    /// The hold was captured in full, or released.
    #[error("The hold is not open any more.")]
    HoldNotOpen,
    /// All captures together must not exceed the hold.
    #[error("The rest of the hold is {left} in minor units.")]
    AmountExceedsHold {
        /// The rest of the hold.
        left: i64,
    },
    /// A transfer can only be reversed once.
    #[error("The transfer is already reversed.")]
    AlreadyReversed,
    /// Only the receiver can reverse a transfer to another bank, in that bank.
    #[error("The transfer was sent to another bank. Only the receiver can send the money back.")]
    SentToAnotherBank,
    /// A transfer to another bank has one outcome.
    #[error("The transfer is {0} already.")]
    Concluded(&'static str),
}

impl Rejection for BankingRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::NoAccount | Self::NoTransfer | Self::NoHold => "not-found",
            Self::AccountExists => "account-exists",
            Self::TransferExists => "transfer-exists",
            Self::HoldExists => "hold-exists",
            Self::InsufficientFunds { .. } => "insufficient-funds",
            Self::DailyLimitExceeded { .. } => "daily-limit-exceeded",
            Self::AccountFrozen => "account-frozen",
            Self::AccountNotFrozen => "account-not-frozen",
            Self::AccountClosed => "account-closed",
            Self::AccountNotEmpty { .. } => "account-not-empty",
            Self::CurrencyMismatch { .. } => "currency-mismatch",
            Self::BalanceTooLarge => "balance-too-large",
            Self::TooManyHolds => "too-many-holds",
            Self::HoldExpired => "hold-expired",
            Self::HoldNotOpen => "hold-not-open",
            Self::AmountExceedsHold { .. } => "amount-exceeds-hold",
            Self::AlreadyReversed => "already-reversed",
            Self::SentToAnotherBank => "sent-to-another-bank",
            Self::Concluded(_) => "transfer-concluded",
        }
    }

    fn kind(&self) -> RejectionKind {
        match self {
            Self::NoAccount | Self::NoTransfer | Self::NoHold => RejectionKind::NotFound,
            _ => RejectionKind::Conflict,
        }
    }
}
