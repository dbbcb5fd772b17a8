//! Rules about the keys of a context that seals.

use std::collections::BTreeSet;

use ledgerfold::context::variables;
use serde_json::{Value as Json, json};

use super::model::{FUNCTION, Granted, Model, list, texts};

/// The table of keys. It keeps no destroyed key anywhere.
pub(super) const KEY_TABLE: &str = "KeyTable";
const WRAPPING_KEY: &str = "WrappingKey";
/// The functions that use keys, and their actions on the table and on the wrapping key.
const USERS: [(&str, &[&str], &[&str]); 2] = [
    (
        "CommandFunction",
        &["dynamodb:GetItem", "dynamodb:PutItem"],
        &["kms:Decrypt", "kms:GenerateDataKey"],
    ),
    ("QueryFunction", &["dynamodb:GetItem"], &["kms:Decrypt"]),
];
/// The key that signs certificates.
const CERTIFICATE_KEY: &str = "CertificateKey";
/// These actions remove a key or the mark of an erasure.
const REMOVALS: [&str; 5] = [
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
];

/// A destroyed key must not live on in a backup, a stream or a replica, and no other key may be lost.
pub(super) fn destroyed_keys_are_gone_and_others_stay(model: &Model<'_>) -> Vec<String> {
    let table = model.properties(KEY_TABLE);
    if !model.context.seals() {
        return if table.is_null() {
            Vec::new()
        } else {
            vec!["nobody needs a table of keys".into()]
        };
    }
    let mut broken = Vec::new();
    let copies = [
        "PointInTimeRecoverySpecification",
        "StreamSpecification",
        "KinesisStreamSpecification",
        "Replicas",
        "GlobalSecondaryIndexes",
        "Tags",
    ];
    let kept = copies.into_iter().filter(|copy| !table[*copy].is_null());
    broken.extend(kept.map(|copy| format!("{copy} of the table of keys can keep destroyed keys")));
    if table["DeletionProtectionEnabled"] != json!({"Fn::If": ["Protected", true, false]}) {
        broken.push("the table of keys is not protected in every stage except local".to_owned());
    }
    let stays = list(&table["ResourcePolicy"]["PolicyDocument"]["Statement"]).any(|statement| {
        let everybody = statement["Principal"] == "*" && statement["Resource"] == "*";
        let actions = texts(&statement["Action"]);
        let all = REMOVALS.iter().all(|action| actions.contains(action));
        statement["Effect"] == "Deny" && everybody && all && statement["Condition"].is_null()
    });
    broken
        .extend((!stays).then(|| "no policy denies the removal of a key to everybody".to_owned()));
    let key = model.at(&format!("/Resources/{WRAPPING_KEY}"));
    if key["DeletionPolicy"] != "Retain" || key["UpdateReplacePolicy"] != "Retain" {
        broken.push("the wrapping key goes with the stack".to_owned());
    }
    if key["Properties"]["EnableKeyRotation"] != true {
        broken.push("the wrapping key is not rotated".to_owned());
    }
    broken
}

/// Only functions that answer requests use keys, each as far as it needs them, and only for tenants and people.
pub(super) fn keys_are_for_requests_only(model: &Model<'_>) -> Vec<String> {
    if !model.context.seals() {
        return Vec::new();
    }
    let mut broken = Vec::new();
    let owners = BTreeSet::from(["tenant#*", "subject#*"]);
    let mut found = BTreeSet::new();
    let mut erases = false;
    for granted in model.statements().into_iter().filter(|it| it.allows() && it.concerns(KEY_TABLE))
    {
        let of_people = granted.condition("dynamodb:LeadingKeys") == BTreeSet::from(["subject#*"]);
        if model.context.erases()
            && granted.owner == "CommandFunctionRole"
            && granted.actions() == BTreeSet::from(["dynamodb:UpdateItem"])
            && of_people
        {
            erases = true;
            continue;
        }
        let user = USERS.iter().find(|(id, ..)| granted.owner == format!("{id}Role"));
        let allowed = user.map(|(_, table, _)| table.iter().copied().collect());
        if allowed != Some(granted.actions()) || granted.condition("dynamodb:LeadingKeys") != owners
        {
            broken.push(format!("{} may use the table of keys otherwise", granted.owner));
        }
        found.insert(granted.owner.to_owned());
    }
    let needed: BTreeSet<_> = USERS.iter().map(|(id, ..)| format!("{id}Role")).collect();
    broken.extend(needed.difference(&found).map(|role| format!("{role} cannot read keys")));
    let arn = json!({"Fn::GetAtt": [WRAPPING_KEY, "Arn"]});
    let expected =
        [(variables::KEY_TABLE, json!({"Ref": KEY_TABLE})), (variables::WRAPPING_KEY, arn)];
    for (id, _) in model.of_type(FUNCTION) {
        let uses = USERS.iter().any(|(user, ..)| *user == id);
        for (name, value) in &expected {
            let needed = if uses { value } else { &Json::Null };
            let wrong = model.variable(id, name) != needed;
            broken.extend(wrong.then(|| format!("{id} has the wrong {name}")));
        }
    }
    broken.extend(policy_of_the_wrapping_key(model));
    if model.context.erases() {
        broken.extend((!erases).then(|| "the command function cannot destroy a key".to_owned()));
        broken.extend(policy_of_the_certificate_key(model));
    }
    broken
}

fn policy_of_the_certificate_key(model: &Model<'_>) -> Vec<String> {
    let key = model.properties(CERTIFICATE_KEY);
    let signs = json!({"AWS": {"Fn::GetAtt": ["QueryFunctionRole", "Arn"]}});
    let mut signers = 0;
    let mut broken = Vec::new();
    for statement in list(&key["KeyPolicy"]["Statement"]) {
        let granted = Granted { owner: CERTIFICATE_KEY, statement };
        let actions = granted.actions();
        if statement["Principal"] == signs {
            signers += usize::from(actions == BTreeSet::from(["kms:GetPublicKey", "kms:Sign"]));
        } else if actions.iter().any(|action| action.contains("Sign") || action.contains('*')) {
            broken.push("others may sign certificates".to_owned());
        }
    }
    broken.extend((signers != 1).then(|| "the query function cannot sign certificates".to_owned()));
    broken
}

fn policy_of_the_wrapping_key(model: &Model<'_>) -> Vec<String> {
    let policy = &model.properties(WRAPPING_KEY)["KeyPolicy"]["Statement"];
    let mut broken = Vec::new();
    let mut users = BTreeSet::new();
    for statement in list(policy) {
        let granted = Granted { owner: WRAPPING_KEY, statement };
        let role = |id: &str| json!({"AWS": {"Fn::GetAtt": [format!("{id}Role"), "Arn"]}});
        let user = USERS.iter().find(|(id, ..)| statement["Principal"] == role(id));
        let encrypts = ["Encrypt", "Decrypt", "GenerateDataKey", "CreateGrant", "ReEncrypt", "*"];
        match user {
            Some((id, _, actions)) => {
                let context = texts(
                    &statement["Condition"]["ForAllValues:StringEquals"]["kms:EncryptionContextKeys"],
                );
                // ForAllValues is also true without a context, so Null must exclude that.
                let of_owner = context == BTreeSet::from(["tenant", "subject"])
                    && statement["Condition"]["Null"]["kms:EncryptionContext:tenant"] == "false";
                if granted.actions() != actions.iter().copied().collect() || !of_owner {
                    broken.push(format!("{id} may use the wrapping key otherwise"));
                }
                users.insert(*id);
            }
            None => {
                let more = granted.actions().into_iter();
                let more = more.filter(|action| encrypts.iter().any(|it| action.contains(it)));
                broken.extend(
                    more.map(|action| format!("others may {action} with the wrapping key")),
                );
            }
        }
    }
    let missing = USERS.iter().filter(|(id, ..)| !users.contains(id));
    broken.extend(missing.map(|(id, ..)| format!("{id} cannot unwrap a key")));
    broken
}
