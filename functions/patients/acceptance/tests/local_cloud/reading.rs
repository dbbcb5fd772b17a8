//! Reads and their records.

use acceptance::checks::problem;
use patients_acceptance::Caller;
use patients_acceptance::client::created;
use serde_json::Value;

use crate::world::{World, answered, refused, unique};

#[tokio::test]
async fn a_consent_allows_a_read_until_it_is_withdrawn_and_every_read_is_recorded() {
    let world = World::shared();
    let (id, patient) = world.patient().await;
    let records = || world.doctor.read(&id, "/records", "treatment");
    let no_consent = refused(records(), 403, "without a consent").await;
    assert_eq!(no_consent.name(), "no-consent");

    let give = patient.give_consent(&unique("c"), &id, "dr-1", None, &["treatment"]);
    let consent = created(answered(give, 201).await).expect("it is created");
    let shown: Value = answered(records(), 200).await.json().expect("JSON");
    assert_eq!(shown["items"][0]["text"], "38 °C");
    let research = refused(world.doctor.read(&id, "", "research"), 403, "another purpose").await;
    assert_eq!(research.name(), "no-consent");

    let withdraw = patient.withdraw_consent(&unique("w"), &id, &consent);
    answered(withdraw, 200).await;
    refused(records(), 403, "withdrawn").await;

    let accesses = patient.read(&id, "/accesses", "patient-request");
    let seen: Value = answered(accesses, 200).await.json().expect("JSON");
    let seen = seen["items"].as_array().expect("a list");
    let allowed: Vec<_> = seen.iter().map(|it| it["allowed"] == true).collect();
    // Newest first; the list shows itself.
    assert_eq!(allowed, [true, false, false, true, false], "{seen:?}");
    assert_eq!(seen[3]["kinds"], serde_json::json!(["observation"]));
    assert_eq!(seen[3]["subject"], "dr-1");
}

#[tokio::test]
async fn an_emergency_access_counts_for_its_clinician() {
    let world = World::shared();
    let (id, _) = world.patient().await;
    answered(world.doctor.take_access(&unique("e"), &id), 201).await;
    answered(world.doctor.read(&id, "/records", "emergency"), 200).await;
    let other = world.client(Caller::clinician("dr-2"));
    refused(other.read(&id, "/records", "emergency"), 403, "another clinician").await;
}

#[tokio::test]
async fn a_read_without_a_purpose_and_of_an_unknown_patient_is_refused() {
    let world = World::shared();
    let (id, patient) = world.patient().await;
    let answer = patient.get(&format!("/patients/{id}")).send().await.expect("an answer");
    problem(&answer, 400, "no purpose");
    refused(patient.read(&id, "", "curiosity"), 400, "an unknown purpose").await;
    refused(world.doctor.read("nobody", "", "treatment"), 404, "nobody").await;
}

#[tokio::test]
async fn the_history_is_also_a_bundle_of_fhir() {
    let world = World::shared();
    let (id, patient) = world.patient().await;
    let read = patient.read(&id, "/history", "patient-request");
    let answer = answered(read.header("accept", "application/fhir+json"), 200).await;
    assert_eq!(answer.media_type(), Some("application/fhir+json"));
    let bundle: Value = answer.json().expect("JSON");
    assert_eq!(bundle["resourceType"], "Bundle");
    assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "Patient");
}
