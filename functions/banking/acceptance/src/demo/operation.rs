//! The operations of the demo. Accounts, transfers and holds have numbers here, because the service chooses the real ids.

use std::collections::BTreeSet;
use std::fmt;

/// The number of an account.
pub type AccountNo = usize;
/// The number of a transfer that the service accepts.
pub type TransferNo = usize;
/// The number of a hold that the service accepts.
pub type HoldNo = usize;

/// An amount of a currency in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// The amount.
    pub minor: i64,
    /// ISO 4217 code.
    pub currency: &'static str,
}

/// A command, or in one case several that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Money from outside.
    Deposit {
        /// The account.
        to: AccountNo,
        /// The amount.
        amount: Amount,
    },
    /// Money to the outside.
    Withdraw {
        /// The account.
        from: AccountNo,
        /// The amount.
        amount: Amount,
    },
    /// Money between two accounts.
    Transfer {
        /// The debited account.
        from: AccountNo,
        /// The credited account, or none for an account that does not exist.
        to: Option<AccountNo>,
        /// The amount.
        amount: Amount,
    },
    /// A transfer back.
    Reverse {
        /// The transfer.
        transfer: TransferNo,
        /// The debited account, unless it is one of the bank.
        payer: Option<AccountNo>,
        /// The credited account, unless it is one of the bank.
        receiver: Option<AccountNo>,
    },
    /// A hold of an hour.
    Hold {
        /// The account.
        on: AccountNo,
        /// The amount.
        amount: Amount,
    },
    /// A capture of a hold.
    Capture {
        /// The hold.
        hold: HoldNo,
        /// The account of the hold.
        from: AccountNo,
        /// The credited account.
        to: AccountNo,
        /// The amount.
        amount: Amount,
    },
    /// The release of a hold.
    Release {
        /// The hold.
        hold: HoldNo,
        /// The account of the hold.
        on: AccountNo,
    },
    /// A hold of a second, and a capture after its end, which must be refused.
    Expire {
        /// The account.
        on: AccountNo,
        /// The account that the capture would credit.
        to: AccountNo,
        /// The amount.
        amount: Amount,
        /// The sum of the other holds of the account.
        held: i64,
    },
    /// A freeze.
    Freeze {
        /// The account.
        on: AccountNo,
    },
    /// The end of a freeze.
    Unfreeze {
        /// The account.
        on: AccountNo,
    },
    /// A daily limit.
    Limit {
        /// The account.
        on: AccountNo,
        /// The limit.
        daily: Amount,
    },
}

impl Operation {
    /// The name in the report.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Deposit { .. } => "deposit",
            Self::Withdraw { .. } => "withdraw",
            Self::Transfer { .. } => "transfer",
            Self::Reverse { .. } => "reverse",
            Self::Hold { .. } => "hold",
            Self::Capture { .. } => "capture",
            Self::Release { .. } => "release",
            Self::Expire { .. } => "capture of an expired hold",
            Self::Freeze { .. } => "freeze",
            Self::Unfreeze { .. } => "unfreeze",
            Self::Limit { .. } => "limit",
        }
    }

    /// The accounts whose state decides the answer, or that it changes.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountNo> {
        match *self {
            Self::Deposit { to: on, .. }
            | Self::Withdraw { from: on, .. }
            | Self::Hold { on, .. }
            | Self::Release { on, .. }
            | Self::Expire { on, .. }
            | Self::Freeze { on }
            | Self::Unfreeze { on }
            | Self::Limit { on, .. } => vec![on],
            Self::Transfer { from, to, .. } => [Some(from), to].into_iter().flatten().collect(),
            Self::Capture { from, to, .. } => vec![from, to],
            Self::Reverse { payer, receiver, .. } => {
                [payer, receiver].into_iter().flatten().collect()
            }
        }
    }

    /// Whether the service recognises it for ever.
    #[must_use]
    pub const fn moves_money(&self) -> bool {
        matches!(
            self,
            Self::Deposit { .. }
                | Self::Withdraw { .. }
                | Self::Transfer { .. }
                | Self::Reverse { .. }
                | Self::Capture { .. }
        )
    }

    /// The status of its success. Operations that make something have 201.
    #[must_use]
    pub const fn success(&self) -> u16 {
        match self {
            Self::Transfer { .. }
            | Self::Reverse { .. }
            | Self::Hold { .. }
            | Self::Capture { .. } => 201,
            _ => 200,
        }
    }

    /// The account of cash. The answer to a movement of cash does not name its transfer.
    #[must_use]
    pub const fn of_cash(&self) -> Option<AccountNo> {
        match *self {
            Self::Deposit { to: account, .. } | Self::Withdraw { from: account, .. } => {
                Some(account)
            }
            _ => None,
        }
    }
}

/// How often an operation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sends {
    /// Once.
    Once,
    /// So many times at once, with one key.
    AtOnce(usize),
    /// Once, and then another request with its key, which must be refused.
    Misused,
}

/// A status with the name of the problem, or `accepted`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The name of the problem, or `accepted`.
    pub reason: String,
}

impl Reply {
    /// The reply to a command that takes effect.
    #[must_use]
    pub fn accepted(status: u16) -> Self {
        Self { status, reason: ACCEPTED.to_owned() }
    }

    /// The reply of a rule.
    #[must_use]
    pub fn refused(rule: &str) -> Self {
        let status = if rule == NOT_FOUND { 404 } else { 409 };
        Self { status, reason: rule.to_owned() }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)
    }
}

/// The reason of a success.
pub const ACCEPTED: &str = "accepted";
/// The problem of something that does not exist.
pub const NOT_FOUND: &str = "not-found";

/// A step of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A new operation.
    New {
        /// The operation.
        operation: Operation,
        /// How often it is sent.
        sends: Sends,
        /// The possible replies. There are several if it breaks several rules, because the contract does not order them.
        expected: BTreeSet<Reply>,
        /// The number of the transfer that it makes.
        transfer: Option<TransferNo>,
        /// The number of the hold that it makes.
        hold: Option<HoldNo>,
    },
    /// An earlier step is sent again, long after its answer.
    Again {
        /// The earlier step.
        step: usize,
        /// Its accounts.
        accounts: Vec<AccountNo>,
    },
}

impl Step {
    /// The accounts that no other step may use at the same time.
    #[must_use]
    pub fn accounts(&self) -> Vec<AccountNo> {
        match self {
            Self::New { operation, .. } => operation.accounts(),
            Self::Again { accounts, .. } => accounts.clone(),
        }
    }
}
