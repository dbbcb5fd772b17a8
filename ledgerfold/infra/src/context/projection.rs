//! A projection: a rule, a schedule, a queue, a projector, and their alarms.

use ledgerfold::{
    Category,
    context::{Kind, Role, variables},
    vocabulary::Source,
};

use super::{
    Scope, first_only, id_of, one_of,
    parameters::visibility,
    scope::{foreign_table, foreign_table_arn, streams_of},
};
use crate::{
    document::{Map, Resource, Section, arn, list, map, reference, sub},
    parts::{
        Alarm, Consumer, DEAD_LETTERS, Delivery, Function, Metric, Page, QUEUE_CONSUMER, Statement,
        bus_rule, dead_letters, queue, queue_mapping, schedule,
    },
    shared::{function_alarms, letters_alarms, signing_key, undeliverable_alarms},
};

/// Four days, the default of SQS, in seconds.
pub(super) const RETENTION: i64 = 345_600;

const NOTE: &str = "Each projection has the same parts: a rule, a schedule, a queue and a projector. The schedule sends \
    a `retry` message to the queue, and the projector then retries its quarantined streams. The rule, the schedule and \
    the queue share one dead-letter queue, so one alarm watches all failed messages, and one redrive moves them back. \
    It keeps messages for 14 days, SQS's maximum.";

/// The ids of a projection's resources.
struct Parts<'a> {
    name: &'a str,
    rule: String,
    retry: String,
    queue: String,
    letters: String,
    projector: String,
    table: String,
}

impl<'a> Parts<'a> {
    fn of(name: &'a str) -> Self {
        let id = id_of(name);
        Self {
            name,
            rule: format!("{id}Rule"),
            retry: format!("{id}Retry"),
            queue: format!("{id}Queue"),
            letters: format!("{id}{DEAD_LETTERS}"),
            projector: format!("{id}Projector"),
            table: format!("{id}Table"),
        }
    }
}

pub(super) fn section(scope: &Scope<'_>, name: &str, first: bool) -> Section {
    let parts = Parts::of(name);
    let senders = [parts.rule.clone(), parts.retry.clone()];
    let consumer = match scope.kind_of(name) {
        Kind::Rows | Kind::Parts => Consumer::OneByOne(10),
        Kind::Counters => Consumer::Together,
    };
    let mapping = format!("{}Mapping", parts.projector);
    one_of("Projection", name, first_only(first, NOTE))
        .holding([rule(scope, &parts), retry(&parts)])
        .holding(queue(&parts.queue, &parts.letters, &senders, visibility(), RETENTION))
        .holding(dead_letters(&parts.letters, &senders))
        .holding(function(scope, &parts).resources())
        .holding([queue_mapping(&mapping, &parts.projector, &parts.queue, consumer)])
        .holding(alarms(&parts))
        .output_of(&parts.projector)
        .output_of(&parts.queue)
        .output_of(&parts.letters)
        .output(&parts.rule, arn(&parts.rule))
}

fn rule(scope: &Scope<'_>, parts: &Parts<'_>) -> Resource {
    let foreign = scope.foreign(parts.name);
    let (name, context) = (parts.name, foreign.map_or(scope.context.name(), Source::context));
    let source = foreign.map_or(scope.source(), |it| format!("ledgerfold.{}", it.bus_name()));
    let delivery = Delivery::to_queue(&parts.queue, &parts.letters);
    let category = scope.context.catalog().category(name);
    let events = match category {
        Some(category) => format!("every {category} event of the context {context}"),
        None => format!("every event of the context {context}"),
    };
    let description = format!("Routes {events} to the {name} projection.");
    let pattern = map! { source: list![source] };
    let pattern = match category {
        Some(category) => pattern.with("detail", of_category(category)),
        None => pattern,
    };
    bus_rule(&parts.rule, name, &description, pattern, &delivery)
}

/// The events of one category, by the names of their streams: `<tenant>/<category>#<id>`. No part of a name has a
/// slash or a number sign.
fn of_category(category: &Category) -> Map {
    map! { subject: list![map! { wildcard: streams_of(category) }] }
}

fn retry(parts: &Parts<'_>) -> Resource {
    let delivery = Delivery {
        name: "queue",
        to: &parts.queue,
        dead_letters: &parts.letters,
        // A lost message needs no long retry, because the next one does its work.
        retries: (3_600, 10),
        input: Some(r#"{"ledgerfold": "retry"}"#),
    };
    let description =
        format!("Sends a retry message to the queue of the {} projection.", parts.name);
    schedule(&parts.retry, &description, sub("rate(${RetryEvery})"), &delivery)
}

fn function<'a>(scope: &Scope<'_>, parts: &'a Parts<'_>) -> Function<'a> {
    let name = parts.name;
    let environment = Map::default()
        .with(variables::PROJECTION, name)
        .with(variables::READ_TABLE, reference(&parts.table))
        .and(log_variables(scope.foreign(name)))
        .with(variables::PROJECTION_STATES, reference("ProjectionStates"))
        .with(variables::BUS_KEY, signing_key());
    let mut permissions = vec![Statement::allow(&QUEUE_CONSUMER, arn(&parts.queue))];
    permissions.extend(writes(scope.kind_of(name), &parts.table));
    permissions.extend(states(name));
    let log = scope.foreign(name).map_or(arn("EventTable"), |it| foreign_table_arn(it.context()));
    permissions.push(
        Statement::allow(&["dynamodb:Query", "dynamodb:GetItem"], log)
            .because("Fills gaps between a row and an event from the event table."),
    );
    Function {
        id: &parts.projector,
        description: format!("Updates the {name} read table from the events on its queue."),
        role: Role::Projector,
        timeout: reference("ProjectorTimeout"),
        variables: environment,
        permissions,
        settings: Map::default(),
    }
}

/// The variables with the log of a projection.
fn log_variables(foreign: Option<&Source>) -> Map {
    match foreign {
        Some(source) => Map::default()
            .with(variables::SOURCE_CONTEXT, source.context())
            .with(variables::SOURCE_TABLE, foreign_table(source.context())),
        None => Map::default().with(variables::EVENT_TABLE, reference("EventTable")),
    }
}

/// The permissions of a projector on its read table.
fn writes(kind: Kind, table: &str) -> Vec<Statement> {
    match kind {
        Kind::Rows | Kind::Parts => {
            vec![Statement::allow(&["dynamodb:BatchGetItem", "dynamodb:PutItem"], arn(table))]
        }
        Kind::Counters => vec![
            Statement::allow(&["dynamodb:BatchGetItem"], arn(table)),
            Statement::allow(&["dynamodb:PutItem", "dynamodb:UpdateItem"], arn(table))
                .when("ForAnyValue:StringEquals", map! {
                    "dynamodb:EnclosingOperation": list!["TransactWriteItems"],
                })
                .because(
                    "Memos and counters change in one transaction or not at all:\n\
                     https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html",
                ),
        ],
    }
}

/// The permissions of a projector on the table that it shares with the others.
fn states(name: &str) -> [Statement; 4] {
    let states = || arn("ProjectionStates");
    let parked = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"];
    [
        Statement::allow(&["dynamodb:GetItem", "dynamodb:PutItem"], states())
            .on_keys(&[name.to_owned()])
            .because("Its generations and its quarantined streams."),
        Statement::allow(&["dynamodb:GetItem", "dynamodb:PutItem"], states())
            .on_keys(&[format!("copy#{name}#*")])
            .because("Reads the copies of its generations, and repairs them."),
        Statement::allow(&parked, states()).on_keys(&[format!("parked#{name}")]),
        Statement::allow(&["dynamodb:GetItem"], states())
            .on_keys(&[format!("skipped#{name}")])
            .because("The events that it skips. Only operators record skips."),
    ]
}

fn alarms(parts: &Parts<'_>) -> Vec<Alarm> {
    let Parts { name, retry, queue, letters, projector, .. } = parts;
    let log = format!("\"aws logs tail ${{{projector}Log}} --since 1h\"");
    let (id, page) = (id_of(name), Page::Projection);
    let show = format!("\"ledgerfold dead-letters show {name}\"");
    let redrive = format!("After a fix, run \"ledgerfold dead-letters redrive {name}\".");
    let mut alarms = vec![
        Alarm::new(format!("{id}RetryUndeliverable"),
            Metric::of_schedule("InvocationsFailedToBeSentToDlq", retry), page,
            format!("{name}: the schedule cannot send its message to the queue, so quarantined streams are not \
                     retried. Fix the policies of the queue and the dead-letter queue. Until then, run \"ledgerfold \
                     parked retry {name}\"."))
            .over(1, 60),
        Alarm::new(format!("{id}Parked"), Metric::of_ours("ParkedStreams", projector).at_most(), page,
            format!("{name}: some streams are quarantined because an event could not be applied. Run \"ledgerfold \
                     parked {name}\" for the reasons. Deploy a fix; retries are automatic."))
            .over(1, 900),
        Alarm::new(format!("{queue}Age"), Metric::age(queue), page,
            format!("{name}: the oldest event in the queue has waited for more than ten minutes, so reads are out of \
                     date. Run {log} for errors. If there are none, check whether the function is throttled or slow."))
            .over(1, 60).above(600),
        Alarm::new(format!("{id}Unconfirmed"), Metric::of_ours("UnconfirmedEvents", projector), page,
            format!("{name}: events arrived that the relay did not sign, and the event table did not confirm them. \
                     They are forged, unless the event table was unavailable. The read table is not affected. Run \
                     {log} for the messages, and find the account or role that publishes to the bus."))
            .over(1, 60),
    ];
    alarms.extend(letters_alarms(letters,
        &format!("{name}: messages failed repeatedly or could not be delivered, and are in the dead-letter queue. Run \
                  {log} for the reasons and {show} for the messages. {redrive}"),
        &format!("{name}: messages have been in the dead-letter queue for ten days. SQS deletes them after 14 days. \
                  Run {show} to see them. {redrive}"), page));
    alarms.extend(undeliverable_alarms(&id, name, page,
        &format!("{name}: the bus could deliver events neither to the queue nor to the dead-letter queue, so the \
                  projection misses them. Fix the policies of both queues, then run \"ledgerfold replay start \
                  --projection {name} --from <two days before this alarm>\"."),
        &format!("{name}: for 15 minutes the bus has failed to deliver events to the queue. It retries each event for \
                  a day and then moves it to the dead-letter queue. Fix the policy of the queue.")));
    alarms.extend(function_alarms(projector, &format!("{name}: projector"), page,
        &format!("{name}: an invocation of the projector failed. Run {log} for the reason. SQS delivers the messages \
                  again, and moves those that keep failing to the dead-letter queue.")));
    alarms
}
