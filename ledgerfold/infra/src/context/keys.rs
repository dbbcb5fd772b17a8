//! The keys of a context that seals: their table, and the KMS key that wraps them.

use ledgerfold::context::Context;

use super::{Scope, parameters::number};
use crate::{
    document::{Map, Resource, Section, Value, arn, choose, list, map, reference, sub},
    parts::{Alarm, Index, Key, Metric, Page, Statement, table},
};

/// Nobody needs these actions on the table of keys. An erasure updates its item.
const REMOVALS: [&str; 5] = [
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
];
/// Everything that an administrator may do with the wrapping key. Encryption is not among it.
const ADMINISTRATION: [&str; 20] = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
];

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let section = Section::new(
        "Keys",
        "The context seals personal data under a key per person. To erase a person is to destroy the key.",
    )
    .holding([key_table(), wrapping_key(scope)])
    .holding(scope.context.erases().then(|| certificate_key(scope)))
    .holding(alarms())
    .output_of("KeyTable")
    .output("WrappingKey", arn("WrappingKey"));
    match scope.context.erases() {
        true => section.output("CertificateKey", arn("CertificateKey")),
        false => section,
    }
}

/// The parameters of a context that erases.
pub(super) fn parameters(context: &Context) -> Map {
    if !context.erases() {
        return Map::default();
    }
    map! {
        KeyCacheSeconds: number(300, 1, 3_600,
            "Seconds for which functions cache the keys of people. After an erasure, the data is unreadable once they have \
             passed. Fewer seconds need more requests to KMS."),
        KeyBackupDays: number(0, 0, 35,
            "Days for which you keep a backup of the table of keys. Certificates say that data is irrecoverable once they \
             have passed."),
    }
}

/// The names of these parameters.
pub(super) const PARAMETERS: [&str; 2] = ["KeyCacheSeconds", "KeyBackupDays"];

fn certificate_key(scope: &Scope<'_>) -> Resource {
    let name = scope.context.name();
    let properties = map! {
        Description: format!("Signs the certificates of erasures of the context {name}."),
        KeySpec: "ECC_NIST_P256",
        KeyUsage: "SIGN_VERIFY",
        PendingWindowInDays: 30,
        KeyPolicy: map! {
            Version: "2012-10-17",
            Statement: list![
                administrators(),
                map! {
                    Sid: "QueriesSignCertificates",
                    Effect: "Allow",
                    Principal: map! { AWS: arn("QueryFunctionRole") },
                    Action: list!["kms:GetPublicKey", "kms:Sign"],
                    Resource: "*",
                },
            ],
        },
    };
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    let rotation = "KMS does not rotate keys that sign. Certificates name their key.";
    Resource::new("CertificateKey", "AWS::KMS::Key", properties)
        .with(kept)
        .skipping(&[("CKV_AWS_7", rotation)])
        .because(
            "Only the query function may sign. Publish the public key, so that others can compare the key of a certificate \
             with it. The key stays when somebody deletes the stack.",
        )
}

/// The statement for the administrators of the account.
fn administrators() -> Map {
    map! {
        Sid: "AdministratorsOfTheAccount",
        Effect: "Allow",
        Principal: map! { AWS: sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root") },
        Action: ADMINISTRATION.into_iter().collect::<Value>(),
        Resource: "*",
    }
}

fn key_table() -> Resource {
    let mut resource = table("KeyTable", &[Key::STREAM], None::<Index<'_>>);
    resource.properties.remove("PointInTimeRecoverySpecification");
    let statement = map! {
        Sid: "KeysAndMarksStay",
        Effect: "Deny",
        Principal: "*",
        Action: REMOVALS.into_iter().collect::<Value>(),
        Resource: "*",
    };
    let properties = resource.properties.clone().and(map! {
        DeletionProtectionEnabled: choose("Protected", true, false),
        /// Without its item, a person's data cannot be opened, and without its mark, an erased person would get another
        /// key. A deny applies to administrators too.
        ResourcePolicy: map! {
            PolicyDocument: map! { Version: "2012-10-17", Statement: list![statement] },
        },
    });
    let kept = map! { DeletionPolicy: "Delete", UpdateReplacePolicy: "Retain" };
    Resource { properties, ..resource }
        .with(kept)
        .skipping(&[("CKV_AWS_28", "A backup would keep the keys of erased people.")])
        .because(
            "The key of each person and of each tenant, wrapped by the key below. No point-in-time recovery, no stream \
             and no replica: each would keep destroyed keys for days, and with them the data of erased people. A backup \
             that you make must not live longer than you promise. Deletion protection keeps the table in every stage \
             except \"local\": without it, nothing that was ever sealed can be opened.",
        )
}

fn wrapping_key(scope: &Scope<'_>) -> Resource {
    let name = scope.context.name();
    let properties = map! {
        Description: format!("Wraps the keys of the people whose data the context {name} seals."),
        EnableKeyRotation: true,
        PendingWindowInDays: 30,
        KeyPolicy: map! {
            Version: "2012-10-17",
            Statement: list![
                administrators(); "IAM decides who they are. They cannot unwrap a key, unless they change this policy, which CloudTrail \
                    records.",
                wraps("CommandsMakeAndReadKeys", "CommandFunctionRole", &["kms:Decrypt", "kms:GenerateDataKey"]),
                wraps("QueriesReadKeys", "QueryFunctionRole", &["kms:Decrypt"]),
            ],
        },
    };
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    Resource::new("WrappingKey", "AWS::KMS::Key", properties).with(kept).because(
        "Only the two functions below may use it. The permissions are here and not in their roles, so that no policy of \
         IAM can give them to anybody else. Without the key, all sealed data is lost, so it stays when somebody deletes \
         the stack.",
    )
}

/// Lets a function use the key for the keys of tenants and people, and for nothing else.
fn wraps(sid: &str, role: &str, actions: &[&str]) -> Map {
    let action: Value = match actions {
        [action] => (*action).into(),
        actions => actions.iter().copied().collect(),
    };
    map! {
        Sid: sid,
        Effect: "Allow",
        Principal: map! { AWS: arn(role) },
        Action: action,
        Resource: "*",
        Condition: map! {
            "ForAllValues:StringEquals": map! {
                "kms:EncryptionContextKeys": list!["tenant", "subject"],
            },
            Null: map! { "kms:EncryptionContext:tenant": "false" },
        },
    }
}

/// The variables of a function that uses keys.
pub(super) fn variables(scope: &Scope<'_>) -> Map {
    use ledgerfold::context::variables::{KEY_CACHE_SECONDS, KEY_TABLE, WRAPPING_KEY};
    if !scope.context.seals() {
        return Map::default();
    }
    let keys = Map::default()
        .with(KEY_TABLE, reference("KeyTable"))
        .with(WRAPPING_KEY, arn("WrappingKey"));
    match scope.context.erases() {
        true => keys.with(KEY_CACHE_SECONDS, reference("KeyCacheSeconds")),
        false => keys,
    }
}

/// The further variables of the function that makes certificates.
pub(super) fn certificate_variables(scope: &Scope<'_>) -> Map {
    use ledgerfold::context::variables::{CERTIFICATE_KEY, KEY_BACKUP_DAYS};
    if !scope.context.erases() {
        return Map::default();
    }
    Map::default()
        .with(CERTIFICATE_KEY, arn("CertificateKey"))
        .with(KEY_BACKUP_DAYS, reference("KeyBackupDays"))
}

/// The permission to destroy keys, and to place and lift legal holds.
pub(super) fn erasing(scope: &Scope<'_>) -> Option<Statement> {
    let owners = ["subject#*".to_owned()];
    let note = "Destroys the key of an erased person, and places and lifts legal holds: both change the item of the key.";
    let statement = || {
        Statement::allow(&["dynamodb:UpdateItem"], arn("KeyTable")).on_keys(&owners).because(note)
    };
    scope.context.erases().then(statement)
}

/// The permission of a function to use the table of keys.
pub(super) fn permission(scope: &Scope<'_>, actions: &[&str], note: &str) -> Option<Statement> {
    let owners = ["tenant#*", "subject#*"].map(str::to_owned);
    let statement = || Statement::allow(actions, arn("KeyTable")).on_keys(&owners).because(note);
    scope.context.seals().then(statement)
}

fn alarms() -> [Alarm; 2] {
    let alarm = |function: &str, title: &str| {
        let log = format!("\"aws logs tail ${{{function}Log}} --since 1h\"");
        Alarm::new(
            format!("{function}KeyFailures"),
            Metric::of_ours("KeyFailures", function),
            Page::Functions,
            format!(
                "{title}: keys of people could not be read or made, so requests about them fail. Run {log} for the \
                 reason. Check that ${{WrappingKey}} is enabled and not scheduled for deletion, and that the account \
                 has not reached its quota of KMS requests."
            ),
        )
    };
    [alarm("CommandFunction", "Command function"), alarm("QueryFunction", "Query function")]
}
