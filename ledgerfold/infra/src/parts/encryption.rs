//! The customer's own key. Without it, the keys of AWS encrypt everything, as each part says.

use crate::document::{Map, Value, choose, list, map, no_value, reference, sub};

use super::Statement;

/// The parameter with the key, and the condition that there is one.
pub(crate) const KEY: &str = "EncryptionKey";
pub(crate) const HAS_KEY: &str = "HasEncryptionKey";

/// The parameter with the ARN of the key.
pub(crate) fn parameter() -> Map {
    Map::default().with(KEY, map! {
        Type: "String",
        Default: "",
        AllowedPattern: "|arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
        ConstraintDescription: "the ARN of a KMS key, or empty.",
        Description: "ARN of your own KMS key, for example of the template key.yaml. It encrypts everything that this \
                      stack stores. If empty, keys of AWS do. Use one key for all stacks of a stage.",
    })
}

pub(crate) fn condition() -> Map {
    let none = Map::default().with("Fn::Equals", list![reference(KEY), ""]);
    Map::default().with(HAS_KEY, Map::default().with("Fn::Not", list![none]))
}

/// One value with the key, another without.
pub(crate) fn with_key(value: impl Into<Value>, otherwise: impl Into<Value>) -> Value {
    choose(HAS_KEY, value, otherwise)
}

/// The ARN of the key. Without one, the property is left out.
pub(crate) fn key_if_any() -> Value {
    with_key(reference(KEY), no_value())
}

/// The permissions on the key that follow from the other permissions of a function's role. The services use the key in
/// the name of the role, so nothing allows the function to call KMS itself.
pub(super) fn permissions(others: &[Statement]) -> Vec<(Option<String>, Value)> {
    let does = |action: &str| others.iter().any(|it| it.actions().any(|other| other == action));
    let uses = |service: &str| {
        others.iter().any(|it| it.actions().any(|other| other.starts_with(&format!("{service}:"))))
    };
    // Lambda decrypts the environment of a function.
    let reads = [
        ("lambda", true),
        ("dynamodb", uses("dynamodb")),
        ("sqs", uses("sqs")),
        ("s3", does("s3:GetObject")),
    ];
    let writes = [("sqs", does("sqs:SendMessage")), ("s3", does("s3:PutObject"))];
    let both: [(&str, &[(&str, bool)]); 2] =
        [("kms:Decrypt", &reads), ("kms:GenerateDataKey", &writes)];
    let statements = both.into_iter().filter_map(|(action, services)| {
        let services = services.iter().filter(|(_, used)| *used).map(|(service, _)| *service);
        let through: Vec<_> = services.map(through).collect();
        (!through.is_empty()).then(|| {
            let statement = Statement::allow(&[action], reference(KEY)).when(
                "StringEquals",
                map! { "kms:ViaService": through.into_iter().collect::<Value>() },
            );
            let (note, statement) = statement.item();
            (note, with_key(statement, no_value()))
        })
    });
    statements.collect()
}

/// The name of a service in the condition `kms:ViaService`.
fn through(service: &str) -> Value {
    sub(format!("{service}.${{AWS::Region}}.amazonaws.com"))
}
