//! The rule about a transparency log.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::model::{Granted, Model, list, texts};

/// Nobody removes or replaces what was sealed, only the sealer signs, and no batch is lost.
pub(super) fn sealed_history_stays(model: &Model<'_>) -> Vec<String> {
    let bucket = model.properties("LogBucket");
    if !model.context.is_transparent() {
        let nobody = "nobody needs the bucket of a transparency log".to_owned();
        return if bucket.is_null() { Vec::new() } else { vec![nobody] };
    }
    let mut broken = Vec::new();
    let retention = json!({
        "Mode": {"Ref": "SealRetentionMode"},
        "Days": {"Ref": "SealRetentionDays"},
    });
    let locked = bucket["ObjectLockEnabled"] == true
        && bucket["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
        && bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == retention
        && bucket["VersioningConfiguration"]["Status"] == "Enabled";
    broken.extend((!locked).then(|| "objects of the log can be removed".to_owned()));
    for id in ["LogBucket", "SigningKey"] {
        let resource = model.at(&format!("/Resources/{id}"));
        let kept =
            ["DeletionPolicy", "UpdateReplacePolicy"].iter().all(|it| resource[*it] == "Retain");
        broken.extend((!kept).then(|| format!("{id} goes with the stack")));
    }
    broken.extend(signers(model));
    let removals = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"];
    for granted in model.statements().into_iter().filter(Granted::allows) {
        let actions = granted.actions();
        let found = removals.iter().filter(|action| actions.contains(**action));
        broken.extend(found.map(|action| format!("{} may {action}", granted.owner)));
        // The objects of a bucket are named after it.
        let is_log = granted.statement["Resource"].to_string().contains("LogBucket");
        let writes = is_log && actions.contains("s3:PutObject");
        let is_other = writes && granted.owner != "SealerFunctionRole";
        broken.extend(is_other.then(|| format!("{} may write the log", granted.owner)));
    }
    broken.extend(delivery(model));
    broken
}

/// Who may sign, by the policy of the key.
fn signers(model: &Model<'_>) -> Option<String> {
    let sealer = json!({"AWS": {"Fn::GetAtt": ["SealerFunctionRole", "Arn"]}});
    let key = model.properties("SigningKey");
    let mut found: Vec<&Json> = Vec::new();
    for statement in list(&key["KeyPolicy"]["Statement"]) {
        let actions: BTreeSet<_> = texts(&statement["Action"]);
        if actions.iter().any(|action| *action == "kms:Sign" || action.contains('*')) {
            found.push(&statement["Principal"]);
        }
    }
    let signs = key["KeyUsage"] == "SIGN_VERIFY" && key["KeySpec"] == "ECC_NIST_P256";
    (!signs || found != [&sealer]).then(|| "others than the sealer sign, or nobody can".to_owned())
}

/// The queue of the sealer.
fn delivery(model: &Model<'_>) -> Vec<String> {
    let mapping = model.properties("SealerMapping");
    let mut broken = Vec::new();
    if mapping["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"]) {
        broken.push("the sealer fails whole batches".to_owned());
    }
    if mapping["ScalingConfig"]["MaximumConcurrency"].is_null() {
        broken.push("the sealer has no maximum concurrency".to_owned());
    }
    let number = |value: &Json| value.as_i64().unwrap_or_default();
    let hidden = number(&model.properties("SealerQueue")["VisibilityTimeout"]);
    let timeout = number(&model.properties("SealerFunction")["Timeout"]);
    let window = number(model.at("/Parameters/SealEvery/MaxValue"));
    if timeout == 0 || hidden < 6 * timeout + window {
        broken.push("the messages of the sealer are hidden too briefly".to_owned());
    }
    broken
}
