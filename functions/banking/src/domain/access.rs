//! The rules of access: the permissions of each role.
//!
//! | role | may |
//! | --- | --- |
//! | `owner` | open accounts for itself without an overdraft, move money out of its own accounts, and see them |
//! | `teller` | everything but limits and the trial balance |
//! | `auditor` | see everything |
//! | `manager` | everything |
//!
//! To an owner, an account of somebody else does not exist. The owner can still send money to it.

use ledgerfold::{Access, Caller, EntityId, Role};

use super::{AccountState, TransferState};

const OWNER: Role = Role::from_static("owner");
const TELLER: Role = Role::from_static("teller");
const AUDITOR: Role = Role::from_static("auditor");
const MANAGER: Role = Role::from_static("manager");

/// Whether the caller is a manager.
pub fn is_manager(caller: &Caller) -> bool {
    caller.has_role(&MANAGER)
}

/// Whether the caller works with the accounts of all customers.
pub fn is_staff(caller: &Caller) -> bool {
    is_manager(caller) || caller.has_role(&TELLER)
}

/// Whether the caller is this owner.
pub fn is_owner(caller: &Caller, owner_id: &EntityId) -> bool {
    caller.has_role(&OWNER) && caller.subject.as_str() == owner_id.as_str()
}

/// Whether the caller sees everything.
pub fn sees_everything(caller: &Caller) -> bool {
    is_staff(caller) || caller.has_role(&AUDITOR)
}

/// Whether the caller may see the trial balance.
pub fn sees_trial_balance(caller: &Caller) -> bool {
    is_manager(caller) || caller.has_role(&AUDITOR)
}

/// The rule for everything that an owner may see.
pub fn of_owner(caller: &Caller, owner_id: &EntityId) -> Access {
    Access::visible_if(sees_everything(caller) || is_owner(caller, owner_id))
}

/// The rule for a movement of money out of an account.
pub fn by_owner(caller: &Caller, state: &AccountState) -> Access {
    let is_own = |owner_id: &EntityId| is_owner(caller, owner_id);
    by(caller, state, state.as_ref().is_some_and(|account| is_own(&account.owner_id)))
}

/// The rule for a command that only staff may send.
pub fn by_staff(caller: &Caller, state: &AccountState) -> Access {
    by(caller, state, false)
}

/// The rule for a command that only a manager may send.
pub fn by_manager(caller: &Caller, state: &AccountState) -> Access {
    match by_staff(caller, state) {
        Access::Allowed if state.is_some() => Access::allowed_if(is_manager(caller)),
        access => access,
    }
}

/// Staff may send the command, and the caller too if `also` is true. Any other caller that sees the account is refused.
fn by(caller: &Caller, state: &AccountState, also: bool) -> Access {
    match state {
        _ if is_staff(caller) || also => Access::Allowed,
        // The decision answers that there is no such account.
        None => Access::Allowed,
        Some(account) => match of_owner(caller, &account.owner_id) {
            Access::Allowed => Access::Forbidden,
            access => access,
        },
    }
}

/// The rule for the reversal of a transfer: it moves money out of the account that was credited.
pub fn by_receiver(caller: &Caller, state: &TransferState) -> Access {
    let Some(transfer) = state else { return Access::Allowed };
    let is = |owner: Option<&EntityId>| owner.is_some_and(|it| is_owner(caller, it));
    if is_staff(caller) || is(transfer.to_owner()) {
        return Access::Allowed;
    }
    if sees_everything(caller) || is(transfer.from_owner()) {
        Access::Forbidden
    } else {
        Access::Hidden
    }
}
