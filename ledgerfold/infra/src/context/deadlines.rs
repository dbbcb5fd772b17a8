//! The deadlines of all processes, and the sweep that sends their commands.

use ledgerfold::context::{Role, variables};

use super::Scope;
use crate::{
    document::{Map, Section, arn, list, map, reference, sub},
    parts::{Alarm, Function, Index, Key, Metric, Page, Statement, table},
    shared::{ScheduledStart, function_alarms, letters_alarms, without_retries},
};

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let deadlines = table("Deadlines", &[Key::STREAM], Some(Index("by-due"))).because(
        "pk is the process, the stream and the deadline's name. The index finds due deadlines: ix is a process and one \
         of its parts, io the time of the next attempt.",
    );
    let start = ScheduledStart {
        prefix: "DeadlineSweep",
        target: "sweep",
        description: "Starts the sweep of deadlines every minute.",
        every: "rate(1 minute)".into(),
        retry_for: 60,
    };
    Section::new("Deadlines", "")
        .holding([deadlines])
        .holding(start.resources())
        .holding(function(scope).resources())
        .holding(alarms())
        .output_of("Deadlines")
        .output_of("DeadlineSweepFunction")
        .output_of("DeadlineSweepDeadLetters")
}

fn function(scope: &Scope<'_>) -> Function<'static> {
    let processes = scope.context.processes().iter();
    let keys: Vec<_> = processes.clone().map(|process| format!("{}#*", process.name())).collect();
    let mut targets: Vec<_> = processes.map(|process| format!("{}#*", process.target())).collect();
    targets.sort();
    targets.dedup();
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .with(variables::DEADLINES, reference("Deadlines"))
        .and(scope.reservations_variable());
    let mut permissions = vec![
        Statement::allow(&["dynamodb:Query"], sub("${Deadlines.Arn}/index/by-due")),
        Statement::allow(&["dynamodb:DeleteItem"], arn("Deadlines")).on_keys(&keys),
        Statement::allow(&["dynamodb:UpdateItem"], arn("Deadlines"))
            .on_keys(&keys)
            .when("ForAllValues:StringEquals", map! {
                "dynamodb:Attributes": list!["pk", "ix", "io", "e", "n"],
            })
            .when("StringEqualsIfExists", map! { "dynamodb:ReturnValues": "NONE" })
            .because(
                "Allows changes of the next attempt and the number of attempts, and so neither of a deadline's \
                 identity nor of its due time. Requests must not ask for returned values, because these would be read \
                 access:\nhttps://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html",
            ),
    ];
    permissions.extend(scope.appending(&targets));
    Function {
        id: "DeadlineSweepFunction",
        description: "Sends the commands of due deadlines, for every process.".to_owned(),
        role: Role::Deadlines,
        // Less than the minute after which the next one starts.
        timeout: 55.into(),
        variables: environment,
        permissions,
        settings: without_retries(60),
    }
}

fn alarms() -> Vec<Alarm> {
    let log = "\"aws logs tail ${DeadlineSweepFunctionLog} --since 1h\"";
    let ours = |metric| Metric::of_ours(metric, "DeadlineSweepFunction").at_most();
    let see = "Run \"ledgerfold deadlines <process>\" to see";
    let retry = "After a fix, run \"ledgerfold deadlines retry <process>\".";
    let mut alarms = vec![
        Alarm::new("DeadlineSweepMissing", Metric::of_function("Invocations", "DeadlineSweepFunction"), Page::Functions,
            "Deadlines: no sweep has run for five minutes, so commands of deadlines are not sent. Check that the rule \
             DeadlineSweepRule is enabled and may invoke the function. The next sweep does the missed work.")
            .if_nothing(),
        Alarm::new("DeadlinesOverdue", ours("OldestOverdue"), Page::LongWaits,
            format!("Deadlines: a deadline is more than ten minutes overdue. {see} it, and {log} for the reason. The \
                     sweep retries it."))
            .over(1, 3_600).above(600),
        Alarm::new("FailedDeadlines", ours("FailedDeadlines"), Page::UndeliveredWork,
            format!("Deadlines: the commands of some deadlines failed ten times, and the sweep no longer retries them. \
                     {see} them, and {log} for the reasons. {retry}")),
        Alarm::new("FailedDeadlinesAge", ours("OldestFailed"), Page::LongWaits,
            format!("Deadlines: a failed deadline is more than a day overdue. {see} it. {retry}"))
            .above(86_400),
        Alarm::new("DeadlineSweepUndeliverable",
            Metric::of_schedule("InvocationsFailedToBeSentToDlq", "DeadlineSweepRule"), Page::UndeliveredWork,
            "Deadlines: the schedule could not start the sweep, and the dead-letter queue did not accept its message. \
             Check the permission of the rule to invoke the function, and the policy of the queue.")
            .over(1, 60),
    ];
    alarms.extend(letters_alarms("DeadlineSweepDeadLetters",
        "Deadlines: the schedule could not start the sweep. A later sweep does the work of a missed one. Check the \
         permission of the rule to invoke the function. After a fix, run \"ledgerfold dead-letters purge \
         deadline-sweep\".",
        "Deadlines: failed starts of the sweep have been in the dead-letter queue for ten days. Check that the sweep \
         runs now, then run \"ledgerfold dead-letters purge deadline-sweep\".", Page::UndeliveredWork));
    alarms.extend(function_alarms("DeadlineSweepFunction", "Deadlines", Page::Functions,
        &format!("Deadlines: the sweep failed, or the commands of some deadlines keep failing. Run {log} for the \
                  reasons, and \"ledgerfold deadlines <process>\" for the deadlines. {retry}")));
    alarms
}
