//! Breaks of the rules about keys.

use serde_json::json;

use super::{
    Break::{self, Drop, Set},
    arn,
};

pub(super) fn breaks(rule: &str) -> Vec<Break> {
    match rule {
        "destroyed_keys_are_gone_and_others_stay" => vec![
            Set(
                "KeyTable/PointInTimeRecoverySpecification",
                json!({"PointInTimeRecoveryEnabled": true}),
            ),
            Set("KeyTable/StreamSpecification", json!({"StreamViewType": "NEW_IMAGE"})),
            Set("KeyTable/KinesisStreamSpecification", json!({"StreamArn": "x"})),
            Set("KeyTable/Replicas", json!([{"Region": "eu-west-1"}])),
            Set("KeyTable/Tags", json!([{"Key": "backup", "Value": "daily"}])),
            Drop("KeyTable/DeletionProtectionEnabled"),
            Drop("KeyTable/ResourcePolicy"),
            Set(
                "KeyTable/ResourcePolicy/PolicyDocument/Statement/0/Action",
                json!(["dynamodb:BatchWriteItem"]),
            ),
            Set(
                "KeyTable/ResourcePolicy/PolicyDocument/Statement/0/Condition",
                json!({"Bool": {}}),
            ),
            Drop("/Resources/WrappingKey/DeletionPolicy"),
            Set("WrappingKey/EnableKeyRotation", json!(false)),
        ],
        "keys_are_for_requests_only" => vec![
            Set(statement!("CommandFunctionRole", 2, "/Action"), json!("dynamodb:UpdateItem")),
            Drop(statement!("CommandFunctionRole", 2, "/Condition")),
            Set(
                statement!("QueryFunctionRole", 6, "/Action"),
                json!(["dynamodb:GetItem", "dynamodb:PutItem"]),
            ),
            Drop(statement!("QueryFunctionRole", 6, "")),
            Drop(statement!("CommandFunctionRole", 3, "")),
            Drop(statement!("CommandFunctionRole", 3, "/Condition")),
            Set(statement!("CommandFunctionRole", 3, "/Action"), json!("dynamodb:DeleteItem")),
            Set("CertificateKey/KeyPolicy/Statement/0/Action", json!("kms:Sign")),
            Set("CertificateKey/KeyPolicy/Statement/1/Principal", json!("*")),
            Drop("CertificateKey/KeyPolicy/Statement/1"),
            Set(statement!("TotalsProjectorRole", 0, "/Resource"), arn("KeyTable")),
            Drop("CommandFunction/Environment/Variables/KEY_TABLE"),
            Set("QueryFunction/Environment/Variables/WRAPPING_KEY", json!("alias/other")),
            Set("RelayFunction/Environment/Variables/KEY_TABLE", json!({"Ref": "KeyTable"})),
            Set("WrappingKey/KeyPolicy/Statement/0/Action", json!("kms:*")),
            Set("WrappingKey/KeyPolicy/Statement/0/Action", json!(["kms:Decrypt"])),
            Set("WrappingKey/KeyPolicy/Statement/1/Principal", json!("*")),
            Drop("WrappingKey/KeyPolicy/Statement/1/Condition"),
            Drop("WrappingKey/KeyPolicy/Statement/2/Condition/Null"),
            Set("WrappingKey/KeyPolicy/Statement/2/Action", json!("kms:GenerateDataKey")),
            Drop("WrappingKey/KeyPolicy/Statement/2"),
        ],
        _ => Vec::new(),
    }
}
