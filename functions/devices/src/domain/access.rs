//! The rules of access: the permissions of each role.
//!
//! | role | may |
//! | --- | --- |
//! | `device` | send its own readings: the id of the device is the subject of its token |
//! | `operator` | everything |
//!
//! To a device, no other device exists.

use ledgerfold::{Access, Caller, EntityId, Role};

const DEVICE: Role = Role::from_static("device");
const OPERATOR: Role = Role::from_static("operator");

/// The rule for everything but sending readings.
pub fn by_operator(caller: &Caller) -> Access {
    Access::allowed_if(caller.has_role(&OPERATOR))
}

/// The rule for the readings of a device.
pub fn by_device(caller: &Caller, device: &EntityId) -> Access {
    if caller.has_role(&OPERATOR) {
        return Access::Allowed;
    }
    match caller.has_role(&DEVICE) {
        true => Access::visible_if(caller.subject.as_str() == device.as_str()),
        false => Access::Forbidden,
    }
}
