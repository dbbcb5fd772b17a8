//! Bank accounts: the example domain of the documentation and of this project's own tests.
//!
//! It uses every feature of a decider: unique e-mail addresses, strict commands, snapshots, and transfers between two
//! accounts. Other contexts see its [public events](PublicAccounts). [`Accounts`] takes the release of the program as a parameter, so that a test can run old and new code side by
//! side.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ledgerfold_testkit::{Sandbox, bank::{AccountCommand, Accounts, Statements}};
//!
//! let bank = Sandbox::<Accounts>::default();
//! bank.run("ada", AccountCommand::Open("ada@example.org".to_owned())).await?;
//! bank.run("ada", AccountCommand::Deposit(900)).await?;
//! let statement = bank.row::<Statements>("ada").await?.expect("the account is open");
//! assert_eq!(statement.balance, 900);
//! # Ok(())
//! # }
//! ```
//!
//! Tools of a single test do not belong here.

mod account;
mod decider;
mod events;
mod public;
mod read_models;
mod transfers;

pub use account::{Account, AccountCommand, AccountRejection, FORBIDDEN};
pub use decider::{Accounts, Plain, Release, Today, WithoutClaims, address_claims, decide, email};
pub use events::{
    AccountEvent, Closed, Deposited, LoanCalled, LoanGranted, LoanRepaid, Moved, NoteEvent,
    NoteWritten, Opened, Withdrawn,
};
pub use public::{AccountClosed, AccountOpened, MoneyMoved, PublicAccountEvent, PublicAccounts};
pub use read_models::{EVENTS, MONEY, OPEN, Statement, Statements, Totals, all_accounts};
pub use transfers::{Transfer, Transfers};
