//! The history as FHIR R4, checked by a library that shares no code with the service.

use std::{fs::write, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::stage::{Stage, doctor, patient, record};

/// The types of the resources in a bundle, or the complaint of the library.
fn checked(bundle: &Value) -> Result<Vec<String>, String> {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join("bundle.json");
    write(&file, bundle.to_string()).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/fhir.sh");
    let run = Command::new(script).arg(&file).output().expect("bash runs");
    let out = String::from_utf8_lossy(&run.stdout).into_owned();
    match run.status.success() {
        true => Ok(out.lines().map(str::to_owned).collect()),
        false => Err(out + &String::from_utf8_lossy(&run.stderr)),
    }
}

async fn bundle() -> Value {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = |part: &str| format!("/patients/{id}{part}");
    for kind in ["observation", "condition", "medication", "procedure", "note"] {
        let added = stage.post(&doctor(), &path("/records"), kind, &record(kind, "x")).await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    let consent = json!({
        "grantee": "dr-1", "kinds": ["observation", "note"], "until": "2027-01-01T00:00:00Z",
        "purposes": ["treatment", "payment", "operations", "research", "patient-request", "emergency"],
    });
    let given = stage.post(&patient(&id), &path("/consents"), "c", &consent).await;
    let location = given.header("Location").expect("a Location").to_owned();
    let consent = location.rsplit('/').next().expect("an id").to_owned();
    let withdraw = path(&format!("/consents/{consent}/withdraw"));
    assert_eq!(stage.post(&patient(&id), &withdraw, "w", &json!({})).await.status, 200);
    let reason = json!({"reason": "accident"});
    let access = stage.post(&doctor(), &path("/emergency-access"), "e", &reason).await;
    assert_eq!(access.status, 201, "{access:?}");
    let with = [("purpose-of-use", "patient-request"), ("accept", "application/fhir+json")];
    let history = stage.get_with(&patient(&id), &path("/history"), &with).await;
    assert_eq!(history.header("Content-Type"), Some("application/fhir+json"));
    history.body
}

#[tokio::test]
async fn a_library_for_fhir_accepts_the_history() {
    let bundle = bundle().await;
    let types = checked(&bundle).expect("it is FHIR");
    let expected = [
        "Patient",
        "Observation",
        "Condition",
        "MedicationStatement",
        "Procedure",
        "Observation",
        "Consent",
        "Consent",
        "AuditEvent",
    ];
    assert_eq!(types, expected);

    // A check that cannot fail proves nothing.
    let mut broken = bundle;
    if let Some(consent) = broken["entry"][6]["resource"].as_object_mut() {
        consent.remove("scope");
    }
    let complaint = checked(&broken).expect_err("a consent needs a scope");
    assert!(complaint.contains("scope"), "{complaint}");
}
