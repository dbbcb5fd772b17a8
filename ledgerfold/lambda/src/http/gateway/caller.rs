//! The caller of a request, as the gateway has authenticated it.

use ledgerfold::{Actor, derive_uuid};
use serde_json::Value;

/// The caller of a request without credentials that the gateway has verified.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Places of the caller's name in an event, in order of precedence, each with its kind. REST APIs, HTTP APIs and
/// function URLs use different places. A client can set none of them.
const PLACES: [(&str, &str); 9] = [
    // A verified token: REST API, and HTTP API with payload format 1.0; HTTP API with format 2.0.
    ("subject", "/authorizer/claims/sub"),
    ("subject", "/authorizer/jwt/claims/sub"),
    // A Lambda authorizer: HTTP API, REST API.
    ("principal", "/authorizer/lambda/principalId"),
    ("principal", "/authorizer/principalId"),
    // A signature: HTTP API and function URL, REST API.
    ("iam", "/authorizer/iam/userArn"),
    ("iam", "/authorizer/iam/callerId"),
    ("iam", "/identity/userArn"),
    ("iam", "/identity/caller"),
    // An API key of a usage plan, by its id.
    ("key", "/identity/apiKeyId"),
];

/// The caller that the gateway established, for example `subject:ada`, or `anonymous`. The prefix keeps kinds apart: a
/// key's id and a token's subject with the same text are two callers.
pub(super) fn caller(context: &Value) -> Actor {
    let name = |pointer| context.pointer(pointer).and_then(Value::as_str);
    let mut places = PLACES.iter().filter_map(|(kind, pointer)| Some((*kind, name(*pointer)?)));
    places
        .find(|(_, name)| !name.is_empty())
        .map_or_else(anonymous, |(kind, name)| named(kind, name))
}

pub(super) fn anonymous() -> Actor {
    Actor::new(ANONYMOUS).expect("it is of visible ASCII characters")
}

/// An issuer may use any text as a subject. A text that is not a valid actor is replaced by its digest. The digest has
/// its own prefix, so that nobody can choose a subject that equals another subject's digest.
fn named(kind: &str, name: &str) -> Actor {
    Actor::new(format!("{kind}:{name}")).unwrap_or_else(|_| {
        let digest = derive_uuid(&["caller", kind, name]);
        Actor::new(format!("{kind}-digest:{digest}"))
            .expect("a UUID is of visible ASCII characters")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::caller;

    #[test]
    fn the_caller_is_the_name_that_the_gateway_verified() {
        let user = "arn:aws:iam::123456789012:user/ada";
        let cases = [
            (json!({}), "anonymous"),
            (json!({"authorizer": null, "identity": null}), "anonymous"),
            (json!({"identity": {"sourceIp": "192.0.2.1", "userArn": null}}), "anonymous"),
            (json!({"authorizer": {"principalId": "p", "claims": {"sub": "ada"}}}), "subject:ada"),
            (json!({"authorizer": {"jwt": {"claims": {"sub": "ada"}}}}), "subject:ada"),
            (json!({"authorizer": {"lambda": {"principalId": "ada"}}}), "principal:ada"),
            (
                json!({"authorizer": {"principalId": "ada"}, "identity": {"apiKeyId": "k"}}),
                "principal:ada",
            ),
            (
                json!({"authorizer": {"iam": {"userArn": user, "callerId": "A1"}}}),
                &format!("iam:{user}"),
            ),
            (json!({"authorizer": {"iam": {"callerId": "A1"}}}), "iam:A1"),
            (json!({"identity": {"userArn": user, "caller": "A1"}}), &format!("iam:{user}")),
            (json!({"identity": {"caller": "A1"}}), "iam:A1"),
            (json!({"identity": {"apiKeyId": "ada"}}), "key:ada"),
            (
                json!({"authorizer": {"principalId": ""}, "identity": {"apiKeyId": "ada"}}),
                "key:ada",
            ),
        ];
        for (context, expected) in cases {
            assert_eq!(caller(&context).as_str(), expected, "{context}");
        }
    }

    #[test]
    fn a_name_that_cannot_be_an_actor_is_a_caller_of_its_own() {
        let of = |sub: &str| caller(&json!({"authorizer": {"claims": {"sub": sub}}}));
        let long = "a".repeat(2_000);
        let odd = [of("ada lovelace"), of("ada\u{e9}"), of(&long), of("ada")];
        for (at, one) in odd.iter().enumerate() {
            assert!(odd[at + 1..].iter().all(|other| other != one), "{one} is two callers");
        }
        let digest = odd[0].as_str().strip_prefix("subject-digest:").expect("a digest");
        assert_ne!(of(digest), odd[0]);
        assert_eq!(of("ada lovelace"), odd[0]);
    }

    #[test]
    fn the_client_cannot_choose_its_caller() {
        let context = json!({"authorizer": {"claims": "sub", "principalId": 7}, "identity": {"apiKey": "secret"}});
        assert_eq!(caller(&context).as_str(), "anonymous");
        assert_eq!(caller(&Value::Null).as_str(), "anonymous");
    }
}
