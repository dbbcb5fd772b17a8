//! Breaks of the rule about a transparency log.

use serde_json::json;

use super::Break::{self, Drop, Set};

pub(super) fn breaks(rule: &str) -> Vec<Break> {
    match rule {
        "sealed_history_stays" => vec![
            Drop("LogBucket/ObjectLockEnabled"),
            Drop("LogBucket/ObjectLockConfiguration"),
            Drop("LogBucket/VersioningConfiguration"),
            Set(
                "LogBucket/ObjectLockConfiguration/Rule/DefaultRetention",
                json!({"Mode": "GOVERNANCE", "Days": 1}),
            ),
            Drop("/Resources/LogBucket/DeletionPolicy"),
            Drop("/Resources/SigningKey/UpdateReplacePolicy"),
            Set("SigningKey/KeyPolicy/Statement/0/Action", json!("kms:*")),
            Set("SigningKey/KeyPolicy/Statement/0/Action", json!(["kms:Sign"])),
            Set("SigningKey/KeyPolicy/Statement/1/Principal", json!("*")),
            Drop("SigningKey/KeyPolicy/Statement/1"),
            Set("SigningKey/KeySpec", json!("RSA_2048")),
            Set(
                statement!("SealerFunctionRole", 4, "/Action"),
                json!(["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion"]),
            ),
            Set(
                statement!("SealerFunctionRole", 4, "/Action"),
                json!(["s3:GetObject", "s3:BypassGovernanceRetention"]),
            ),
            Set(
                statement!("RelayFunctionRole", 3, "/Resource"),
                json!({"Fn::Sub": "${LogBucket.Arn}/*"}),
            ),
            Drop("SealerMapping/FunctionResponseTypes"),
            Drop("SealerMapping/ScalingConfig"),
            Set("SealerQueue/VisibilityTimeout", json!(60)),
        ],
        _ => Vec::new(),
    }
}
