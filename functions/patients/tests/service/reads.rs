//! Reads, their refusals, and their record.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::stage::{Stage, doctor, officer, patient, record};

// Guards: a-read-is-recorded-before-its-answer
#[tokio::test]
async fn a_read_is_one_write_and_fails_if_it_cannot_be_recorded() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = format!("/patients/{id}");
    let own = patient(&id);
    let before = stage.log.commits().len();
    let seen = stage.get(&own, &path, "patient-request").await;
    assert_eq!((seen.status, &seen.body["name"]), (200, &json!("Ada Lovelace")));
    assert_eq!(stage.log.commits().len(), before + 1);

    stage.is_closed.store(true, Ordering::SeqCst);
    for part in ["", "/records", "/history", "/accesses", "/erasure"] {
        let path = format!("{path}{part}");
        let allowed = stage.get(&own, &path, "patient-request").await;
        assert_eq!(allowed.problem(), (503, "/problems/unavailable"), "{path}");
        let refused = stage.get(&doctor(), &path, "treatment").await;
        assert_eq!(refused.problem(), (503, "/problems/unavailable"), "{path}");
    }
    assert_eq!(stage.log.commits().len(), before + 1);
}

#[tokio::test]
async fn every_read_names_its_purpose() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let before = stage.log.commits().len();
    for part in ["", "/records", "/history", "/accesses", "/erasure"] {
        let path = format!("/patients/{id}{part}");
        let missing = stage.get_with(&patient(&id), &path, &[]).await;
        assert_eq!(missing.problem(), (400, "/problems/bad-request"), "{path}");
        let unknown = stage.get(&patient(&id), &path, "curiosity").await;
        assert_eq!(unknown.status, 400, "{path}");
    }
    let unknown = stage.get(&doctor(), "/patients/nobody", "treatment").await;
    assert_eq!(unknown.problem(), (404, "/problems/not-found"));
    assert_eq!(stage.log.commits().len(), before, "nothing was read");
}

#[tokio::test]
async fn a_clinician_sees_the_kinds_of_its_consents() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = |part: &str| format!("/patients/{id}{part}");
    for (key, kind) in [("r1", "observation"), ("r2", "note"), ("r3", "observation")] {
        let added = stage.post(&doctor(), &path("/records"), key, &record(kind, key)).await;
        assert_eq!(added.status, 201, "{added:?}");
        let created = added.header("Location").expect("a Location");
        assert!(created.starts_with("records/") || created.contains("/records/"), "{created}");
    }
    let refused = stage.get(&doctor(), &path("/records"), "treatment").await;
    assert_eq!(refused.problem(), (403, "/problems/no-consent"));

    let consent = json!({"grantee": "dr-1", "kinds": ["observation"], "purposes": ["treatment"]});
    let given = stage.post(&patient(&id), &path("/consents"), "c", &consent).await;
    assert_eq!(given.status, 201, "{given:?}");
    let seen = stage.get(&doctor(), &path("/records?limit=1"), "treatment").await;
    assert_eq!(seen.body["items"][0]["text"], "r1", "{seen:?}");
    let cursor = seen.body["nextCursor"].as_str().expect("another page").to_owned();
    let next = path(&format!("/records?limit=1&cursor={cursor}"));
    let seen = stage.get(&doctor(), &next, "treatment").await;
    assert_eq!(seen.body["items"][0]["text"], "r3", "the note is left out: {seen:?}");
    assert_eq!(seen.body["nextCursor"], json!(null));

    let history = stage.get(&doctor(), &path("/history"), "treatment").await;
    let items = history.body["items"].as_array().expect("a list");
    let hidden: Vec<_> = items.iter().filter(|it| it["data"].is_null()).collect();
    assert_eq!(hidden.len(), 1, "the note: {items:?}");

    let seen = stage.get(&officer(), &path("/accesses"), "operations").await;
    let items = seen.body["items"].as_array().expect("a list");
    let allowed: Vec<_> = items.iter().map(|it| it["allowed"] == true).collect();
    assert_eq!(allowed, [true, true, true, true, false], "newest first: {items:?}");
    assert_eq!(items[1]["kinds"], json!(["observation"]));
    let first = stage.get(&officer(), &path("/accesses?limit=2"), "operations").await;
    let cursor = first.body["nextCursor"].as_str().expect("another page");
    let second = path(&format!("/accesses?limit=2&cursor={cursor}"));
    let second = stage.get(&officer(), &second, "operations").await;
    // Two reads of the list itself came in between; the pages go on where they ended.
    assert_eq!(second.body["items"][0]["kinds"], json!(["observation"]), "{second:?}");
    let refused = stage.get(&doctor(), &path("/accesses"), "operations").await;
    assert_eq!(refused.problem(), (403, "/problems/forbidden"));
}

#[tokio::test]
async fn amended_and_retracted_records_keep_their_history() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = |part: &str| format!("/patients/{id}{part}");
    let added = stage.post(&doctor(), &path("/records"), "r", &record("observation", "38.2")).await;
    let location = added.header("Location").expect("a Location");
    let record_id = location.rsplit('/').next().expect("an id").to_owned();
    let mut body = record("observation", "38.7");
    body["reason"] = json!("read again");
    let amend = path(&format!("/records/{record_id}/amend"));
    assert_eq!(stage.post(&doctor(), &amend, "a", &body).await.status, 200);
    let own = patient(&id);
    let seen = stage.get(&own, &path("/records"), "patient-request").await;
    assert_eq!(seen.body["items"][0]["text"], "38.7");
    assert_eq!(seen.body["items"][0]["status"], "amended");
    let retract = path(&format!("/records/{record_id}/retract"));
    let reason = json!({"reason": "entered in error"});
    assert_eq!(stage.post(&doctor(), &retract, "x", &reason).await.status, 200);
    let again = stage.post(&doctor(), &retract, "y", &reason).await;
    assert_eq!(again.problem(), (409, "/problems/record-retracted"));
    let seen = stage.get(&own, &path("/records"), "patient-request").await;
    assert_eq!(seen.body["items"][0]["status"], "retracted");
    let history = stage.get(&own, &path("/history"), "patient-request").await;
    let items = history.body["items"].as_array().into_iter().flatten();
    let types: Vec<_> = items.map(|it| it["type"].clone()).collect();
    let expected = ["PatientRegistered", "RecordAdded", "RecordAmended", "RecordRetracted"]
        .map(|it| json!(it));
    assert_eq!(types, expected);
    assert_eq!(history.body["items"][1]["data"]["text"], "38.2");
}

/// A key that stays behind would be a trace of nobody.
#[tokio::test]
async fn a_refused_command_to_an_unknown_patient_leaves_no_key() {
    let stage = Stage::open();
    stage.register("A1").await;
    let keys = format!("{:?}", stage.keyring);
    let add = record("note", "x");
    let refused = stage.post(&doctor(), "/patients/nobody/records", "r", &add).await;
    assert_eq!(refused.problem(), (404, "/problems/not-found"));
    let erase = json!({"basis": "x", "requestedBy": "y"});
    let refused = stage.post(&officer(), "/patients/nobody/erasure", "e", &erase).await;
    assert_eq!(refused.status, 404);
    assert_eq!(format!("{:?}", stage.keyring), keys);
}
