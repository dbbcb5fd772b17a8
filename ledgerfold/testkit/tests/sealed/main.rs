//! A domain with sealed fields, from the command to the query.

#![allow(clippy::panic, reason = "a test may fail")]

use std::collections::BTreeSet;

use ledgerfold::{
    Caller, CommandId, Decider, EntityId, StreamId,
    command::{CommandError, CommandRequest},
    sealed::{Opened, Plain, sealed_subjects},
};
use ledgerfold_testkit::{
    Given, Sandbox,
    clinic::{
        self, Directory, Entry, PatientName, PatientRejection, Patients, Register, Registered,
        Rename, Renamed,
    },
    erased_keys_of, keys_of,
};

type Clinic = Sandbox<Patients>;

async fn row(clinic: &Clinic, patient: &str) -> Entry {
    let row = clinic.row::<Directory>(patient).await;
    row.expect("every event can be applied").expect("there is a row")
}

/// The answer of a query that may show the name.
async fn shown(clinic: &Clinic, patient: &str) -> Option<String> {
    let row = row(clinic, patient).await;
    let keys = clinic.keys_to_open(&row).await.expect("keys are fetched");
    let name = keys.open(&row.name).expect("it can be opened or is erased");
    name.value().map(|name| name.expose().as_str().to_owned())
}

fn name(text: &str) -> Plain<PatientName> {
    Plain::new(PatientName::new(text))
}

fn register(text: &str, email: &str) -> Register {
    Register { name: name(text), email: Plain::new(email.to_owned()) }
}

fn rename(text: &str) -> Rename {
    Rename { name: name(text) }
}

/// The event that a command makes is known before it runs: sealing with the same keys gives the same ciphertext.
#[test]
fn a_decision_seals_with_the_keys_of_its_command() {
    let keys = keys_of(&["p-1"]);
    let patient = &keys.subjects()[0];
    let seal = |text| keys.seal(patient, &name(text)).expect("it is sealed");
    let registered =
        Registered { name: seal("Ada"), email: keys.hash(&clinic::EMAIL, "ada@example.org") };
    let given = || Given::<Patients>::events([registered.clone().into()]);

    Given::<Patients>::nothing()
        .when_keyed(&keys, register("Ada", "Ada@example.org"))
        .then([registered.clone().into()]);
    given().when_keyed(&keys, rename("Ada")).then([]);
    given().when_keyed(&keys, rename("Ada King")).then([Renamed { name: seal("Ada King") }.into()]);
    let erased = erased_keys_of(&["p-1"]);
    given().when_keyed(&erased, rename("Ada King")).then_refused(PatientRejection::Erased);
}

// Guards: sealed-fields-are-stored-as-ciphertext
#[tokio::test]
async fn folds_and_projections_carry_a_field_unopened_and_a_query_opens_it() {
    let clinic = Clinic::default();
    clinic.run_keyed("p-1", register("Ada Byron", "ada@example.org")).await.expect("accepted");
    clinic.run_keyed("p-1", rename("Ada Lovelace")).await.expect("accepted");
    assert_eq!(shown(&clinic, "p-1").await.as_deref(), Some("Ada Lovelace"));
    assert_eq!(row(&clinic, "p-1").await.changes, 1);

    // Projecting and folding ask for no key.
    let calls = clinic.keyring().calls();
    let row = row(&clinic, "p-1").await;
    assert_eq!(clinic.keyring().calls(), calls);
    assert_eq!(sealed_subjects(&row).expect("JSON").len(), 1);

    let commits = format!("{:?}", clinic.commits());
    let row = format!("{row:?} {}", serde_json::to_string(&row).expect("JSON"));
    for stored in [commits, row] {
        assert!(stored.contains("patient-name"), "{stored}");
        for secret in ["Ada", "Byron", "Lovelace", "example.org"] {
            assert!(!stored.contains(secret), "{stored}");
        }
    }
}

// Guards: an-erased-value-opens-to-erased
#[tokio::test]
async fn an_erasure_changes_no_commit_and_every_reader_gets_erased() {
    let clinic = Clinic::default();
    clinic.run_keyed("p-1", register("Ada", "ada@example.org")).await.expect("accepted");
    clinic.run_keyed("p-2", register("Bob", "bob@example.org")).await.expect("accepted");
    let before = clinic.commits();
    clinic.erase("p-1").await.expect("it is erased");
    assert_eq!(shown(&clinic, "p-1").await, None);
    assert_eq!(shown(&clinic, "p-2").await.as_deref(), Some("Bob"));
    let late = clinic.run_keyed("p-1", rename("Eve")).await;
    assert!(matches!(late, Err(CommandError::Rejected(PatientRejection::Erased))), "{late:?}");
    assert_eq!(clinic.commits(), before);

    let row = row(&clinic, "p-1").await;
    let keys = clinic.keys_to_open(&row).await.expect("keys are fetched");
    assert_eq!(keys.open(&row.name), Ok(Opened::Erased));
}

/// The ciphertext of each attempt differs, and the fingerprint does not depend on it.
// Guards: fingerprints-of-personal-data-are-keyed
#[tokio::test]
async fn a_repeated_command_is_recognised_and_another_one_with_its_id_is_refused() {
    let clinic = Clinic::default();
    let stream =
        StreamId::of_default_tenant(Patients::CATEGORY, EntityId::new("p-1").expect("an id"));
    let id = CommandId::new("c-1").expect("an id");
    let mut answers = BTreeSet::new();
    for _ in 0..2 {
        let command = clinic.keyed("p-1", register("Ada", "ada@example.org")).await;
        let request = CommandRequest::new(Caller::anonymous(), stream.clone(), command, id.clone());
        let answer = clinic.handle(&request).await.expect("it is accepted");
        answers.insert(format!("{answer:?}"));
    }
    assert_eq!((answers.len(), clinic.commits().len()), (1, 1));
    let other = clinic.keyed("p-1", register("Eve", "ada@example.org")).await;
    let reused = clinic.handle(&CommandRequest::new(Caller::anonymous(), stream, other, id)).await;
    assert!(matches!(reused, Err(CommandError::Reused)), "{reused:?}");
    let stored = clinic.commits()[0].command().fingerprint.to_string();
    assert!(stored.starts_with("k1.s1."), "{stored}");
}

#[tokio::test]
async fn a_unique_key_over_personal_data_is_a_keyed_hash() {
    let clinic = Clinic::default();
    clinic.run_keyed("p-1", register("Ada", "Ada@example.org")).await.expect("accepted");
    let taken = clinic.run_keyed("p-2", register("Eve", "ada@example.org")).await;
    let Err(CommandError::Reserved { key, .. }) = &taken else { panic!("{taken:?}") };
    assert!(key.key.is_keyed(), "{key}");
    assert!(!format!("{taken:?}").contains("example.org"));
}
