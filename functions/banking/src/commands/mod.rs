//! The commands of banking, one file each: the body with its bounds, the path, the refusals, an example and the
//! decision. Routes, checks and the OpenAPI document follow from these files.
//!
//! A command that moves or reserves money is a joint decision: the legs of a transfer and its record are commits of one
//! transaction, or none of them is made.

mod amounts;
mod capture_hold;
mod close_account;
mod deposit;
mod freeze_account;
mod interbank;
mod make_transfer;
mod making;
mod moved;
mod open_account;
mod place_hold;
mod release_expired_holds;
mod release_hold;
mod reverse_transfer;
mod send_transfer;
mod set_limits;
mod unfreeze_account;
mod withdraw;

use ledgerfold::commands;
use ledgerfold_lambda::http::Api;

use crate::domain::Accounts;

pub use amounts::Amount;
pub use capture_hold::CaptureHold;
pub use close_account::CloseAccount;
pub use deposit::Deposit;
pub use freeze_account::FreezeAccount;
pub use interbank::{Action, Interbank, InterbankStep, received_as};
pub use make_transfer::{MakeTransfer, MakesTransfer};
pub use making::{MakesSomething, Making};
pub use moved::{Moved, MovedLeg};
pub use open_account::OpenAccount;
pub use place_hold::PlaceHold;
pub use release_expired_holds::ReleaseExpiredHolds;
pub use release_hold::{ReleaseHold, Releasing};
pub use reverse_transfer::{
    ReverseBetweenAccounts, ReverseBetweenBanks, ReverseTransfer, ReverseWithTheBank,
    ReversesTransfer, Reversing,
};
pub use send_transfer::SendTransfer;
pub use set_limits::SetLimits;
pub use unfreeze_account::UnfreezeAccount;
pub use withdraw::Withdraw;

commands! {
    /// A command to an account alone.
    pub enum AccountCommand of Accounts {
        OpenAccount,
        SetLimits,
        FreezeAccount,
        UnfreezeAccount,
        CloseAccount,
        ReleaseExpiredHolds,
    }
}

/// Adds the commands that HTTP offers.
pub(crate) fn add_to(api: Api) -> Api {
    api.command::<OpenAccount>()
        .command::<SetLimits>()
        .command::<FreezeAccount>()
        .command::<UnfreezeAccount>()
        .command::<CloseAccount>()
        .joint_command::<Deposit>()
        .joint_command::<Withdraw>()
        .command_with::<MakeTransfer, MakesTransfer>()
        .command_with::<ReverseTransfer, ReversesTransfer>()
        .joint_command::<PlaceHold>()
        .joint_command::<CaptureHold>()
        .joint_command::<ReleaseHold>()
}
