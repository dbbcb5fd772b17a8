//! The parts that several components have in the same form.

use crate::{
    document::{Map, Resource, Value, arn, list, map, reference, sub},
    parts::{Alarm, Delivery, KEY, Metric, Page, Statement, dead_letters, schedule, with_key},
};

/// The parameter with the name of the platform's stack.
pub(crate) fn platform_parameter(description: &str) -> Map {
    map! {
        Platform: map! {
            Type: "String",
            Default: "ledgerfold-prod",
            AllowedPattern: "[A-Za-z][A-Za-z0-9-]{0,47}",
            ConstraintDescription: "the name of a stack of at most 48 characters.",
            Description: description,
        },
    }
}

/// The key with which the relay signs events and consumers verify them.
pub(crate) fn signing_key() -> Value {
    sub("{{resolve:secretsmanager:${BusKey}}}")
}

/// The permission to change the next attempt and the number of attempts of deadlines with these keys.
pub(crate) fn moving_deadlines(keys: &[String]) -> Statement {
    Statement::allow(&["dynamodb:UpdateItem"], arn("Deadlines"))
        .on_keys(keys)
        .when("ForAllValues:StringEquals", map! {
            "dynamodb:Attributes": list!["pk", "ix", "io", "e", "n"],
        })
        .when("StringEqualsIfExists", map! { "dynamodb:ReturnValues": "NONE" })
        .because(
            "Allows changes of the next attempt and the number of attempts, and so neither of a deadline's identity nor \
             of its due time. Requests must not ask for returned values, because these would be read access:\n\
             https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html",
        )
}

/// A private, encrypted bucket that refuses requests without TLS.
pub(crate) fn bucket_over_tls(id: &str, settings: Map) -> [Resource; 2] {
    let encryption = map! {
        ServerSideEncryptionByDefault: with_key(
            map! { SSEAlgorithm: "aws:kms", KMSMasterKeyID: reference(KEY) },
            map! { SSEAlgorithm: "AES256" },
        ),
        BucketKeyEnabled: with_key(true, false),
    };
    let properties = map! {
        BucketEncryption: map! { ServerSideEncryptionConfiguration: list![encryption] },
        PublicAccessBlockConfiguration: map! {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
        },
        OwnershipControls: map! { Rules: list![map! { ObjectOwnership: "BucketOwnerEnforced" }] },
    };
    let statement = map! {
        Sid: "OnlyOverTls",
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: list![arn(id), sub(format!("${{{id}.Arn}}/*"))],
        Condition: map! { Bool: map! { "aws:SecureTransport": "false" } },
    };
    let policy = map! {
        Bucket: reference(id),
        PolicyDocument: map! { Version: "2012-10-17", Statement: list![statement] },
    };
    [
        Resource::new(id, "AWS::S3::Bucket", properties.and(settings)),
        Resource::new(format!("{id}Policy"), "AWS::S3::BucketPolicy", policy),
    ]
}

/// The alarms on failed and on throttled invocations of a function.
pub(crate) fn function_alarms(id: &str, title: &str, page: Page, failed: &str) -> [Alarm; 2] {
    let throttled = format!(
        "{title}: Lambda throttled it because the account has used up its concurrency. Run \"aws lambda \
         get-account-settings\" for the limit. Raise it, or find the function that uses it."
    );
    [
        Alarm::new(format!("{id}Errors"), Metric::of_function("Errors", id), page, failed),
        Alarm::new(format!("{id}Throttles"), Metric::of_function("Throttles", id), page, throttled),
    ]
}

/// The alarms on messages in a dead-letter queue, and on messages that have been there for ten of fourteen days.
pub(crate) fn letters_alarms(queue: &str, some: &str, old: &str, page: Page) -> [Alarm; 2] {
    const TEN_DAYS: i64 = 864_000;
    [
        Alarm::new(format!("{queue}Alarm"), Metric::messages(queue).at_most(), page, some)
            .over(1, 60),
        Alarm::new(format!("{queue}Age"), Metric::age(queue), page.of_waits(), old).above(TEN_DAYS),
    ]
}

/// The alarms on a rule of the bus that cannot deliver events at all, or not at once.
pub(crate) fn undeliverable_alarms(
    prefix: &str,
    rule: &str,
    page: Page,
    lost: &str,
    late: &str,
) -> [Alarm; 2] {
    let failed = Metric::of_bus_rule("InvocationsFailedToBeSentToDlq", rule);
    let retried = Metric::of_bus_rule("RetryInvocationAttempts", rule);
    [
        Alarm::new(format!("{prefix}Undeliverable"), failed, page, lost).over(1, 60),
        Alarm::new(format!("{prefix}Retried"), retried, page.of_waits(), late).over(3, 300),
    ]
}

/// A function that a schedule starts: the rule, its permission, and a dead-letter queue for starts that failed.
pub(crate) struct ScheduledStart<'a> {
    /// The beginning of all ids.
    pub(crate) prefix: &'a str,
    /// The name of the target in the rule.
    pub(crate) target: &'a str,
    pub(crate) description: &'a str,
    pub(crate) every: Value,
    /// After so many seconds the next start does the work of this one.
    pub(crate) retry_for: i64,
}

impl ScheduledStart<'_> {
    pub(crate) fn resources(self) -> Vec<Resource> {
        let Self { prefix, target, description, every, retry_for } = self;
        let rule = format!("{prefix}Rule");
        let function = format!("{prefix}Function");
        let letters = format!("{prefix}DeadLetters");
        let delivery = Delivery {
            name: target,
            to: &function,
            dead_letters: &letters,
            retries: (retry_for, 1),
            input: None,
        };
        let start = schedule(&rule, description, every, &delivery)
            .because("The next start does the work of a lost one, so retries are short.");
        let ignored = list![
            "ES1007"; "ES1007 wants a destination for failed invocations. The next one does their work.",
        ];
        let permission = map! {
            Action: "lambda:InvokeFunction",
            FunctionName: reference(&function),
            Principal: "events.amazonaws.com",
            SourceArn: arn(&rule),
        };
        let permission =
            Resource::new(format!("{prefix}Permission"), "AWS::Lambda::Permission", permission)
                .metadata("cfn-lint", map! { config: map! { ignore_checks: ignored } });
        let [queue, policy] = dead_letters(&letters, &[rule]);
        let queue = queue.because(
            "Starts that failed. The next start does their work; the queue only exists to raise an alarm.",
        );
        vec![start, permission, queue, policy]
    }
}

/// The settings of a function whose next start does the work of a failed one.
pub(crate) fn without_retries(seconds: i64) -> Map {
    map! {
        EventInvokeConfig: map! { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: seconds },
    }
}
