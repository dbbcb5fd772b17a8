//! Rules about the callers of the API.

use ledgerfold::context::variables;
use serde_json::{Value as Json, json};

use super::model::{Model, list};

/// The least and the most seconds for a query: it may wait 20 seconds, and the gateway gives up after 29.
const WAIT: i64 = 20;
const GATEWAY: i64 = 29;

/// Who deploys must say how callers are known, and tokens need everything that verifies them.
pub(super) fn nobody_is_let_in_by_default(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let choice = model.at("/Parameters/Authentication");
    let known = json!(["token", "gateway", "api-key", "none"]);
    if !choice["Default"].is_null() || choice["AllowedValues"] != known {
        broken.push("callers can be let in without a decision of the deployment".to_owned());
    }
    let rule = model.at("/Rules/TokensCanBeVerified");
    let is_token = json!({"Fn::Equals": [{"Ref": "Authentication"}, "token"]});
    for parameter in ["TokenIssuer", "TokenAudience", "TokenKeys"] {
        let demanded = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]});
        let demands = list(&rule["Assertions"]).any(|it| it["Assert"] == demanded);
        if !demands || rule["RuleCondition"] != is_token {
            broken.push(format!("tokens can be chosen without {parameter}"));
        }
    }
    for function in ["CommandFunction", "QueryFunction"] {
        for (variable, parameter) in VARIABLES {
            let found = model.variable(function, variable);
            broken.extend(
                (*found != json!({"Ref": parameter}))
                    .then(|| format!("{function} does not know {parameter}")),
            );
        }
    }
    broken
}

const VARIABLES: [(&str, &str); 8] = [
    (variables::AUTHENTICATION, "Authentication"),
    (variables::TOKEN_ISSUER, "TokenIssuer"),
    (variables::TOKEN_AUDIENCE, "TokenAudience"),
    (variables::TOKEN_KEYS, "TokenKeys"),
    (variables::TENANT_CLAIM, "TenantClaim"),
    (variables::ROLES_CLAIM, "RolesClaim"),
    (variables::SCOPES_CLAIM, "ScopesClaim"),
    (variables::API_KEY_ROLES, "ApiKeyRoles"),
];

/// With "api-key", every method needs a key, each key has limits, and the stage serves this at once.
pub(super) fn api_keys_open_every_method(model: &Model<'_>) -> Vec<String> {
    let api = model.properties("Api");
    let mut broken = Vec::new();
    let demanded = json!({"Fn::If": ["NeedsApiKey", [{"api_key": []}], []]});
    for path in ["/", "/{proxy+}"] {
        for method in ["get", "head", "put", "patch", "delete", "options", "post"] {
            let found = &api["DefinitionBody"]["paths"][path][method]["security"];
            if *found != demanded {
                broken.push(format!("{method} {path} can be called without an API key"));
            }
        }
    }
    let scheme = json!({"type": "apiKey", "name": "x-api-key", "in": "header"});
    if api["DefinitionBody"]["components"]["securitySchemes"]["api_key"] != scheme {
        broken.push("the API does not know its keys".to_owned());
    }
    if api["MergeDefinitions"] != true || api["AlwaysDeploy"] != true {
        broken.push("a stage can serve the API without its API keys".to_owned());
    }
    let condition = json!({"Fn::Equals": [{"Ref": "Authentication"}, "api-key"]});
    if *model.at("/Conditions/NeedsApiKey") != condition {
        broken.push("API keys do not depend on Authentication alone".to_owned());
    }
    let plan = model.properties("UsagePlan");
    let limits = ["RateLimit", "BurstLimit"];
    let stage = json!([{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "Stage"}}]);
    if limits.iter().any(|limit| plan["Throttle"][*limit].is_null()) || plan["ApiStages"] != stage {
        broken.push("an API key has no limits".to_owned());
    }
    broken
}

pub(super) fn queries_may_wait(model: &Model<'_>) -> Vec<String> {
    let timeout: &Json = &model.properties("QueryFunction")["Timeout"];
    match timeout.as_i64() {
        Some(seconds) if WAIT < seconds && seconds <= GATEWAY => Vec::new(),
        _ => vec![format!(
            "QueryFunction has {timeout} s: a query may wait {WAIT} s, and the gateway waits {GATEWAY} s"
        )],
    }
}
