//! Erasures, legal holds and certificates.

use ledgerfold::erasure::{CertificateError, verify_certificate};
use serde_json::{Value, json};

use crate::stage::{
    BACKUPS, CACHED_FOR, NowAt, Stage, ada, doctor, officer, patient, record, registrar,
};

fn request() -> Value {
    json!({"basis": "GDPR Art. 17(1)(b)", "requestedBy": "data subject"})
}

// Guards: a-legal-hold-refuses-an-erasure
#[tokio::test]
async fn a_legal_hold_refuses_the_erasure_and_nothing_changes() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = |part: &str| format!("/patients/{id}{part}");
    let reason = json!({"reason": "lawsuit 7"});
    let before = stage.log.commits();
    let held = stage.post(&officer(), &path("/legal-hold"), "h", &reason).await;
    assert_eq!(held.status, 200, "{held:?}");
    let refused = stage.post(&officer(), &path("/erasure"), "e", &request()).await;
    assert_eq!(refused.problem(), (409, "/problems/legal-hold"));
    assert_eq!(stage.log.commits(), before);
    let lifted = stage.post(&officer(), &path("/legal-hold/lift"), "l", &json!({})).await;
    assert_eq!(lifted.status, 200, "{lifted:?}");
    let erased = stage.post(&officer(), &path("/erasure"), "e", &request()).await;
    assert_eq!(erased.status, 202, "the same key takes effect now: {erased:?}");
    let late = stage.post(&officer(), &path("/legal-hold"), "h2", &reason).await;
    assert_eq!(late.problem(), (410, "/problems/erased"));
}

#[tokio::test]
async fn only_privacy_officers_erase_and_hold() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    for by in [doctor(), registrar(), patient(&id)] {
        for (part, body) in [
            ("/erasure", request()),
            ("/legal-hold", json!({"reason": "x"})),
            ("/legal-hold/lift", json!({})),
        ] {
            let refused = stage.post(&by, &format!("/patients/{id}{part}"), "k", &body).await;
            assert_eq!(refused.problem(), (403, "/problems/forbidden"), "{part}");
        }
    }
    let other = patient("somebody");
    let hidden = stage.post(&other, &format!("/patients/{id}/erasure"), "k", &request()).await;
    assert_eq!(hidden.status, 404);
}

// Guards: an-erasure-is-final
#[tokio::test]
async fn after_an_erasure_everything_is_gone_at_once_and_the_identifier_is_free() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = |part: &str| format!("/patients/{id}{part}");
    let taken = stage.post(&registrar(), "/patients", "other", &ada("A1")).await;
    assert_eq!(taken.problem(), (409, "/problems/identifier-taken"));

    let erased = stage.post(&officer(), &path("/erasure"), "e", &request()).await;
    assert_eq!(erased.status, 202);
    assert!(erased.header("Location").is_some_and(|it| it.ends_with("erasure")), "{erased:?}");
    let again = stage.post(&officer(), &path("/erasure"), "e", &request()).await;
    assert_eq!((again.status, &again.body), (202, &erased.body));
    let other = json!({"basis": "another", "requestedBy": "data subject"});
    let reused = stage.post(&officer(), &path("/erasure"), "e", &other).await;
    assert_eq!(reused.status, 422);
    let second = stage.post(&officer(), &path("/erasure"), "e2", &request()).await;
    assert_eq!(second.problem(), (410, "/problems/erased"));

    // The query function has cached nothing new, and would not need to: the stream says it.
    for part in ["", "/records", "/history", "/records?at=2100-01-01T00:00:00Z"] {
        for by in [patient(&id), doctor()] {
            let read = stage.get(&by, &path(part), "treatment").await;
            assert_eq!(read.problem(), (410, "/problems/erased"), "{part}");
        }
    }
    for (part, body) in [
        ("/records", record("note", "x")),
        ("/emergency-access", json!({"reason": "x"})),
        ("/consents", json!({"grantee": "dr-1", "purposes": ["treatment"]})),
    ] {
        let by = if part == "/consents" { registrar() } else { doctor() };
        let refused = stage.post(&by, &path(part), part, &body).await;
        assert_eq!(refused.problem(), (410, "/problems/erased"), "{part}");
    }
    let again = stage.post(&registrar(), "/patients", "again", &ada("A1")).await;
    assert_eq!(again.status, 201, "the identifier is free: {again:?}");
    assert_ne!(again.body["id"], json!(id));
}

#[tokio::test]
async fn a_certificate_comes_when_no_function_has_the_key_and_holds_offline() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = format!("/patients/{id}/erasure");
    let missing = stage.get(&officer(), &path, "operations").await;
    assert_eq!(missing.status, 404, "it was not erased: {missing:?}");
    stage.post(&officer(), &path, "e", &request()).await;
    let fenced = stage.get(&officer(), &path, "operations").await.body;
    assert_eq!((&fenced["status"], &fenced["certificate"]), (&json!("fenced"), &json!(null)));
    let refused = stage.get(&doctor(), &path, "operations").await;
    assert_eq!(refused.problem(), (403, "/problems/forbidden"));

    stage.after_caches();
    let certified = stage.get(&patient(&id), &path, "patient-request").await.body;
    assert_eq!(certified["status"], "certified");
    assert_eq!(certified["irrecoverableSince"], json!(null), "a backup may exist");
    let text = certified["certificate"].to_string();
    let signed = verify_certificate(&text, None).expect("it holds");
    let certificate = &signed.certificate;
    let since = |from: ledgerfold::Timestamp, lasting| from.checked_add(lasting).expect("a time");
    assert_eq!(certificate.unreadable_since, since(certificate.erased_at, CACHED_FOR));
    assert_eq!(certificate.irrecoverable_since, since(certificate.erased_at, BACKUPS));
    assert!(!text.contains(&id), "the person is a pseudonym: {text}");
    let count = |what: &str| {
        let checked = certificate.checked.iter().find(|it| it.what.contains(what));
        checked.expect("it is checked").count
    };
    assert_eq!(count("events of"), 2);
    assert_eq!(count("sealed values of"), 1);
    assert_eq!(count("whose key exists"), 0);
    assert_eq!(count("released"), 1);
    assert_eq!(count("are reserved"), 0);

    stage.clock.set(since(stage.clock.now_at(), BACKUPS));
    let later = stage.get(&officer(), &path, "operations").await.body;
    assert_eq!(later["irrecoverableSince"], json!(certificate.irrecoverable_since));
}

#[tokio::test]
async fn a_changed_certificate_does_not_hold() {
    let stage = Stage::open();
    let id = stage.register("A1").await;
    let path = format!("/patients/{id}/erasure");
    stage.post(&officer(), &path, "e", &request()).await;
    stage.after_caches();
    let erasure = stage.get(&officer(), &path, "operations").await.body;
    let certificate = erasure["certificate"].clone();
    for (place, value) in [
        ("/certificate/erasedAt", json!("2020-01-01T00:00:00Z")),
        ("/certificate/subject", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("/certificate/checked/0/count", json!(7)),
        ("/certificate/basis", json!("another")),
    ] {
        let mut forged = certificate.clone();
        *forged.pointer_mut(place).expect("it is there") = value;
        let verdict = verify_certificate(&forged.to_string(), None);
        assert!(matches!(verdict, Err(CertificateError::Forged)), "{place}: {verdict:?}");
    }
    let verdict = verify_certificate(&certificate.to_string(), Some("another key"));
    assert!(matches!(verdict, Err(CertificateError::OtherKey)), "{verdict:?}");
    let key = certificate["publicKey"].as_str().expect("a key");
    verify_certificate(&certificate.to_string(), Some(key)).expect("it holds");
}
