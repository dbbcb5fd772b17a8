//! Accounts, a domain that uses all features of a store: unique e-mail addresses, strict commands, and frequent
//! snapshots.

use super::notebook;
use std::sync::LazyLock;

use ledgerfold::{
    Category, Claim, Command, CommandName, Decider, EntityId, Idempotency, Rejection,
    SnapshotPolicy, Snapshots, StreamId, UniqueKey,
    command::{CommandRequest, JointDecider},
    events,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The domain of accounts.
#[derive(Clone, Copy, Debug)]
pub struct Accounts;

/// A command for an account.
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
}

impl Command for AccountCommand {
    fn name(&self) -> CommandName {
        CommandName::from_static(match self {
            Self::Open(_) => "Open",
            Self::Deposit(_) => "Deposit",
            Self::DepositAll(_) => "DepositAll",
            Self::DepositOnce(_) => "DepositOnce",
            Self::Move(_) => "Move",
            Self::Close => "Close",
        })
    }

    fn idempotency(&self) -> Idempotency {
        match self {
            Self::DepositOnce(_) => Idempotency::Strict,
            _ => Idempotency::Window,
        }
    }
}

/// The account was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Opened {
    /// The owner's address.
    pub email: String,
}

/// An amount was deposited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deposited {
    /// The amount.
    pub amount: u64,
}

/// An amount was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Withdrawn {
    /// The amount.
    pub amount: u64,
}

/// The owner's address changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// The former address.
    pub from: String,
    /// The new address.
    pub to: String,
}

/// The account was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// The owner's last address.
    pub email: String,
}

events! {
    /// The events of an account.
    pub enum AccountEvent {
        Opened: 1,
        Deposited: 1,
        Withdrawn: 1,
        Moved: 1,
        Closed: 1,
    }
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Its owner's address while it is open.
    pub email: Option<String>,
    /// Its balance.
    pub balance: u64,
    /// How many events it has seen: a snapshot that counts one twice shows here.
    pub events: u64,
}

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
}

impl Rejection for AccountRejection {
    fn rule(&self) -> &'static str {
        match self {
            Self::Open => "account-open",
            Self::NotOpen => "account-not-open",
            Self::TooLittle => "too-little",
        }
    }
}

/// The unique key of an address.
///
/// # Panics
/// If the address is empty or has more than 512 bytes.
pub fn email(address: &str) -> UniqueKey {
    UniqueKey::new(Category::from_static("email"), address).expect("an address is short")
}

impl Decider for Accounts {
    type Command = AccountCommand;
    type Event = AccountEvent;
    type State = Account;
    type Rejection = AccountRejection;

    const CATEGORY: Category = Category::from_static("account");

    fn initial() -> Account {
        Account::default()
    }

    fn evolve(account: Account, event: &AccountEvent) -> Account {
        let events = account.events + 1;
        let account = Account { events, ..account };
        match event {
            AccountEvent::Opened(Opened { email })
            | AccountEvent::Moved(Moved { to: email, .. }) => {
                Account { email: Some(email.clone()), ..account }
            }
            AccountEvent::Deposited(Deposited { amount }) => {
                Account { balance: account.balance.saturating_add(*amount), ..account }
            }
            AccountEvent::Withdrawn(Withdrawn { amount }) => {
                Account { balance: account.balance.saturating_sub(*amount), ..account }
            }
            AccountEvent::Closed(_) => Account { email: None, ..account },
        }
    }

    fn decide(
        account: &Account,
        command: &AccountCommand,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        match (&account.email, command) {
            (None, AccountCommand::Open(email)) => Ok(vec![Opened { email: email.clone() }.into()]),
            (Some(_), AccountCommand::Open(_)) => Err(AccountRejection::Open),
            (None, _) => Err(AccountRejection::NotOpen),
            (Some(_), AccountCommand::Deposit(amount) | AccountCommand::DepositOnce(amount)) => {
                Ok(vec![Deposited { amount: *amount }.into()])
            }
            (Some(_), AccountCommand::DepositAll(amounts)) => {
                Ok(amounts.iter().map(|amount| Deposited { amount: *amount }.into()).collect())
            }
            (Some(from), AccountCommand::Move(to)) => {
                Ok(vec![Moved { from: from.clone(), to: to.clone() }.into()])
            }
            (Some(email), AccountCommand::Close) => {
                Ok(vec![Closed { email: email.clone() }.into()])
            }
        }
    }

    fn snapshots() -> Option<Snapshots<Account>> {
        // Computed once, because a simulation starts very many handlers.
        static SNAPSHOTS: LazyLock<Snapshots<Account>> = LazyLock::new(|| {
            Snapshots::of::<Accounts>(1).every(SnapshotPolicy { events: 5, bytes: 4_096 })
        });
        Some(SNAPSHOTS.clone())
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        match event {
            AccountEvent::Opened(opened) => vec![Claim::Reserve(email(&opened.email))],
            AccountEvent::Moved(Moved { from, to }) => {
                vec![Claim::Release(email(from)), Claim::Reserve(email(to))]
            }
            AccountEvent::Closed(closed) => vec![Claim::Release(email(&closed.email))],
            AccountEvent::Deposited(_) | AccountEvent::Withdrawn(_) => Vec::new(),
        }
    }
}

/// The same domain before it had claims. Its addresses are not reserved.
#[derive(Clone, Copy, Debug)]
pub struct AccountsWithoutClaims;

impl Decider for AccountsWithoutClaims {
    type Command = AccountCommand;
    type Event = AccountEvent;
    type State = Account;
    type Rejection = AccountRejection;

    const CATEGORY: Category = Accounts::CATEGORY;

    fn initial() -> Account {
        Accounts::initial()
    }

    fn evolve(account: Account, event: &AccountEvent) -> Account {
        Accounts::evolve(account, event)
    }

    fn decide(
        account: &Account,
        command: &AccountCommand,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        Accounts::decide(account, command)
    }

    fn snapshots() -> Option<Snapshots<Account>> {
        Accounts::snapshots()
    }
}

/// Transfers from one account to another.
#[derive(Clone, Copy, Debug)]
pub struct Transfers;

/// Transfers this amount from the first account to the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer(pub u64);

impl Command for Transfer {
    fn name(&self) -> CommandName {
        CommandName::from_static("Transfer")
    }
}

impl JointDecider for Transfers {
    type Command = Transfer;
    type Parts = (Accounts, Accounts);
    type Rejection = AccountRejection;

    fn decide(
        (from, to): (&Account, &Account),
        Transfer(amount): &Transfer,
    ) -> Result<(Vec<AccountEvent>, Vec<AccountEvent>), AccountRejection> {
        match (&from.email, &to.email) {
            (Some(_), Some(_)) if from.balance < *amount => Err(AccountRejection::TooLittle),
            (Some(_), Some(_)) => Ok((
                vec![Withdrawn { amount: *amount }.into()],
                vec![Deposited { amount: *amount }.into()],
            )),
            _ => Err(AccountRejection::NotOpen),
        }
    }
}

/// A new account.
pub fn fresh() -> StreamId {
    let id = EntityId::new(Uuid::new_v4().to_string()).expect("a UUID is an id");
    StreamId::new(Accounts::CATEGORY, id)
}

/// A new address.
pub fn fresh_address() -> String {
    format!("{}@example.org", Uuid::new_v4())
}

/// A request whose command id is the name of the attempt.
pub fn ask<C>(stream: &StreamId, attempt: &str, command: C) -> CommandRequest<C> {
    let CommandRequest { id, context, .. } = notebook::write(stream, attempt, &[]);
    CommandRequest::new(stream.clone(), command, id).in_context(context)
}
