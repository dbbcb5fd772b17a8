//! The relay: it publishes the commits of the event table on the bus, and keeps those that it cannot publish.

use ledgerfold::context::{Role, variables};

use super::Scope;
use crate::{
    document::{Map, Resource, Section, Value, arn, attribute, import, list, map, reference, sub},
    parts::{Alarm, Delivery, Function, Metric, Page, Statement, bus_rule, dead_letters},
    shared::{bucket_over_tls, function_alarms, letters_alarms, signing_key, undeliverable_alarms},
};

const RULE: &str = "reports";
const REPAIR: &str = "run \"ledgerfold repair --bus --since <two days before this alarm>\" with the role BusRepairRole";

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let [bucket, policy] = failure_bucket();
    Section::new("Relay", "")
        .holding(function(scope).resources())
        .holding([mapping(), reports(scope)])
        .holding(dead_letters("RelayDeadLetters", &["RelayRule".to_owned()]))
        .holding(undelivered_reports())
        .holding([bucket, policy])
        .holding(alarms())
        .output_of("RelayFunction")
        .output_of("RelayDeadLetters")
        .output_of("RelayRuleDeadLetters")
        .output_of("FailureBucket")
}

fn function(scope: &Scope<'_>) -> Function<'static> {
    let stream = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    ];
    let reports = format!("{}.relay", scope.source());
    let sources: Value = scope.sources().into_iter().chain([reports]).collect();
    let permissions = vec![
        Statement::allow(&stream, attribute("EventTable", "StreamArn")),
        Statement::allow(&["events:PutEvents"], import("BusArn"))
            .when("ForAllValues:StringEquals", map! { "events:source": sources })
            .when("Null", map! { "events:source": "false" })
            .because(
                "Only with the sources of this context and of the relay. ForAllValues is also true for a call without \
                 a source, so Null excludes that.",
            ),
        Statement::allow(&["s3:ListBucket"], arn("FailureBucket")),
        Statement::allow(&["s3:PutObject"], sub("${FailureBucket.Arn}/aws/lambda/*"))
            .because("Lambda generates the names of the objects under this prefix."),
    ];
    let environment = Map::default()
        .with(variables::BUS_NAME, import("BusName"))
        .with(variables::BUS_KEY, signing_key());
    Function {
        id: "RelayFunction",
        description: "Publishes commits of the event table on the bus.".to_owned(),
        role: Role::Relay,
        timeout: 30.into(),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

fn mapping() -> Resource {
    let properties = map! {
        FunctionName: reference("RelayFunction"),
        EventSourceArn: attribute("EventTable", "StreamArn"),
        /// A mapping takes minutes to become active. With LATEST it would miss the commits of these minutes.
        StartingPosition: "TRIM_HORIZON",
        /// No filter: the relay must also see changed and deleted commits, to report them. It does not publish them.
        BatchSize: 100,
        /// The most that Lambda allows. With more than one batch of a shard at a time, only the order of one item's
        /// changes is kept. A commit is an item of its own, and consumers order events by version.
        ParallelizationFactor: 10,
        FunctionResponseTypes: list!["ReportBatchItemFailures"],
        BisectBatchOnFunctionError: true,
        /// We limit retries by age, because the number of attempts in an outage depends on how fast each one fails.
        /// Without a limit, a commit that always fails would block its shard until the stream deletes it.
        MaximumRetryAttempts: -1,
        MaximumRecordAgeInSeconds: reference("RelayPatience"),
        DestinationConfig: map! { OnFailure: map! { Destination: arn("FailureBucket") } },
        /// Enables the metrics of records that Lambda dropped or moved to the bucket. Two alarms use them.
        MetricsConfig: map! { Metrics: list!["EventCount"] },
    };
    Resource::new("RelayMapping", "AWS::Lambda::EventSourceMapping", properties)
}

fn reports(scope: &Scope<'_>) -> Resource {
    let pattern = map! {
        source: list![format!("{}.relay", scope.source())],
        "replay-name": list![map! { exists: false }],
    };
    let delivery = Delivery::to_queue("RelayDeadLetters", "RelayRuleDeadLetters");
    let description =
        "Routes reports of commits that cannot be published to a queue for operators.";
    bus_rule("RelayRule", RULE, description, pattern, &delivery).because(
        "A commit that can never be published, because it is damaged or too large, would block its shard. The relay \
         publishes a report about it instead, as an event with a source of its own, and continues.",
    )
}

fn undelivered_reports() -> [Resource; 2] {
    let [queue, policy] = dead_letters("RelayRuleDeadLetters", &["RelayRule".to_owned()]);
    [queue.because("Reports that the rule could not deliver to the queue above."), policy]
}

fn failure_bucket() -> [Resource; 2] {
    let expire = map! {
        Id: "expire",
        Status: "Enabled",
        ExpirationInDays: 90,
        AbortIncompleteMultipartUpload: map! { DaysAfterInitiation: 1 },
    };
    let lifecycle = map! {
        LifecycleConfiguration: map! {
            Rules: list![
                expire; "The event table keeps the commits. An object only shows operators which of them to publish.",
            ],
        },
    };
    let [bucket, policy] = bucket_over_tls("FailureBucket", lifecycle);
    let bucket = bucket.with(map! { DeletionPolicy: "Delete", UpdateReplacePolicy: "Retain" }).skipping(&[
        ("CKV_AWS_18", "The alarm RelayGaveUp reports each object, and the event table has the commits too."),
        ("CKV_AWS_21", "Lambda never writes an object twice. Old versions would keep an emptied bucket in alarm."),
    ]);
    let bucket = bucket.because(
        "Commits that the relay could not publish, with their payload. A queue as destination would only get a \
         pointer into the stream, which deletes records after 24 hours.",
    );
    [bucket, policy]
}

fn alarms() -> Vec<Alarm> {
    let log = "Run \"aws logs tail ${RelayFunctionLog} --since 1h\"";
    let undelivered = Page::UndeliveredWork;
    let mut alarms = vec![
        Alarm::new("RelayIteratorAge", Metric::of_function("IteratorAge", "RelayFunction").at_most(), Page::LongWaits,
            format!("Relay: it is more than a minute behind the event table, so reads and processes are behind too. \
                     {log} for the reason. The change stream deletes records after 24 hours."))
            .over(3, 60).above(60_000),
        Alarm::new("RelayGaveUp", Metric::of_mapping("OnFailureDestinationDeliveredEventCount", "RelayMapping"), undelivered,
            format!("Relay: it gave up publishing some commits, and they are in the failure bucket. {log} for the \
                     reason. After a fix, {REPAIR}, then empty the bucket ${{FailureBucket}}."))
            .over(1, 60),
        Alarm::new("RelayDropped", Metric::of_mapping("DroppedEventCount", "RelayMapping"), undelivered,
            format!("Relay: some commits were neither published nor stored in the failure bucket. The event table has \
                     them. {log} for the reason. After a fix, {REPAIR}."))
            .over(1, 60),
        Alarm::new("FailureBucketHolds", Metric::objects("FailureBucket"), Page::LongWaits,
            "Relay: commits that were not published have been in the failure bucket for a day. S3 deletes them after \
             90 days; the event table keeps them. Run \"ledgerfold repair --bus --since <two days before the oldest \
             object>\" with the role BusRepairRole, then empty the bucket ${FailureBucket}.")
            .over(1, 86_400),
        Alarm::new("EventTableChanged", Metric::of_ours("CommitsChanged", "RelayFunction"), Page::UnauthorizedWrites,
            format!("Event table: a commit was changed or deleted, which no function does. {log} to see which commit. \
                     Find the person or program that did it, and restore the commit from a backup of the table."))
            .over(1, 60),
    ];
    alarms.extend(letters_alarms("RelayDeadLetters",
        &format!("Relay: some commits can never be published as they are. Run \"ledgerfold dead-letters show relay\" \
                  for the reasons. After a fix, {REPAIR}, then \"ledgerfold dead-letters purge relay\"."),
        "Relay: reports of commits that cannot be published have been in the queue for ten days. SQS deletes them \
         after 14 days. Run \"ledgerfold dead-letters show relay\" for the reasons. After a fix, run \"ledgerfold \
         repair --bus --since <twelve days before this alarm>\" with the role BusRepairRole, then \"ledgerfold \
         dead-letters purge relay\".", undelivered));
    alarms.extend(letters_alarms("RelayRuleDeadLetters",
        "Relay: the bus could not deliver reports of commits that cannot be published. Run \"ledgerfold dead-letters \
         show relay-rule\" to see them. Fix the commits as for the alarm RelayDeadLettersAlarm and the policy of the \
         queue, then run \"ledgerfold dead-letters purge relay-rule\".",
        "Relay: undelivered reports of commits that cannot be published have been in the dead-letter queue for ten \
         days. SQS deletes them after 14 days. Run \"ledgerfold dead-letters show relay-rule\" to see them. After a \
         fix, run \"ledgerfold dead-letters purge relay-rule\".", undelivered));
    alarms.extend(undeliverable_alarms("Relay", RULE, undelivered,
        &format!("Relay: the bus could deliver reports of commits that cannot be published neither to the queue nor to \
                  the dead-letter queue. {log} to see the commits. Fix the policies of both queues."),
        "Relay: for 15 minutes the bus has failed to deliver reports of commits that cannot be published. It retries \
         each report for a day and then moves it to the dead-letter queue. Fix the policy of the queue."));
    alarms.extend(function_alarms(
        "RelayFunction",
        "Relay",
        Page::Functions,
        &format!("Relay: an invocation failed. {log} for the reason. Lambda retries the commits."),
    ));
    alarms
}
