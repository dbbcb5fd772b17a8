//! Erasures and legal holds.

use std::time::Duration;

use patients_acceptance::client::created;
use patients_acceptance::eventually;
use serde_json::Value;

use crate::world::{World, answered, refused, unique};

const CERTIFIED: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_legal_hold_refuses_an_erasure_until_it_is_lifted() {
    let world = World::shared();
    let (id, patient) = world.patient().await;
    answered(world.officer.hold(&unique("h"), &id), 200).await;
    let held = refused(world.officer.erase(&unique("e"), &id), 409, "held").await;
    assert_eq!(held.name(), "legal-hold");
    answered(patient.read(&id, "", "patient-request"), 200).await;
    answered(world.officer.lift(&unique("l"), &id), 200).await;
    answered(world.officer.erase(&unique("e"), &id), 202).await;
}

#[tokio::test]
async fn after_an_erasure_nobody_reads_and_the_identifier_is_free() {
    let world = World::shared();
    let insurance = unique("insurance");
    let register = || world.registrar.register(&unique("r"), "Ada", &insurance);
    let id = created(answered(register(), 201).await).expect("it is created");
    let taken = refused(register(), 409, "taken").await;
    assert_eq!(taken.name(), "identifier-taken");
    refused(world.doctor.erase("x", &id), 403, "a clinician").await;
    refused(world.officer.erase("x", "nobody"), 404, "nobody").await;

    let first = answered(world.officer.erase("erase", &id), 202).await;
    let again = answered(world.officer.erase("erase", &id), 202).await;
    assert_eq!(first.essence(), again.essence());
    for read in ["", "/records", "/history"] {
        let read = world.doctor.read(&id, read, "treatment");
        assert_eq!(refused(read, 410, "erased").await.name(), "erased");
    }
    let add = world.doctor.add_record(&unique("a"), &id, "note", "x");
    assert_eq!(refused(add, 410, "a command").await.name(), "erased");
    assert_ne!(created(answered(register(), 201).await).expect("it is created"), id);

    let erasure = || world.officer.read(&id, "/erasure", "operations");
    let certificate = eventually("the erasure is certified", CERTIFIED, async || {
        let erasure: Value = answered(erasure(), 200).await.json().expect("JSON");
        if erasure["certificate"].is_null() { Err(erasure.to_string()) } else { Ok(erasure) }
    })
    .await
    .expect("it is certified");
    assert_eq!(certificate["status"], "certified");
    let text = certificate["certificate"].to_string();
    ledgerfold::erasure::verify_certificate(&text, None).expect("it holds");
}
