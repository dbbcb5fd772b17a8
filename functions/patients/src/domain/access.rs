//! The rules of access to commands: the commands that each caller may send to a patient. [`reading`](super::reading) has the rule
//! of queries.
//!
//! | role | may |
//! | --- | --- |
//! | `registrar` | register patients; give and withdraw consents |
//! | `clinician` | add, amend and retract records; take emergency access |
//! | `patient` | give and withdraw its own consents; see its access log |
//! | `privacy-officer` | see all access logs; erase, and place and lift legal holds |

use ledgerfold::{Access, Caller, Role};

use super::{Patient, PatientState};

/// A registrar registers patients.
pub const REGISTRAR: Role = Role::from_static("registrar");
/// A clinician treats patients.
pub const CLINICIAN: Role = Role::from_static("clinician");
/// A patient. The subject of its token is its id.
pub const PATIENT: Role = Role::from_static("patient");
/// A privacy officer protects the data of patients.
pub const PRIVACY_OFFICER: Role = Role::from_static("privacy-officer");

/// Whether the caller is this patient.
pub fn is_self(caller: &Caller, patient: &Patient) -> bool {
    caller.has_role(&PATIENT) && caller.subject.as_str() == patient.id.as_str()
}

/// The rule for a command that this role may send.
pub fn by(caller: &Caller, role: &Role, state: &PatientState) -> Access {
    let may = caller.has_role(role);
    match state {
        // A patient does not learn which other patients exist.
        Some(patient) if !is_staff(caller) && !is_self(caller, patient) => Access::Hidden,
        _ => Access::allowed_if(may),
    }
}

/// The rule for a command that the patient itself and registrars may send.
pub fn by_patient(caller: &Caller, state: &PatientState) -> Access {
    match state {
        Some(patient) if is_self(caller, patient) => Access::Allowed,
        // The decision answers that there is no such patient.
        None if caller.has_role(&PATIENT) => Access::Allowed,
        state => by(caller, &REGISTRAR, state),
    }
}

/// Whether the caller may know which patients exist.
fn is_staff(caller: &Caller) -> bool {
    [REGISTRAR, CLINICIAN, PRIVACY_OFFICER].iter().any(|role| caller.has_role(role))
}
