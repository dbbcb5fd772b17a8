//! The history of a patient as resources of FHIR R4 (<https://hl7.org/fhir/R4/>).
//!
//! | event | resource |
//! | --- | --- |
//! | registration | `Patient` |
//! | record | `Observation` (also for a note), `Condition`, `MedicationStatement` or `Procedure` |
//! | consent, withdrawal | `Consent` |
//! | emergency access, its end | `AuditEvent` |
//!
//! Each version of the history is an entry. A retraction shows the record as entered in error.

use ledgerfold::EntityId;
use patients_events::{
    ConsentGiven, Demographics, PatientEvent, Purpose, Reason, RecordContent, RecordKind,
};
use serde_json::{Value, json};

use crate::queries::Past;

/// The opened content of an event.
pub(crate) enum Opened {
    /// The demographics.
    Demographics(Demographics),
    /// A record, with the reason of its amendment.
    Record {
        /// Its content.
        content: RecordContent,
        /// The reason of the amendment.
        reason: Option<Reason>,
    },
    /// The reason of a retraction or of an emergency access.
    Reason(Reason),
    /// The caller may not read it.
    Hidden,
    /// The event has no personal data.
    Nothing,
}

const ACTIONS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// A page of the history as a bundle. `next` is the cursor of the next page.
pub(crate) fn bundle(patient: &EntityId, past: &[Past], next: Option<&str>) -> Value {
    let resources = past.iter().filter_map(|it| resource(patient, it));
    let entries: Vec<_> = resources.map(|resource| json!({"resource": resource})).collect();
    let mut bundle = json!({"resourceType": "Bundle", "type": "collection"});
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    if let Some(next) = next {
        bundle["link"] = json!([{"relation": "next", "url": format!("?cursor={next}")}]);
    }
    bundle
}

fn resource(patient: &EntityId, past: &Past) -> Option<Value> {
    let mut resource = match (&past.event, &past.opened) {
        (PatientEvent::PatientRegistered(_), Opened::Demographics(it)) => person(patient, it),
        (PatientEvent::RecordAdded(it), Opened::Record { content, .. }) => {
            record(patient, &it.record, it.kind, content, false)
        }
        (PatientEvent::RecordAmended(it), Opened::Record { content, .. }) => {
            record(patient, &it.record, it.kind, content, true)
        }
        (PatientEvent::ConsentGiven(it), _) => consent(patient, it),
        (PatientEvent::ConsentWithdrawn(it), _) => withdrawn(patient, it.consent.as_str()),
        (PatientEvent::EmergencyAccessStarted(it), _) => {
            emergency(patient, &it.access, Some(it.clinician.as_str()), past)
        }
        (PatientEvent::EmergencyAccessEnded(it), _) => emergency(patient, &it.access, None, past),
        _ => return None,
    };
    resource["meta"] = json!({
        "versionId": past.envelope.version.to_string(),
        "lastUpdated": past.envelope.metadata.recorded_at.to_string(),
    });
    Some(resource)
}

fn subject(patient: &EntityId) -> Value {
    json!({"reference": format!("Patient/{patient}")})
}

fn person(patient: &EntityId, it: &Demographics) -> Value {
    let identifiers: Vec<_> = it.identifiers.iter().map(|it| json!(it)).collect();
    let mut person = json!({
        "resourceType": "Patient",
        "id": patient,
        "name": [{"text": it.name}],
        "birthDate": it.birth_date,
        "identifier": identifiers,
    });
    let email = it.contact.email.iter().map(|it| json!({"system": "email", "value": it.0}));
    let phone = it.contact.phone.iter().map(|it| json!({"system": "phone", "value": it.0}));
    let telecom: Vec<_> = email.chain(phone).collect();
    if !telecom.is_empty() {
        person["telecom"] = telecom.into();
    }
    person
}

fn record(
    patient: &EntityId,
    id: &EntityId,
    kind: RecordKind,
    content: &RecordContent,
    is_amended: bool,
) -> Value {
    let code = json!({"coding": [content.code], "text": content.code.display});
    let at = content.effective_at.to_string();
    let note = json!([{"text": content.text}]);
    match kind {
        RecordKind::Observation | RecordKind::Note => json!({
            "resourceType": "Observation",
            "id": id,
            "status": if is_amended { "amended" } else { "final" },
            "code": code,
            "subject": subject(patient),
            "effectiveDateTime": at,
            "valueString": content.text,
        }),
        RecordKind::Condition => json!({
            "resourceType": "Condition",
            "id": id,
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "active",
            }]},
            "code": code,
            "subject": subject(patient),
            "recordedDate": at,
            "note": note,
        }),
        RecordKind::Medication => json!({
            "resourceType": "MedicationStatement",
            "id": id,
            "status": "active",
            "medicationCodeableConcept": code,
            "subject": subject(patient),
            "effectiveDateTime": at,
            "note": note,
        }),
        RecordKind::Procedure => json!({
            "resourceType": "Procedure",
            "id": id,
            "status": "completed",
            "code": code,
            "subject": subject(patient),
            "performedDateTime": at,
            "note": note,
        }),
    }
}

/// The parts that FHIR requires of every consent.
fn consent_head(patient: &EntityId, id: &str, status: &str) -> Value {
    json!({
        "resourceType": "Consent",
        "id": id,
        "status": status,
        "scope": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": subject(patient),
        "policyRule": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "OPTIN",
        }]},
    })
}

fn consent(patient: &EntityId, it: &ConsentGiven) -> Value {
    let mut consent = consent_head(patient, it.consent.as_str(), "active");
    let purposes: Vec<_> = it.purposes.iter().map(|it| purpose(*it)).collect();
    let role = json!({"coding": [{
        "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "code": "IRCP",
    }]});
    let mut provision = json!({
        "type": "permit",
        "actor": [{"role": role, "reference": {"display": it.grantee.as_str()}}],
        "purpose": purposes,
    });
    if let Some(kinds) = &it.kinds {
        let classes = kinds.iter().map(|kind| {
            json!({"system": "http://hl7.org/fhir/resource-types", "code": resource_type(*kind)})
        });
        provision["class"] = classes.collect();
    }
    if let Some(until) = it.until {
        provision["period"] = json!({"end": until.to_string()});
    }
    consent["provision"] = provision;
    consent
}

fn withdrawn(patient: &EntityId, id: &str) -> Value {
    consent_head(patient, id, "inactive")
}

const fn resource_type(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Observation | RecordKind::Note => "Observation",
        RecordKind::Condition => "Condition",
        RecordKind::Medication => "MedicationStatement",
        RecordKind::Procedure => "Procedure",
    }
}

/// The code of a purpose in HL7's list.
fn purpose(purpose: Purpose) -> Value {
    let code = match purpose {
        Purpose::Treatment => "TREAT",
        Purpose::Payment => "HPAYMT",
        Purpose::Operations => "HOPERAT",
        Purpose::Research => "HRESCH",
        Purpose::PatientRequest => "PATRQT",
        Purpose::Emergency => "BTG",
    };
    json!({"system": ACTIONS, "code": code})
}

/// The start of an emergency access, or its end without a clinician.
fn emergency(patient: &EntityId, access: &EntityId, clinician: Option<&str>, past: &Past) -> Value {
    let (code, display) = match clinician {
        Some(_) => ("110127", "Emergency Override Started"),
        None => ("110138", "Emergency Override Stopped"),
    };
    let dicom = "http://dicom.nema.org/resources/ontology/DCM";
    json!({
        "resourceType": "AuditEvent",
        "id": format!("{access}-{code}"),
        "type": {"system": dicom, "code": "110113", "display": "Security Alert"},
        "subtype": [{"system": dicom, "code": code, "display": display}],
        "recorded": past.envelope.metadata.recorded_at.to_string(),
        "purposeOfEvent": [{"coding": [{"system": ACTIONS, "code": "BTG"}]}],
        "agent": [{
            "who": {"display": clinician.unwrap_or_else(|| past.envelope.metadata.actor.as_str())},
            "requestor": clinician.is_some(),
        }],
        "source": {"observer": {"display": "patients"}},
        "entity": [{"what": subject(patient)}],
    })
}
