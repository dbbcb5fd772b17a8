//! Rules about the customer's own key.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::model::{FUNCTION, Granted, Model, QUEUE, ROLE, TABLE, list, text};
use crate::parts::{HAS_KEY, KEY};

/// Events go here when the customer's key does not work, so it has another one.
const WITHOUT_KEY: &str = "BusDeadLetters";

fn key() -> Json {
    json!({"Ref": KEY})
}

fn none() -> Json {
    json!({"Ref": "AWS::NoValue"})
}

fn with_key(value: &Json, otherwise: &Json) -> Json {
    json!({"Fn::If": [HAS_KEY, value, otherwise]})
}

/// The types that can be encrypted, with the property that names the key, and its value.
fn encryptable() -> Vec<(&'static str, &'static str, Json)> {
    let or_none = with_key(&key(), &none());
    let table = json!({
        "SSEEnabled": with_key(&json!(true), &json!(false)),
        "SSEType": with_key(&json!("KMS"), &none()),
        "KMSMasterKeyId": or_none,
    });
    let bucket =
        "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault";
    let of_bucket = with_key(
        &json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key()}),
        &json!({"SSEAlgorithm": "AES256"}),
    );
    let or_sqs = with_key(&json!(false), &json!(true));
    vec![
        (TABLE, "/SSESpecification", table),
        (QUEUE, "/KmsMasterKeyId", or_none.clone()),
        (QUEUE, "/SqsManagedSseEnabled", or_sqs),
        ("AWS::S3::Bucket", bucket, of_bucket),
        ("AWS::Logs::LogGroup", "/KmsKeyId", or_none.clone()),
        ("AWS::SecretsManager::Secret", "/KmsKeyId", or_none.clone()),
        ("AWS::Events::EventBus", "/KmsKeyIdentifier", or_none.clone()),
        ("AWS::Events::Archive", "/KmsKeyIdentifier", or_none.clone()),
        ("AWS::SNS::Topic", "/KmsMasterKeyId", or_none),
    ]
}

/// Every resource that can be encrypted takes the customer's key, if there is one. It also holds for the platform.
pub(super) fn stored_data_takes_the_key(model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for (kind, place, expected) in encryptable() {
        let resources = model.of_type(kind).into_iter().filter(|(id, _)| *id != WITHOUT_KEY);
        let wrong = resources.filter(|(_, it)| it.pointer(place) != Some(&expected));
        broken.extend(wrong.map(|(id, _)| format!("{id} does not take {KEY} in {place}")));
    }
    // Environments are encrypted for all functions at once.
    let shared = model.at("/Globals/Function/KmsKeyArn");
    for (id, function) in model.of_type(FUNCTION) {
        let found = function.get("KmsKeyArn").unwrap_or(shared);
        if *found != with_key(&key(), &none()) {
            broken.push(format!("the environment of {id} does not take {KEY}"));
        }
    }
    let condition = json!({"Fn::Not": [{"Fn::Equals": [{"Ref": KEY}, ""]}]});
    if *model.at(&format!("/Conditions/{HAS_KEY}")) != condition {
        broken.push(format!("the condition {HAS_KEY} does not depend on {KEY} alone"));
    }
    if *model.at(&format!("/Parameters/{KEY}/Default")) != "" {
        broken.push(format!("{KEY} has a default"));
    }
    broken
}

/// The uses of the key, as an action and a service, that follow from the actions of a role.
fn needed(actions: &BTreeSet<&str>) -> BTreeSet<(&'static str, &'static str)> {
    let service = |name: &str| actions.iter().any(|action| action.starts_with(name));
    let all = [
        (true, ("kms:Decrypt", "lambda")),
        (service("dynamodb:"), ("kms:Decrypt", "dynamodb")),
        (service("sqs:"), ("kms:Decrypt", "sqs")),
        (actions.contains("s3:GetObject"), ("kms:Decrypt", "s3")),
        (actions.contains("sqs:SendMessage"), ("kms:GenerateDataKey", "sqs")),
        (actions.contains("s3:GetObject"), ("kms:Decrypt", "s3")),
        (actions.contains("s3:PutObject"), ("kms:GenerateDataKey", "s3")),
    ];
    all.into_iter().filter_map(|(is_needed, it)| is_needed.then_some(it)).collect()
}

/// A role may use the key only through the services that it calls, and never for itself.
pub(super) fn roles_use_the_key_through_services(model: &Model<'_>) -> Vec<String> {
    let statements = model.statements();
    let mut broken = Vec::new();
    for (role, _) in model.of_type(ROLE) {
        let own: Vec<_> = statements.iter().filter(|it| it.owner == role && it.allows()).collect();
        let actions: BTreeSet<_> = own.iter().flat_map(|it| it.actions()).collect();
        let mut found = BTreeSet::new();
        for granted in own.iter().filter(|it| it.actions().iter().any(|it| it.starts_with("kms:")))
        {
            if granted.statement["Resource"] != key() {
                broken.push(format!("{role} may use other keys than {KEY}"));
            }
            found.extend(uses(granted));
        }
        let needed = needed(&actions);
        let needed: BTreeSet<_> =
            needed.into_iter().map(|(action, service)| (action, through(service))).collect();
        let differing = needed.symmetric_difference(&found);
        broken.extend(
            differing.map(|it| format!("{role} lacks a use of {KEY}, or has one too many: {it:?}")),
        );
    }
    broken
}

fn through(service: &str) -> String {
    format!("{service}.${{AWS::Region}}.amazonaws.com")
}

/// The pairs of action and service that a statement allows. Without the condition, the service is empty.
fn uses<'m>(granted: &'m Granted<'_>) -> Vec<(&'m str, String)> {
    let services = &granted.statement["Condition"]["StringEquals"]["kms:ViaService"];
    let mut names: Vec<_> =
        list(services).map(|service| text(&service["Fn::Sub"]).to_owned()).collect();
    if names.is_empty() {
        names.push(String::new());
    }
    let actions = granted.actions().into_iter();
    actions.flat_map(|action| names.clone().into_iter().map(move |name| (action, name))).collect()
}
