//! Breaks of the rules about callers and about the customer's key.

use serde_json::json;

use super::Break::{self, Drop, Set};

pub(super) fn breaks(rule: &str) -> Vec<Break> {
    match rule {
        "stored_data_takes_the_key" => vec![
            Drop("EventTable/SSESpecification"),
            Drop("TotalsTable/SSESpecification"),
            Drop("KeyTable/SSESpecification"),
            Drop("TotalsQueue/KmsMasterKeyId"),
            Set("TotalsQueue/SqsManagedSseEnabled", json!(false)),
            Set("TotalsDeadLetters/KmsMasterKeyId", json!("alias/aws/sqs")),
            Drop("FailureBucket/BucketEncryption"),
            Drop("ApiLog/KmsKeyId"),
            Drop("RelayFunctionLog/KmsKeyId"),
            Drop("BusKey/KmsKeyId"),
            Drop("/Globals/Function/KmsKeyArn"),
            Set("QueryFunction/KmsKeyArn", json!({"Ref": "AWS::NoValue"})),
            Set("/Parameters/EncryptionKey/Default", json!("arn:aws:kms:us-east-1:1:key/1")),
            Set("/Conditions/HasEncryptionKey", json!({"Fn::Equals": ["a", "b"]})),
        ],
        "roles_use_the_key_through_services" => vec![
            Drop(statement!("QueryFunctionRole", 9, "")),
            Drop(statement!("QueryFunctionRole", 9, "/Fn::If/1/Condition")),
            Set(statement!("QueryFunctionRole", 9, "/Fn::If/1/Resource"), json!("*")),
            Set(statement!("QueryFunctionRole", 9, "/Fn::If/1/Action"), json!("kms:CreateGrant")),
            Drop(statement!("DeadlineSweepFunctionRole", 5, "")),
        ],
        "nobody_is_let_in_by_default" => vec![
            Set("/Parameters/Authentication/Default", json!("none")),
            Drop("/Parameters/Authentication/AllowedValues"),
            Drop("/Rules/TokensCanBeVerified/Assertions/1"),
            Set("/Rules/TokensCanBeVerified/RuleCondition", json!({"Fn::Equals": ["a", "b"]})),
            Drop("CommandFunction/Environment/Variables/AUTHENTICATION"),
            Drop("QueryFunction/Environment/Variables/TOKEN_KEYS"),
            Set("QueryFunction/Environment/Variables/AUTHENTICATION", json!("none")),
        ],
        "api_keys_open_every_method" => vec![
            Drop("Api/DefinitionBody/paths/~1/put"),
            Set("Api/DefinitionBody/paths/~1{proxy+}/post/security", json!([])),
            Drop("Api/DefinitionBody/components/securitySchemes"),
            Drop("Api/MergeDefinitions"),
            Drop("Api/AlwaysDeploy"),
            Set("/Conditions/NeedsApiKey", json!({"Fn::Equals": ["a", "b"]})),
            Drop("UsagePlan/Throttle"),
            Drop("UsagePlan"),
        ],
        "queries_may_wait" => vec![
            Set("QueryFunction/Timeout", json!(20)),
            Set("QueryFunction/Timeout", json!(30)),
            Set("QueryFunction/Timeout", json!({"Ref": "ProjectorTimeout"})),
        ],
        _ => Vec::new(),
    }
}
