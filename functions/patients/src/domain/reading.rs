//! The rule of reads of a patient's data. It sees the patient's own stream and nothing else.

use std::collections::BTreeSet;

use ledgerfold::{Caller, Role, Timestamp};
use patients_events::{Purpose, RecordKind};

use super::{Consent, Patient, access};

/// The data that a caller may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The caller may read records of these kinds, and the demographics.
    Allowed {
        /// The kinds of records.
        kinds: BTreeSet<RecordKind>,
        /// Whether only an emergency access allows it.
        emergency: bool,
    },
    /// The caller may read nothing.
    NoConsent,
}

impl Reading {
    /// Everything.
    pub fn all() -> Self {
        Self::Allowed { kinds: RecordKind::ALL.into(), emergency: false }
    }
}

/// Whether the caller may read the patient's data for this purpose at this time, and which.
///
/// - The patient itself reads everything.
/// - A clinician reads the kinds that consents for this purpose cover. The consent names the clinician or one of its
///   roles, was not withdrawn, and its time is not over.
/// - A clinician with an open emergency access reads everything, if its purpose is the emergency or the treatment.
///
/// Nobody else reads anything. Consents only add: a kind without a consent is refused.
pub fn may_read(patient: &Patient, caller: &Caller, purpose: Purpose, at: Timestamp) -> Reading {
    if access::is_self(caller, patient) {
        return Reading::all();
    }
    if !caller.has_role(&access::CLINICIAN) {
        return Reading::NoConsent;
    }
    let covering = patient.consents.values().filter(|it| it.covers(caller, purpose, at));
    let consented: Vec<_> = covering.map(Consent::kinds).collect();
    let kinds: BTreeSet<_> = consented.iter().flatten().copied().collect();
    if kinds.len() < RecordKind::ALL.len() && has_emergency_access(patient, caller, purpose, at) {
        return Reading::Allowed { kinds: RecordKind::ALL.into(), emergency: true };
    }
    if consented.is_empty() {
        return Reading::NoConsent;
    }
    Reading::Allowed { kinds, emergency: false }
}

fn has_emergency_access(
    patient: &Patient,
    caller: &Caller,
    purpose: Purpose,
    at: Timestamp,
) -> bool {
    let is_for_it = matches!(purpose, Purpose::Emergency | Purpose::Treatment);
    let access = patient.emergencies.get(caller.subject.as_str());
    is_for_it && access.is_some_and(|access| at < access.until)
}

impl Consent {
    /// Whether the consent counts for this caller and purpose at this time.
    fn covers(&self, caller: &Caller, purpose: Purpose, at: Timestamp) -> bool {
        let names = self.grantee == caller.subject
            || Role::new(self.grantee.as_str()).is_ok_and(|role| caller.has_role(&role));
        names && self.purposes.contains(&purpose) && self.until.is_none_or(|until| at < until)
    }

    fn kinds(&self) -> BTreeSet<RecordKind> {
        self.kinds.clone().unwrap_or_else(|| RecordKind::ALL.into())
    }
}

/// The role in which a caller reads, for the access log.
pub fn role_of(caller: &Caller, patient: &Patient) -> &'static str {
    if access::is_self(caller, patient) {
        return "patient";
    }
    let roles = [
        (access::CLINICIAN, "clinician"),
        (access::PRIVACY_OFFICER, "privacy-officer"),
        (access::REGISTRAR, "registrar"),
        (access::PATIENT, "patient"),
    ];
    roles.iter().find(|(role, _)| caller.has_role(role)).map_or("none", |(_, name)| name)
}
