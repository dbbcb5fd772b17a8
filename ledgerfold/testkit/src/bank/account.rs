//! The state of an account, its commands, and the reasons to refuse them.

use ledgerfold::{Command, CommandName, Idempotency, Rejection};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The owner's address while the account is open.
    pub email: Option<String>,
    /// The balance in cents.
    pub balance: u64,
    /// The amount of the loan in cents, or 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub loan: u64,
    /// The beginning of the newest note, as long as the [`Release`](super::Release) remembers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub newest_note: String,
    /// The number of folded events, so that a test notices a snapshot that counts an event twice.
    pub events: u64,
}

// serde requires a reference.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
const fn is_zero(amount: &u64) -> bool {
    *amount == 0
}

/// A command for an account.
///
/// Deposits, moves and transfers need an open account. Notes and loans do not, so that a test can begin with one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum AccountCommand {
    /// Opens the account for the owner of this address.
    Open(String),
    /// Deposits this amount.
    Deposit(u64),
    /// Deposits all of these amounts or none.
    DepositAll(Vec<u64>),
    /// Deposits this amount, and never twice.
    DepositOnce(u64),
    /// Changes the owner's address.
    Move(String),
    /// Closes the account, which releases the address.
    Close,
    /// Writes these notes in one commit.
    Write(Vec<String>),
    /// Grants a loan of this amount, and writes a note about it.
    Borrow(u64),
    /// Repays the loan.
    Repay,
    /// Demands the loan back. Without a loan, nothing changes.
    CallLoan,
}

/// The note that an account refuses.
pub const FORBIDDEN: &str = "forbidden";

/// The reasons to refuse a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountRejection {
    /// The account is open already.
    #[error("the account is open")]
    Open,
    /// The account is not open.
    #[error("the account is not open")]
    NotOpen,
    /// The balance is too low.
    #[error("the balance is too low")]
    TooLittle,
    /// There is no loan.
    #[error("the account has no loan")]
    NoLoan,
    /// One of the notes is [`FORBIDDEN`].
    #[error("this note is forbidden")]
    Forbidden,
}

impl Command for AccountCommand {
    const SOME_ARE_STRICT: bool = true;

    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::Open(_) => "Open",
            Self::Deposit(_) => "Deposit",
            Self::DepositAll(_) => "DepositAll",
            Self::DepositOnce(_) => "DepositOnce",
            Self::Move(_) => "Move",
            Self::Close => "Close",
            Self::Write(_) => "Write",
            Self::Borrow(_) => "Borrow",
            Self::Repay => "Repay",
            Self::CallLoan => "CallLoan",
        })
    }

    fn idempotency(&self) -> Idempotency {
        match self {
            Self::DepositOnce(_) => Idempotency::Strict,
            _ => Idempotency::Window,
        }
    }
}

impl Rejection for AccountRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::Open => "account-open",
            Self::NotOpen => "account-not-open",
            Self::TooLittle => "too-little",
            Self::NoLoan => "no-loan",
            Self::Forbidden => "forbidden-note",
        }
    }
}
