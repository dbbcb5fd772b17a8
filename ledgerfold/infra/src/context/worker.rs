//! The worker that fires the due deadlines of a process: a queue, a function, and their alarms.

use ledgerfold::context::{DeclaredProcess, Role, variables};

use super::{
    Scope, due_id_of, first_only, one_of, parameters::visibility, projection::RETENTION,
    scope::streams_of,
};
use crate::{
    document::{Map, Section, arn, reference},
    parts::{
        Alarm, Consumer, Function, Metric, Page, QUEUE_CONSUMER, Statement, queue_mapping,
        queue_of_role,
    },
    shared::{function_alarms, letters_alarms, moving_deadlines},
};

const NOTE: &str = "Each process has a queue and a worker for its due deadlines, so that the backlog of one process does \
    not delay another. A message only names a deadline, and the sweep sends a deadline that still waits again. So no \
    deadline is lost with a message.";

/// The invocations of a worker at once. Each fires a batch of ten concurrently, so they fire a thousand deadlines a
/// second, and a new table takes the writes of their commands.
const MOST: i64 = 5;

pub(super) fn section(scope: &Scope<'_>, process: &DeclaredProcess, first: bool) -> Section {
    let name = process.name().as_str();
    let id = due_id_of(name);
    let [queue, letters, function_id] =
        ["Queue", "DeadLetters", "Function"].map(|part| format!("{id}{part}"));
    let sweep = "DeadlineSweepFunctionRole";
    one_of("Deadlines of", name, first_only(first, NOTE))
        .holding(queue_of_role(&queue, &letters, sweep, visibility(), RETENTION))
        .holding(function(scope, process, &function_id, &queue).resources())
        .holding([queue_mapping(
            &format!("{id}Mapping"),
            &function_id,
            &queue,
            Consumer::OneByOne(MOST),
        )])
        .holding(alarms(name, &queue, &letters, &function_id))
        .output_of(&function_id)
        .output_of(&queue)
        .output_of(&letters)
}

fn function<'a>(
    scope: &Scope<'_>,
    process: &DeclaredProcess,
    id: &'a str,
    queue: &str,
) -> Function<'a> {
    let name = process.name().as_str();
    let keys = [format!("{name}#*")];
    let environment = Map::default()
        .with(variables::PROCESS, name)
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .with(variables::DEADLINES, reference("Deadlines"))
        .and(scope.reservations_variable());
    let mut permissions = vec![
        Statement::allow(&QUEUE_CONSUMER, arn(queue)),
        Statement::allow(&["dynamodb:GetItem", "dynamodb:DeleteItem"], arn("Deadlines"))
            .on_keys(&keys),
        moving_deadlines(&keys),
    ];
    let streams: Vec<_> = process.targets().iter().map(streams_of).collect();
    permissions.extend(scope.appending(&streams));
    Function {
        id,
        description: format!("Sends the commands of due deadlines of the {name} process."),
        role: Role::DeadlineWorker,
        timeout: reference("ProjectorTimeout"),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

fn alarms(name: &str, queue: &str, letters: &str, function: &str) -> Vec<Alarm> {
    let log = format!("Run \"aws logs tail ${{{function}Log}} --since 1h\"");
    let owner = format!("{name}-due");
    let again = "The sweep sends a deadline that still waits again, so none is lost.";
    let mut alarms = vec![
        Alarm::new(format!("{queue}Age"), Metric::age(queue), Page::LongWaits,
            format!("{name}: a due deadline has waited in the queue for more than ten minutes, so its command is late. \
                     {log} for errors. If there are none, check whether the function is throttled or slow."))
            .over(1, 60).above(600),
    ];
    alarms.extend(letters_alarms(letters,
        &format!("{name}: messages about due deadlines failed repeatedly, and are in the dead-letter queue. {again} \
                  {log} for the reasons. After a fix, run \"ledgerfold dead-letters redrive {owner}\", or \"purge\" if \
                  they are no due deadlines."),
        &format!("{name}: messages about due deadlines have been in the dead-letter queue for ten days. {again} Run \
                  \"ledgerfold dead-letters show {owner}\" to see them, then \"ledgerfold dead-letters purge {owner}\"."),
        Page::UndeliveredWork));
    alarms.extend(function_alarms(function, name, Page::Functions,
        &format!("{name}: an invocation of the deadline worker failed. {log} for the reason. SQS delivers the messages \
                  again, and moves those that keep failing to the dead-letter queue.")));
    alarms
}
