//! Who may call: the parameters that say how callers are known, and API keys with their limits.

use ledgerfold::context::variables;

use super::parameters::{equals, not, number};
use crate::document::{Map, Resource, Value, choose, list, map, reference};

/// The condition that each caller needs an API key.
pub(super) const API_KEYS: &str = "NeedsApiKey";
/// The names of the parameters, in the order of the console.
pub(super) const PARAMETERS: [&str; 10] = [
    "Authentication",
    "TokenIssuer",
    "TokenAudience",
    "TokenKeys",
    "TenantClaim",
    "RolesClaim",
    "ScopesClaim",
    "ApiKeyRoles",
    "ApiKeyRateLimit",
    "ApiKeyBurstLimit",
];

pub(super) fn parameters() -> Map {
    map! {
        /// No default: who deploys decides who may call.
        Authentication: map! {
            Type: "String",
            AllowedValues: list!["token", "gateway", "api-key", "none"],
            Description: "How the service knows its callers: by a token that it verifies itself, by an authorizer that \
                          you add to the API, by an API key, or not at all. \"none\" lets everybody in, with every role.",
        },
        TokenIssuer: optional("Issuer of the tokens, their claim \"iss\". Needed for \"token\"."),
        TokenAudience: optional("Audience of the tokens, their claim \"aud\" or \"client_id\". Needed for \"token\"."),
        TokenKeys: keys(),
        TenantClaim: claim("tenant", "the tenant"),
        RolesClaim: claim("roles", "the list of roles"),
        ScopesClaim: claim("scope", "the scopes"),
        ApiKeyRoles: map! {
            Type: "String",
            Default: "",
            AllowedPattern: "|[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*",
            ConstraintDescription: "the names of roles, separated by commas.",
            Description: "Roles of a caller with an API key, separated by commas. Only for \"api-key\".",
        },
        ApiKeyRateLimit: number(50, 1, 10_000,
            "Requests per second that the API accepts from one API key. It answers further ones with 429."),
        ApiKeyBurstLimit: number(100, 1, 5_000,
            "Requests above this rate that the API accepts in a burst."),
    }
}

fn optional(description: &str) -> Map {
    map! { Type: "String", Default: "", Description: description }
}

fn keys() -> Map {
    map! {
        Type: "String",
        Default: "",
        AllowedPattern: r"|https://\S+|\s*\{[\s\S]*\}\s*",
        /// The environment of a function has at most 4 KB.
        MaxLength: 3_000,
        ConstraintDescription: "a key set as JSON, or its https address.",
        Description: "Public keys of the issuer: a key set (JWKS) as text, or its https address. Needed for \"token\".",
    }
}

fn claim(default: &str, content: &str) -> Map {
    map! {
        Type: "String",
        Default: default,
        MinLength: 1,
        Description: format!("Claim of a token with {content} of the caller."),
    }
}

/// What CloudFormation refuses before it changes anything.
pub(super) fn rules() -> Map {
    let needed = |parameter: &str, text: &str| {
        map! { Assert: not(equals(parameter, "")), AssertDescription: text }
    };
    map! {
        TokensCanBeVerified: map! {
            RuleCondition: equals("Authentication", "token"),
            Assertions: list![
                needed("TokenIssuer", "Authentication=token needs TokenIssuer."),
                needed("TokenAudience", "Authentication=token needs TokenAudience."),
                needed("TokenKeys", "Authentication=token needs TokenKeys."),
            ],
        },
    }
}

pub(super) fn condition() -> Map {
    Map::default().with(API_KEYS, equals("Authentication", "api-key"))
}

/// The environment of the functions that answer callers.
pub(super) fn environment() -> Map {
    let all = [
        (variables::AUTHENTICATION, "Authentication"),
        (variables::TOKEN_ISSUER, "TokenIssuer"),
        (variables::TOKEN_AUDIENCE, "TokenAudience"),
        (variables::TOKEN_KEYS, "TokenKeys"),
        (variables::TENANT_CLAIM, "TenantClaim"),
        (variables::ROLES_CLAIM, "RolesClaim"),
        (variables::SCOPES_CLAIM, "ScopesClaim"),
        (variables::API_KEY_ROLES, "ApiKeyRoles"),
    ];
    all.into_iter().map(|(variable, parameter)| (variable, reference(parameter))).collect()
}

/// The part of the API's definition that SAM cannot express: methods that need a key under a condition. SAM adds the
/// integrations of the functions.
pub(super) fn definition(title: Value, paths: &[&str], methods: &[&str]) -> Map {
    let security = || {
        choose(API_KEYS, list![map! { api_key: Value::List(Vec::new()) }], Value::List(Vec::new()))
    };
    let of_path = || -> Map {
        methods
            .iter()
            .map(|method| (method.to_lowercase(), map! { security: security() }))
            .collect()
    };
    let key = map! { "type": "apiKey", name: "x-api-key", "in": "header" };
    map! {
        openapi: "3.0.1",
        info: map! { title: title, version: "1.0" },
        paths: paths.iter().map(|path| (*path, of_path())).collect::<Map>(),
        components: map! { securitySchemes: map! { api_key: key } },
    }
}

/// The limits of each API key. Operators create the keys, because each belongs to a client.
pub(super) fn usage_plan() -> Resource {
    let properties = map! {
        Description: "The limits of each API key.",
        ApiStages: list![map! { ApiId: reference("Api"), Stage: reference("Stage") }],
        Throttle: map! {
            RateLimit: reference("ApiKeyRateLimit"),
            BurstLimit: reference("ApiKeyBurstLimit"),
        },
    };
    Resource::new("UsagePlan", "AWS::ApiGateway::UsagePlan", properties)
        .with(map! {
            Condition: API_KEYS,
            /// SAM makes the stage of the API under this id.
            DependsOn: "ApiStage",
        })
        .because("Only API keys of this plan open the API. The template makes none, because each belongs to a client.")
}
