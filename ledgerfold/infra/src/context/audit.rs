//! The audit of the bus.

use super::Scope;
use crate::{
    document::{Section, Value, arn, list, map},
    parts::{Alarm, Delivery, Metric, Page, bus_rule, dead_letters, queue},
    shared::{letters_alarms, undeliverable_alarms},
};

const A_DAY: i64 = 86_400;

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let pattern = map! {
        source: scope.sources().into_iter().collect::<Value>(),
        "replay-name": list![map! { prefix: "audit-" }],
    };
    let delivery = Delivery::to_queue("AuditQueue", "AuditDeadLetters");
    let description = "Routes events that are replayed for an audit of the bus to its queue.";
    let senders = ["AuditRule".to_owned()];
    Section::new(
        "Audit of the bus",
        "An audit of the bus replays the archive into this queue. The rule matches only replays whose names start with \
         `audit-`, so it costs nothing without an audit. SQS deletes the messages of an interrupted audit after a day.",
    )
    .holding([bus_rule("AuditRule", "audit", description, pattern, &delivery)])
    .holding(queue("AuditQueue", "AuditDeadLetters", &senders, 300.into(), A_DAY))
    .holding(dead_letters("AuditDeadLetters", &senders))
    .holding(alarms())
    .output("AuditRuleArn", arn("AuditRule"))
    .output_of("AuditQueue")
    .output_of("AuditDeadLetters")
}

fn alarms() -> Vec<Alarm> {
    let mut alarms = vec![
        Alarm::new("AuditQueueAge", Metric::age("AuditQueue"), Page::LongWaits,
            "Audit of the bus: replayed events have waited for six hours, so an audit was interrupted. SQS deletes \
             them after a day, and nothing is lost. Run \"ledgerfold audit --bus\" again if you need its result.")
            .above(6 * 3_600),
    ];
    alarms.extend(letters_alarms("AuditDeadLetters",
        "Audit of the bus: some replayed events are in the dead-letter queue, so the audit did not see them. Production \
         is not affected. Run \"ledgerfold audit --bus\" again, then purge the queue (stack output AuditDeadLetters).",
        "Audit of the bus: replayed events have been in the dead-letter queue for ten days. SQS deletes them after 14 \
         days, and nothing is lost. Purge the queue (stack output AuditDeadLetters).", Page::UndeliveredWork));
    alarms.extend(undeliverable_alarms("Audit", "audit", Page::UndeliveredWork,
        "Audit of the bus: the bus could deliver replayed events neither to the queue nor to the dead-letter queue, so \
         the audit did not see them. Fix the policies of both queues, then run \"ledgerfold audit --bus\" again.",
        "Audit of the bus: for 15 minutes the bus has failed to deliver replayed events to the queue. It retries each \
         event for a day and then moves it to the dead-letter queue. Fix the policy of the queue."));
    alarms
}
