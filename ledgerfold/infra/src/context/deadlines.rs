//! The deadlines of all processes, and the sweep that sends them to the workers of their processes.

use ledgerfold::context::{Role, variables};

use super::{Scope, due_id_of};
use crate::{
    document::{Map, Section, Value, arn, reference, sub},
    parts::{Alarm, Function, Index, Key, Metric, Page, Statement, table},
    shared::{ScheduledStart, function_alarms, letters_alarms, moving_deadlines, without_retries},
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
    let names: Vec<_> = scope.context.processes().iter().map(|it| it.name().as_str()).collect();
    let keys: Vec<_> = names.iter().map(|name| format!("{name}#*")).collect();
    let queue = |name: &&str| format!("{}Queue", due_id_of(name));
    let urls: Map =
        names.iter().map(|name| (variables::due_queue_of(name), reference(queue(name)))).collect();
    let queues: Value = names.iter().map(|name| arn(queue(name))).collect();
    let permissions = vec![
        Statement::allow(&["dynamodb:Query"], sub("${Deadlines.Arn}/index/by-due")),
        Statement::allow(&["sqs:SendMessage"], queues),
        moving_deadlines(&keys)
            .because("Retries failed deadlines if an operator invokes the function for it."),
    ];
    Function {
        id: "DeadlineSweepFunction",
        description: "Sends due deadlines to the workers of their processes.".to_owned(),
        role: Role::DeadlineSweep,
        // Less than the minute after which the next one starts.
        timeout: 55.into(),
        variables: Map::default().with(variables::DEADLINES, reference("Deadlines")).and(urls),
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
            "Deadlines: no sweep has run for five minutes, so due deadlines do not fire. Check that the rule \
             DeadlineSweepRule is enabled and may invoke the function. The next sweep does the missed work.")
            .if_nothing(),
        Alarm::new("DeadlinesOverdue", ours("OldestOverdue"), Page::LongWaits,
            format!("Deadlines: a deadline is more than ten minutes overdue. {see} it. The log of the worker of its \
                     process shows its failures, and {log} whether the sweep sends it. Both try again."))
            .over(1, 3_600).above(600),
        Alarm::new("FailedDeadlines", ours("FailedDeadlines"), Page::UndeliveredWork,
            format!("Deadlines: the commands of some deadlines failed ten times, and are no longer retried. {see} them. \
                     The log of the worker of their process has the reasons. {retry}")),
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
        &format!("Deadlines: the sweep could not list or send deadlines, or the commands of some keep failing. Run \
                  {log} for the reasons, and \"ledgerfold deadlines <process>\" for the deadlines. {retry}")));
    alarms
}
