//! The export of events as files: a rule, a schedule, a queue, a function, a bucket and a table.

use ledgerfold::context::{Role, variables};

use super::{Scope, parameters::visibility, projection::RETENTION};
use crate::{
    document::{Map, Resource, Section, arn, list, map, reference, sub},
    parts::{
        Alarm, Consumer, Delivery, Function, Index, Key, Metric, Page, QUEUE_CONSUMER, Statement,
        bus_rule, dead_letters, queue, queue_mapping, schedule, table,
    },
    shared::{bucket_over_tls, function_alarms, letters_alarms, undeliverable_alarms},
};

const NAME: &str = "export";
const NOTE: &str = "The rule brings every event of the context. The function only notes which streams have news, and reads \
    the events from the event table when a window is over. A schedule sends a `close` message every five minutes.";

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let senders = ["ExportRule", "ExportClose"].map(str::to_owned);
    Section::new("Export", NOTE)
        .holding([rule(scope), close()])
        .holding(queue("ExportQueue", "ExportDeadLetters", &senders, visibility(), RETENTION))
        .holding(dead_letters("ExportDeadLetters", &senders))
        .holding(bucket())
        .holding([progress()])
        .holding(function().resources())
        .holding([queue_mapping(
            "ExportMapping",
            "ExportFunction",
            "ExportQueue",
            Consumer::OneByOne(10),
        )])
        .holding(alarms())
        .output_of("ExportBucket")
        .output_of("ExportProgress")
        .output_of("ExportFunction")
        .output_of("ExportQueue")
        .output_of("ExportDeadLetters")
        .output("ExportMinutes", reference("ExportWindow"))
}

fn rule(scope: &Scope<'_>) -> Resource {
    let pattern = map! {
        source: list![scope.source()],
        /// A replay has no news.
        "replay-name": list![map! { exists: false }],
    };
    let delivery = Delivery::to_queue("ExportQueue", "ExportDeadLetters");
    bus_rule(
        "ExportRule",
        NAME,
        "Routes every event of the context to the export.",
        pattern,
        &delivery,
    )
}

fn close() -> Resource {
    let delivery = Delivery {
        name: "queue",
        to: "ExportQueue",
        dead_letters: "ExportDeadLetters",
        // The next message does the work of a lost one.
        retries: (300, 3),
        input: Some(r#"{"ledgerfold": "close"}"#),
    };
    let description = "Lets the export close the windows that are over.";
    schedule("ExportClose", description, "rate(5 minutes)".into(), &delivery)
}

fn bucket() -> [Resource; 2] {
    let [bucket, policy] = bucket_over_tls("ExportBucket", Map::default());
    let kept = map! { DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" };
    let bucket = bucket.with(kept).skipping(&[
        ("CKV_AWS_18", "Turn on access logs where your account keeps them. The files contain no more than the event table."),
        ("CKV_AWS_21", "No object is ever changed or deleted, so there are no old versions."),
    ]);
    let bucket = bucket.because(
        "The files, and the manifests that say which of them belong to the export. It stays when somebody deletes the \
         stack. Without ExportProgress, the same files cannot be continued: empty it before a new stack uses it.",
    );
    [bucket, policy]
}

fn progress() -> Resource {
    table("ExportProgress", &[Key::STREAM, Key::SORT], None::<Index<'_>>)
        .because("Which streams have news, and up to which version each stream is in the files.")
}

fn function() -> Function<'static> {
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .with(variables::EXPORT_TABLE, reference("ExportProgress"))
        .with(variables::EXPORT_BUCKET, reference("ExportBucket"))
        .with(variables::EXPORT_WINDOW, reference("ExportWindow"));
    let progress = [
        "dynamodb:BatchGetItem",
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
    ];
    let permissions = vec![
        Statement::allow(&QUEUE_CONSUMER, arn("ExportQueue")),
        Statement::allow(&["dynamodb:Query", "dynamodb:GetItem"], arn("EventTable"))
            .because("The events come from here, so a forged message changes no file."),
        Statement::allow(&progress, arn("ExportProgress")),
        Statement::allow(&["s3:ListBucket"], arn("ExportBucket"))
            .because("Without it, S3 answers that a missing object is forbidden."),
        Statement::allow(&["s3:GetObject", "s3:PutObject"], sub("${ExportBucket.Arn}/*"))
            .because("It never deletes an object."),
    ];
    Function {
        id: "ExportFunction",
        description: "Exports the events of the context as files.".to_owned(),
        role: Role::Export,
        timeout: reference("ProjectorTimeout"),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

fn alarms() -> Vec<Alarm> {
    let log = "Run \"aws logs tail ${ExportFunctionLog} --since 1h\"";
    let ours = |metric| Metric::of_ours(metric, "ExportFunction").at_most();
    let redrive = "After a fix, run \"ledgerfold dead-letters redrive export\".";
    let mut alarms = vec![
        Alarm::new("ExportMissing", Metric::of_function("Invocations", "ExportFunction"), Page::Functions,
            "Export: the function has not run for half an hour, so no window is closed. Check that the rule ExportClose \
             is enabled and may send to the queue. The next run does the missed work.")
            .over(1, 1_800).if_nothing(),
        Alarm::new("ExportOverdue", ours("ExportOverdue"), Page::LongWaits,
            format!("Export: a window should have been closed half an hour ago. {log} for errors. If there are none, \
                     the function has more to do than it can: run \"ledgerfold export run\" once."))
            .over(1, 900).above(1_800),
        Alarm::new("ExportWithheld", ours("ExportWithheld"), Page::UndeliveredWork,
            format!("Export: the events of some streams cannot be read, so they are missing in the files. {log} for the \
                     streams and the reasons. After a fix, the next window contains them."))
            .over(1, 900),
        Alarm::new("ExportQueueAge", Metric::age("ExportQueue"), Page::LongWaits,
            format!("Export: the oldest message in the queue has waited for more than ten minutes. {log} for errors. If \
                     there are none, check whether the function is throttled or slow."))
            .over(1, 60).above(600),
        Alarm::new("ExportCloseUndeliverable",
            Metric::of_schedule("InvocationsFailedToBeSentToDlq", "ExportClose"), Page::UndeliveredWork,
            "Export: the schedule cannot send its message to the queue, so no window is closed. Fix the policies of the \
             queue and the dead-letter queue. Until then, run \"ledgerfold export run\".")
            .over(1, 60),
    ];
    alarms.extend(letters_alarms("ExportDeadLetters",
        &format!("Export: messages failed repeatedly or could not be delivered, and are in the dead-letter queue. {log} \
                  for the reasons. {redrive}"),
        &format!("Export: messages have been in the dead-letter queue for ten days. SQS deletes them after 14 days. Run \
                  \"ledgerfold dead-letters show export\" to see them. {redrive}"), Page::UndeliveredWork));
    alarms.extend(undeliverable_alarms("Export", NAME, Page::UndeliveredWork,
        "Export: the bus could deliver events neither to the queue nor to the dead-letter queue, so the files may miss \
         them. Fix the policies of both queues, then run \"ledgerfold export run --all\".",
        "Export: for 15 minutes the bus has failed to deliver events to the queue. It retries each event for a day and \
         then moves it to the dead-letter queue. Fix the policy of the queue."));
    alarms.extend(function_alarms(
        "ExportFunction",
        "Export",
        Page::Functions,
        &format!(
            "Export: an invocation failed. {log} for the reason. The next one goes on from there."
        ),
    ));
    alarms
}
