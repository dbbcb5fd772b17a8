//! Tokens that pass: of other libraries, of other issuers' habits, and up to the last second.

use ledgerfold::{Caller, Granted, Role, Scope, Via};
use ledgerfold_tokens::{
    ClaimName, ClaimNames, InvalidToken, KeySet, TrustedIssuer, Verifier, VerifyError,
};
use serde_json::{Value, json};

use crate::signers::{AUDIENCE, ISSUER, NOW, Signers, block_on, claims, header, now, with};

fn verify(claims: &Value) -> Result<Caller, VerifyError> {
    let signers = Signers::new();
    block_on(signers.verifier().verify(&signers.token("ES256", claims), now()))
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split(' ').map(str::to_owned).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn tokens_of_two_independent_libraries_pass() {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/python.json")).expect("JSON");
    let text = |name: &str| vectors[name].as_str().expect("text");
    let keys = KeySet::parse(vectors["keySet"].to_string().as_bytes()).expect("a key set");
    let issuer = TrustedIssuer::new(text("issuer"), text("audience")).expect("an issuer");
    let verifier = Verifier::new(issuer, keys);
    let now = text("now").parse().expect("an instant");
    let tokens = vectors["tokens"].as_array().expect("a list");
    assert_eq!(tokens.len(), 8);
    for vector in tokens {
        let by = &vector["madeBy"];
        let token = vector["token"].as_str().expect("text");
        let caller = block_on(verifier.verify(token, now)).unwrap_or_else(|e| panic!("{by}: {e}"));
        let claims = &vector["claims"];
        assert_eq!(claims["sub"], caller.subject.as_str(), "{by}");
        assert_eq!(claims["tenant"].as_str().unwrap_or("default"), caller.tenant.as_str(), "{by}");
        let roles =
            names(&claims["roles"]).into_iter().map(|name| Role::new(name).expect("a role"));
        assert_eq!(Granted::only(roles), caller.roles, "{by}");
        let scopes = names(&claims["scope"]).into_iter().map(|it| Scope::new(it).expect("a scope"));
        assert_eq!(Granted::only(scopes), caller.scopes, "{by}");
    }
}

#[test]
fn both_algorithms_and_every_type_of_an_access_token_pass() {
    let signers = Signers::new();
    let verifier = signers.verifier();
    for algorithm in ["ES256", "RS256"] {
        let types = ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt"];
        let headers = types.map(|name| with(header(algorithm), json!({"typ": name})));
        let plain = with(header(algorithm), json!({"typ": null}));
        let more = json!({"x5t": "abc", "jku": "https://issuer.example.org/jwks.json", "cty": "x"});
        let more = with(header(algorithm), more);
        for header in headers.into_iter().chain([plain, more]) {
            let token = signers.token_of(algorithm, &header.to_string(), &claims().to_string());
            let caller = block_on(verifier.verify(&token, now())).expect("an honest token");
            assert_eq!(caller.subject.as_str(), "ada");
            assert_eq!(caller.tenant.as_str(), "acme");
            assert_eq!(caller.via, Via::Token);
        }
    }
}

#[test]
fn a_token_holds_for_thirty_seconds_beside_its_times() {
    for changes in [
        json!({"exp": NOW - 29}),
        json!({"exp": 1_795_435_170.5}),
        json!({"nbf": NOW + 30}),
        json!({"iat": NOW + 30}),
        json!({"nbf": null, "iat": null}),
    ] {
        assert!(verify(&with(claims(), changes.clone())).is_ok(), "{changes}");
    }
    for (changes, reason) in [
        (json!({"exp": NOW - 30}), InvalidToken::Expired),
        (json!({"exp": 0}), InvalidToken::Expired),
        (json!({"exp": -1e300}), InvalidToken::Expired),
        (json!({"nbf": NOW + 31}), InvalidToken::NotYetValid),
        (json!({"nbf": 1e300}), InvalidToken::NotYetValid),
        (json!({"iat": NOW + 31}), InvalidToken::IssuedInFuture),
    ] {
        let refused = verify(&with(claims(), changes.clone()));
        assert_eq!(refused, Err(VerifyError::Invalid(reason)), "{changes}");
    }
}

#[test]
fn the_audience_is_one_of_several_or_the_client_of_a_token_without_one() {
    for changes in [
        json!({"aud": ["other", AUDIENCE]}),
        json!({"aud": null, "client_id": AUDIENCE, "token_use": "access"}),
        json!({"client_id": "somebody"}),
    ] {
        assert!(verify(&with(claims(), changes.clone())).is_ok(), "{changes}");
    }
}

#[test]
fn only_an_absent_tenant_is_the_default_one() {
    let caller = verify(&with(claims(), json!({"tenant": null}))).expect("no tenant");
    assert_eq!(caller.tenant.as_str(), "default");

    let mut null = claims();
    null["tenant"] = Value::Null;
    let refused = verify(&null).expect_err("a null is no tenant");
    assert!(matches!(refused, VerifyError::Invalid(InvalidToken::Claim(..))), "{refused}");
}

#[test]
fn roles_are_a_list_or_a_text_and_names_that_can_be_no_role_are_left_out() {
    let staff = Role::from_static("staff");
    for (value, expected) in [
        (json!(null), vec![]),
        (json!([]), vec![]),
        (json!(""), vec![]),
        (json!("staff"), vec!["staff"]),
        (json!("staff  customer"), vec!["staff", "customer"]),
        (json!(["staff", "customer", "staff"]), vec!["staff", "customer"]),
        (json!(["Domain Admins", "staff", "Bücher", ""]), vec!["staff"]),
        (json!(["*"]), vec!["*"]),
    ] {
        let caller = verify(&with(claims(), json!({"roles": value}))).expect("a caller");
        let expected = expected.into_iter().map(|name| Role::new(name).expect("a role"));
        assert_eq!(caller.roles, Granted::only(expected), "{value}");
        assert_eq!(caller.has_role(&staff), value.to_string().contains("staff"), "{value}");
    }
}

#[test]
fn names_of_claims_are_as_the_issuer_has_them() {
    let signers = Signers::new();
    let jwks = json!({"keys": [signers.jwk("ES256", "ec-1")]}).to_string();
    let claims_of = |tenant: &str, roles: &str, scopes: &str| {
        let name = |text: &str| ClaimName::new(text).expect("a name");
        ClaimNames { tenant: name(tenant), roles: name(roles), scopes: name(scopes) }
    };
    for (names, changes) in [
        (
            claims_of("custom:tenant", "cognito:groups", "scope"),
            json!({"custom:tenant": "t", "cognito:groups": ["r"], "scope": "s"}),
        ),
        (
            claims_of("org_id", "https://example.org/roles", "permissions"),
            json!({"org_id": "t", "https://example.org/roles": ["r"], "permissions": ["s"]}),
        ),
        (
            claims_of("/organization/id", "/realm_access/roles", "scp"),
            json!({"organization": {"id": "t"}, "realm_access": {"roles": ["r"]}, "scp": "s"}),
        ),
    ] {
        let issuer = TrustedIssuer::new(ISSUER, AUDIENCE).expect("an issuer").with_claims(names);
        let keys = KeySet::parse(jwks.as_bytes()).expect("a key set");
        let token = signers.token("ES256", &with(claims(), changes.clone()));
        let caller = block_on(Verifier::new(issuer, keys).verify(&token, now())).expect("a caller");
        assert_eq!(caller.tenant.as_str(), "t", "{changes}");
        assert_eq!(caller.roles, Granted::only([Role::from_static("r")]), "{changes}");
        assert_eq!(caller.scopes, Granted::only([Scope::from_static("s")]), "{changes}");
    }
}

#[test]
fn an_empty_setting_trusts_nobody() {
    assert!(TrustedIssuer::new("", AUDIENCE).is_err());
    assert!(TrustedIssuer::new(ISSUER, "").is_err());
    assert!(ClaimName::new("").is_err());
}
