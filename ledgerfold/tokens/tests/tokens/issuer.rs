//! The local issuer.

use std::time::Duration;

use ledgerfold::{Granted, Role, Scope, Subject, TenantId};
use ledgerfold_tokens::{
    InvalidToken, KeySet, TrustedIssuer, Verifier, VerifyError,
    issuer::{Grant, IssuerError, LocalIssuer},
};
use serde_json::{Value, json};

use crate::signers::{block_on, now};

fn local() -> LocalIssuer {
    LocalIssuer::generate("ledgerfold-local", "ledgerfold").expect("a key")
}

fn verifier(issuer: &LocalIssuer) -> Verifier {
    let keys = issuer.key_set().expect("a key");
    let keys = KeySet::parse(keys.as_bytes()).expect("a key set");
    let trusted = TrustedIssuer::new(issuer.issuer(), issuer.audience()).expect("an issuer");
    Verifier::new(trusted, keys)
}

fn grant() -> Grant {
    Grant {
        subject: Subject::new("ada").expect("a subject"),
        tenant: TenantId::new("acme").expect("a tenant"),
        roles: vec![Role::from_static("staff"), Role::from_static("customer")],
        scopes: vec![Scope::from_static("orders:read"), Scope::from_static("orders:write")],
        lifetime: Duration::from_secs(60),
    }
}

#[test]
fn a_minted_token_names_its_grant_until_it_expires() {
    let issuer = local();
    let verifier = verifier(&issuer);
    let token = issuer.mint(&grant(), now()).expect("a token");
    let caller = block_on(verifier.verify(&token, now())).expect("a caller");
    assert_eq!(caller.subject, grant().subject);
    assert_eq!(caller.tenant, grant().tenant);
    assert_eq!(caller.roles, Granted::only(grant().roles));
    assert_eq!(caller.scopes, Granted::only(grant().scopes));
    let later = now() + Duration::from_secs(90);
    let expired = block_on(verifier.verify(&token, later));
    assert_eq!(expired, Err(VerifyError::Invalid(InvalidToken::Expired)));
}

#[test]
fn two_issuers_do_not_accept_each_others_tokens() {
    let token = local().mint(&grant(), now()).expect("a token");
    let refused = block_on(verifier(&local()).verify(&token, now()));
    assert!(
        matches!(refused, Err(VerifyError::Invalid(InvalidToken::UnknownKey(_)))),
        "{refused:?}"
    );
}

#[test]
fn an_issuer_survives_the_stack_file_and_hides_its_key_from_logs() {
    let issuer = local();
    let file = serde_json::to_value(&issuer).expect("JSON");
    let names: Vec<&String> = file.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["algorithm", "audience", "issuer", "keyId", "privateKey"]);
    assert_eq!(file["algorithm"], "ES256");
    let read: LocalIssuer = serde_json::from_value(file).expect("an issuer");
    assert_eq!(read, issuer);
    assert!(!format!("{issuer:?}").contains("PRIVATE"));
}

#[test]
fn an_issuer_that_cannot_sign_says_why() {
    let broken = |name: &str, value: Value| {
        let mut file = serde_json::to_value(local()).expect("JSON");
        file[name] = value;
        let issuer: LocalIssuer = serde_json::from_value(file).expect("an issuer");
        issuer.mint(&grant(), now()).expect_err("it is broken")
    };
    assert_eq!(broken("privateKey", json!("")), IssuerError::PrivateKey);
    let other = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(broken("privateKey", json!(other)), IssuerError::PrivateKey);
    assert!(matches!(broken("algorithm", json!("RS256")), IssuerError::Algorithm(_)));

    let for_ever = Grant { lifetime: Duration::MAX, ..grant() };
    assert_eq!(local().mint(&for_ever, now()), Err(IssuerError::Lifetime));
}
