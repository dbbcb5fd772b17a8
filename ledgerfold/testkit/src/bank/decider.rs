//! The rules of accounts, and the releases of their program.

use std::marker::PhantomData;

use ledgerfold::{Category, Claim, Decider, DecisionContext, SnapshotPolicy, Snapshots, UniqueKey};

use super::{
    Account, AccountCommand, AccountEvent, AccountRejection, Closed, Deposited, FORBIDDEN,
    LoanCalled, LoanGranted, LoanRepaid, Moved, NoteWritten, Opened, Withdrawn,
};

/// The domain of accounts, in a release of its program.
pub struct Accounts<R = Today>(PhantomData<fn() -> R>);

/// The differences between the releases of a program. By default it has neither snapshots nor claims.
pub trait Release: Send + Sync + 'static {
    /// See [`Decider::CLAIMS_REVISION`].
    const CLAIMS_REVISION: u32 = 1;

    /// How many bytes of the newest note the state keeps.
    const NOTE_BYTES: usize = 0;

    /// See [`Decider::decide`].
    ///
    /// # Errors
    /// The reason to refuse the command.
    fn decide(
        account: &Account,
        command: &AccountCommand,
        _: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        decide(account, command)
    }

    /// See [`Decider::snapshots`].
    fn snapshots() -> Option<Snapshots<Account>> {
        None
    }

    /// See [`Decider::claims`].
    fn claims(_event: &AccountEvent) -> Vec<Claim> {
        Vec::new()
    }
}

/// The release without snapshots and claims.
#[derive(Debug)]
pub struct Plain;

impl Release for Plain {}

/// The release with a snapshot about every five events, and without claims: addresses are not unique yet.
#[derive(Debug)]
pub struct WithoutClaims;

impl Release for WithoutClaims {
    fn snapshots() -> Option<Snapshots<Account>> {
        Today::snapshots()
    }
}

/// The release with all features: a snapshot about every five events, and unique addresses.
#[derive(Debug)]
pub struct Today;

impl Release for Today {
    fn snapshots() -> Option<Snapshots<Account>> {
        Some(Snapshots::of::<Accounts>(1).every(SnapshotPolicy { events: 5, bytes: 4_096 }))
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        address_claims(event)
    }
}

impl<R: Release> Decider for Accounts<R> {
    type Command = AccountCommand;
    type Event = AccountEvent;
    type State = Account;
    type Rejection = AccountRejection;

    const CATEGORY: Category = Category::from_static("account");
    const CLAIMS_REVISION: u32 = R::CLAIMS_REVISION;

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
            AccountEvent::NoteWritten(NoteWritten { text }) => {
                let newest_note = text.get(..R::NOTE_BYTES).unwrap_or(text).to_owned();
                Account { newest_note, ..account }
            }
            AccountEvent::LoanGranted(LoanGranted { amount }) => {
                Account { loan: *amount, ..account }
            }
            AccountEvent::LoanRepaid(_) => Account { loan: 0, ..account },
            AccountEvent::LoanCalled(_) => account,
        }
    }

    fn decide(
        account: &Account,
        command: &AccountCommand,
        context: &DecisionContext<'_>,
    ) -> Result<Vec<AccountEvent>, AccountRejection> {
        R::decide(account, command, context)
    }

    fn snapshots() -> Option<Snapshots<Account>> {
        R::snapshots()
    }

    fn claims(event: &AccountEvent) -> Vec<Claim> {
        R::claims(event)
    }
}

/// The decision of every release that has none of its own.
///
/// # Errors
/// The reason to refuse the command.
pub fn decide(
    account: &Account,
    command: &AccountCommand,
) -> Result<Vec<AccountEvent>, AccountRejection> {
    match (&account.email, command) {
        (_, AccountCommand::Write(notes)) => write(notes),
        (_, AccountCommand::Borrow(amount)) => {
            let note = NoteWritten { text: format!("a loan of {amount}") };
            Ok(vec![note.into(), LoanGranted { amount: *amount }.into()])
        }
        (_, AccountCommand::Repay) if account.loan == 0 => Err(AccountRejection::NoLoan),
        (_, AccountCommand::Repay) => Ok(vec![LoanRepaid {}.into()]),
        (_, AccountCommand::CallLoan) if account.loan == 0 => Ok(Vec::new()),
        (_, AccountCommand::CallLoan) => Ok(vec![LoanCalled {}.into()]),
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
        (Some(email), AccountCommand::Close) => Ok(vec![Closed { email: email.clone() }.into()]),
    }
}

fn write(notes: &[String]) -> Result<Vec<AccountEvent>, AccountRejection> {
    if notes.iter().any(|text| text == FORBIDDEN) {
        return Err(AccountRejection::Forbidden);
    }
    Ok(notes.iter().map(|text| NoteWritten { text: text.clone() }.into()).collect())
}

/// The claims of an event, if addresses are unique.
pub fn address_claims(event: &AccountEvent) -> Vec<Claim> {
    match event {
        AccountEvent::Opened(opened) => vec![Claim::Reserve(email(&opened.email))],
        AccountEvent::Moved(Moved { from, to }) => {
            vec![Claim::Release(email(from)), Claim::Reserve(email(to))]
        }
        AccountEvent::Closed(closed) => vec![Claim::Release(email(&closed.email))],
        _ => Vec::new(),
    }
}

/// The unique key of an address.
///
/// # Panics
/// If the address is empty or has more than 512 bytes.
pub fn email(address: &str) -> UniqueKey {
    UniqueKey::new(Category::from_static("email"), address).expect("an address is short")
}
