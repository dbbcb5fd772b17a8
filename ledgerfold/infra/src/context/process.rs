//! A process: a rule, a queue, a function, and their alarms.

use ledgerfold::context::{DeclaredProcess, Role, variables};

use super::{
    Scope, first_only, id_of, one_of, parameters::visibility, projection::RETENTION,
    scope::streams_of,
};
use crate::{
    document::{Map, Resource, Section, Value, arn, list, map, reference},
    parts::{
        Alarm, Consumer, Delivery, Function, Metric, Page, QUEUE_CONSUMER, Statement, bus_rule,
        dead_letters, queue, queue_mapping,
    },
    shared::{function_alarms, letters_alarms, signing_key, undeliverable_alarms},
};

const NOTE: &str = "A process has a rule and a queue, like a projection. Its rule excludes replays, so that nothing \
    happens twice. A table keeps the deadlines of all processes. Every minute a sweep sends the due ones to the worker of their \
    process.";

pub(super) fn section(scope: &Scope<'_>, process: &DeclaredProcess, first: bool) -> Section {
    let name = process.name().as_str();
    let id = id_of(name);
    let [rule, queue_id, letters, function_id] =
        ["Rule", "Queue", "DeadLetters", "Function"].map(|part| format!("{id}{part}"));
    let senders = [rule.clone()];
    let section = one_of("Process", name, first_only(first, NOTE))
        .holding([event_rule(scope, process, &rule, &Delivery::to_queue(&queue_id, &letters))])
        .holding(queue(&queue_id, &letters, &senders, visibility(), RETENTION))
        .holding(dead_letters(&letters, &senders))
        .holding(function(scope, process, &function_id, &queue_id).resources())
        .holding([queue_mapping(
            &format!("{id}Mapping"),
            &function_id,
            &queue_id,
            Consumer::OneByOne(10),
        )])
        .holding(alarms(name, &queue_id, &letters, &function_id))
        .output_of(&function_id)
        .output_of(&queue_id)
        .output_of(&letters);
    match process.is_configured() {
        // An audit of deadlines computes them with the same setting.
        true => section.output(format!("{id}Setting"), reference(&id)),
        false => section,
    }
}

fn event_rule(
    scope: &Scope<'_>,
    process: &DeclaredProcess,
    id: &str,
    delivery: &Delivery<'_>,
) -> Resource {
    let name = process.name().as_str();
    let types: Value = process.reacts_to().iter().copied().collect();
    let source = map! { source: list![scope.source()] };
    let source =
        if process.reacts_to().is_empty() { source } else { source.with("detail-type", types) };
    let pattern = source.and(map! {
        /// The process has already reacted to replayed events.
        "replay-name": list![map! { exists: false }],
    });
    bus_rule(id, name, &format!("Routes events to the {name} process."), pattern, delivery)
}

fn function<'a>(
    scope: &Scope<'_>,
    process: &DeclaredProcess,
    id: &'a str,
    queue: &str,
) -> Function<'a> {
    let name = process.name().as_str();
    let setting =
        process.is_configured().then(|| (variables::setting_of(name), reference(id_of(name))));
    let environment = Map::default()
        .with(variables::PROCESS, name)
        .and(setting.into_iter().collect())
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .with(variables::DEADLINES, reference("Deadlines"))
        .with(variables::BUS_KEY, signing_key())
        .and(scope.reservations_variable());
    let mut permissions = vec![
        Statement::allow(&QUEUE_CONSUMER, arn(queue)),
        Statement::allow(&["dynamodb:PutItem"], arn("Deadlines")).on_keys(&[format!("{name}#*")]),
        Statement::allow(&["dynamodb:Query"], arn("EventTable")).because(
            "Reads events from the event table that are unsigned or too large for the bus.",
        ),
    ];
    if process.sends_at_once() {
        let streams: Vec<_> = process.targets().iter().map(streams_of).collect();
        permissions.extend(match process.sends_jointly() {
            true => scope.transacting(&streams),
            false => scope.appending(&streams),
        });
    }
    Function {
        id,
        description: format!(
            "Reacts to events with the commands and deadlines of the {name} process."
        ),
        role: Role::Process,
        timeout: reference("ProjectorTimeout"),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

fn alarms(name: &str, queue: &str, letters: &str, function: &str) -> Vec<Alarm> {
    let log = format!("Run \"aws logs tail ${{{function}Log}} --since 1h\"");
    let (id, page) = (id_of(name), Page::UndeliveredWork);
    let redrive = format!("After a fix, run \"ledgerfold dead-letters redrive {name}\".");
    let mut alarms = vec![
        Alarm::new(format!("{queue}Age"), Metric::age(queue), Page::LongWaits,
            format!("{name}: the oldest event in the queue has waited for more than ten minutes, so commands are sent \
                     and deadlines are scheduled late. {log} for errors. If there are none, check whether the function \
                     is throttled or slow."))
            .over(1, 60).above(600),
        Alarm::new(format!("{id}Unconfirmed"), Metric::of_ours("UnconfirmedEvents", function), Page::UnauthorizedWrites,
            format!("{name}: events arrived that the relay did not sign, and the event table did not confirm them. \
                     They are forged, unless the event table was unavailable. The process ignored them. {log} for the \
                     messages, and find the account or role that publishes to the bus."))
            .over(1, 60),
    ];
    alarms.extend(letters_alarms(letters,
        &format!("{name}: messages failed repeatedly or could not be delivered, and are in the dead-letter queue. \
                  Their commands and deadlines may be missing. {log} for the reasons. {redrive}"),
        &format!("{name}: messages have been in the dead-letter queue for ten days. SQS deletes them after 14 days. \
                  Run \"ledgerfold dead-letters show {name}\" to see them. {redrive}"), page));
    alarms.extend(undeliverable_alarms(&id, name, page,
        &format!("{name}: the bus could deliver events neither to the queue nor to the dead-letter queue, so some \
                  commands and deadlines are missing. Fix the policies of both queues, then run \"ledgerfold repair \
                  --deadlines\". A replay does not reach a process."),
        &format!("{name}: for 15 minutes the bus has failed to deliver events to the queue. It retries each event for \
                  a day and then moves it to the dead-letter queue. Fix the policy of the queue.")));
    alarms.extend(function_alarms(function, name, Page::Functions,
        &format!("{name}: an invocation failed. {log} for the reason. SQS delivers the messages again, and moves those \
                  that keep failing to the dead-letter queue.")));
    alarms
}
