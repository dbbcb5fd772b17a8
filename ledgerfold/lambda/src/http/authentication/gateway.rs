//! The caller that the gateway has established.

use ledgerfold::{Caller, Granted, Role, Scope, Subject, TenantId, Via};
use ledgerfold_tokens::{ClaimName, ClaimNames};
use serde_json::Value;

use super::Refusal;

/// A place of a caller in the gateway's data about a request. A client can set none of them.
struct Place {
    /// The object.
    object: &'static str,
    /// The members of the object with the caller's name, in order of precedence.
    names: &'static [&'static str],
    /// Whether the object also has the caller's claims.
    has_claims: bool,
}

/// All places, in order of precedence. REST APIs, HTTP APIs and function URLs use different places.
const PLACES: [Place; 6] = [
    // A verified token: REST API, and HTTP API with payload format 1.0; HTTP API with format 2.0.
    Place { object: "/authorizer/claims", names: &["sub"], has_claims: true },
    Place { object: "/authorizer/jwt/claims", names: &["sub"], has_claims: true },
    // A Lambda authorizer, whose context has the claims: HTTP API, REST API.
    Place { object: "/authorizer/lambda", names: &["principalId"], has_claims: true },
    Place { object: "/authorizer", names: &["principalId"], has_claims: true },
    // A signature: HTTP API and function URL, REST API.
    Place { object: "/authorizer/iam", names: &["userArn", "callerId"], has_claims: false },
    Place { object: "/identity", names: &["userArn", "caller"], has_claims: false },
];

/// The caller that an authorizer of the gateway has established.
pub(super) fn caller(context: &Value, names: &ClaimNames) -> Result<Caller, Refusal> {
    let found = PLACES.iter().find_map(|place| {
        let object = context.pointer(place.object)?;
        let name = place.names.iter().find_map(|name| text(object.get(name)?))?;
        Some((name, if place.has_claims { object } else { &Value::Null }))
    });
    let (name, claims) = found.ok_or(Refusal::NoCaller)?;
    Ok(Caller {
        tenant: tenant(claims, &names.tenant)?,
        subject: Subject::new(name).map_err(Refusal::Subject)?,
        roles: granted("list of roles", claims, &names.roles, |name| Role::new(name).ok())?,
        scopes: granted("list of scopes", claims, &names.scopes, |name| Scope::new(name).ok())?,
        via: Via::Gateway,
    })
}

/// The caller with an API key of a usage plan, by the key's id.
pub(super) fn caller_of_key(context: &Value, roles: &Granted<Role>) -> Result<Caller, Refusal> {
    let key = context.pointer("/identity/apiKeyId").and_then(text).ok_or(Refusal::NoCaller)?;
    Ok(Caller {
        tenant: TenantId::default_tenant(),
        subject: Subject::new(key).map_err(Refusal::Subject)?,
        roles: roles.clone(),
        scopes: Granted::none(),
        via: Via::ApiKey,
    })
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// Only an absent claim means the tenant `default`, as in a token: a mistake must not lead to another tenant's data.
fn tenant(claims: &Value, name: &ClaimName) -> Result<TenantId, Refusal> {
    let Some(value) = name.of(claims) else { return Ok(TenantId::default_tenant()) };
    let tenant = value.as_str().and_then(|text| TenantId::new(text).ok());
    tenant.ok_or(Refusal::Claim("tenant", "1 to 64 characters of A-Z a-z 0-9 . _ -"))
}

/// The names in a claim. A name that can be no role of ours gives no right and is left out, as in a token.
///
/// Gateways turn a list into a text: `a,b` in a REST API, and `[a b]` in an HTTP API.
fn granted<T: Ord>(
    claim: &'static str,
    claims: &Value,
    name: &ClaimName,
    parse: fn(&str) -> Option<T>,
) -> Result<Granted<T>, Refusal> {
    match name.of(claims) {
        None | Some(Value::Null) => Ok(Granted::none()),
        Some(Value::String(text)) => {
            let list = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
            let names = list.unwrap_or(text).split([' ', ',']);
            Ok(Granted::only(names.filter_map(parse)))
        }
        Some(Value::Array(items)) => {
            Ok(Granted::only(items.iter().filter_map(Value::as_str).filter_map(parse)))
        }
        Some(_) => Err(Refusal::Claim(claim, "a list, or a text with spaces or commas")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn established(context: &Value) -> Result<Caller, Refusal> {
        caller(context, &ClaimNames::default())
    }

    fn subject(context: &Value) -> Option<String> {
        established(context).ok().map(|caller| caller.subject.to_string())
    }

    #[test]
    fn the_caller_is_the_name_that_the_gateway_verified() {
        let user = "arn:aws:iam::123456789012:user/ada";
        let cases = [
            (json!({"authorizer": {"principalId": "p", "claims": {"sub": "ada"}}}), "ada"),
            (json!({"authorizer": {"jwt": {"claims": {"sub": "ada"}}}}), "ada"),
            (json!({"authorizer": {"lambda": {"principalId": "ada"}}}), "ada"),
            (json!({"authorizer": {"principalId": "ada"}, "identity": {"caller": "A1"}}), "ada"),
            (json!({"authorizer": {"iam": {"userArn": user, "callerId": "A1"}}}), user),
            (json!({"authorizer": {"iam": {"callerId": "A1"}}}), "A1"),
            (json!({"identity": {"userArn": user, "caller": "A1"}}), user),
            (json!({"authorizer": {"principalId": ""}, "identity": {"caller": "A1"}}), "A1"),
        ];
        for (context, expected) in cases {
            assert_eq!(subject(&context).as_deref(), Some(expected), "{context}");
        }
    }

    #[test]
    fn tenant_roles_and_scopes_come_from_the_claims_of_every_gateway() {
        let expected = Caller {
            tenant: TenantId::new("acme").expect("a tenant"),
            subject: Subject::new("ada").expect("a subject"),
            roles: Granted::only(["clerk", "staff"].map(Role::from_static)),
            scopes: Granted::only([Scope::from_static("orders:read")]),
            via: Via::Gateway,
        };
        let claims = |roles: Value| {
            json!({"sub": "ada", "principalId": "ada", "tenant": "acme", "roles": roles,
                   "scope": "orders:read"})
        };
        for context in [
            json!({"authorizer": {"claims": claims(json!("staff,clerk"))}}),
            json!({"authorizer": {"jwt": {"claims": claims(json!("[staff clerk]"))}}}),
            json!({"authorizer": {"lambda": claims(json!(["staff", "clerk", "a b", 1]))}}),
            json!({"authorizer": claims(json!("staff clerk"))}),
        ] {
            assert_eq!(established(&context), Ok(expected.clone()), "{context}");
        }
        let bare = established(&json!({"authorizer": {"claims": {"sub": "ada"}}}));
        let bare = bare.expect("claims are optional");
        assert_eq!(bare.tenant, TenantId::default_tenant());
        assert_eq!((bare.roles, bare.scopes), (Granted::none(), Granted::none()));
    }

    #[test]
    fn a_signature_has_no_claims() {
        let context = json!({"identity": {"userArn": "ada", "tenant": "acme", "roles": "staff"}});
        let caller = established(&context).expect("a caller");
        assert_eq!(caller.tenant, TenantId::default_tenant());
        assert_eq!(caller.roles, Granted::none());
    }

    #[test]
    fn a_request_without_a_verified_name_has_no_caller() {
        for context in [
            json!({}),
            Value::Null,
            json!({"authorizer": null, "identity": null}),
            json!({"identity": {"sourceIp": "192.0.2.1", "userArn": null, "apiKeyId": "k"}}),
            json!({"authorizer": {"claims": "sub", "principalId": 7}}),
        ] {
            assert_eq!(established(&context), Err(Refusal::NoCaller), "{context}");
        }
        for claims in [
            json!({"sub": "ada lovelace"}),
            json!({"sub": "a".repeat(256)}),
            json!({"sub": "ada", "tenant": ""}),
            json!({"sub": "ada", "tenant": null}),
            json!({"sub": "ada", "tenant": "acme/other"}),
            json!({"sub": "ada", "roles": {"staff": true}}),
        ] {
            let refusal = established(&json!({"authorizer": {"claims": claims}}));
            assert_eq!(refusal.expect_err("it is refused").name(), "claim", "{claims}");
        }
    }

    #[test]
    fn the_caller_with_a_key_is_its_id_and_never_the_key() {
        let roles = Granted::only([Role::from_static("staff")]);
        let found = caller_of_key(&json!({"identity": {"apiKeyId": "k1"}}), &roles);
        let found = found.expect("a caller");
        assert_eq!((found.subject.as_str(), found.tenant.as_str()), ("k1", "default"));
        assert_eq!((found.roles, found.via), (roles.clone(), Via::ApiKey));
        for context in [json!({}), json!({"identity": {"apiKey": "secret", "apiKeyId": null}})] {
            assert_eq!(caller_of_key(&context, &roles), Err(Refusal::NoCaller), "{context}");
        }
    }
}
