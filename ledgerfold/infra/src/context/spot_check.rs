//! The spot check: it compares a sample of streams with their read models.

use ledgerfold::context::{Role, variables};

use super::Scope;
use crate::{
    document::{Map, Section, Value, arn, reference, sub},
    parts::{Alarm, Function, Metric, Page, Statement},
    shared::{ScheduledStart, function_alarms, letters_alarms, without_retries},
};

pub(super) fn section(scope: &Scope<'_>) -> Section {
    let start = ScheduledStart {
        prefix: "SpotCheck",
        target: "audit",
        description: "Starts the spot check.",
        every: sub("rate(${SpotCheckEvery})"),
        retry_for: 300,
    };
    Section::new("Spot check", "")
        .holding(start.resources())
        .holding(function(scope).resources())
        .holding(alarms(&scope.admin()))
        .output_of("SpotCheckFunction")
        .output_of("SpotCheckDeadLetters")
}

fn function(scope: &Scope<'_>) -> Function<'static> {
    let environment = Map::default()
        .with(variables::EVENT_TABLE, reference("EventTable"))
        .and(scope.table_variables())
        .and(scope.event_table_variables())
        .with(variables::SPOT_CHECK_STREAMS, reference("SpotCheckStreams"))
        .with(variables::SPOT_CHECK_PATIENCE, reference("SpotCheckPatience"));
    let tables: Value =
        scope.read_tables().chain(["ProjectionStates".to_owned()]).map(arn).collect();
    let mut permissions = vec![
        Statement::allow(&["dynamodb:Query", "dynamodb:Scan"], arn("EventTable"))
            .because("Scans a few small parts of the table to choose the sample."),
        Statement::allow(&["dynamodb:GetItem"], tables),
        Statement::allow(&["dynamodb:Query"], arn("ProjectionStates"))
            .because("Lists quarantined streams to find the oldest."),
    ];
    permissions.extend(scope.reading_other_contexts(&["dynamodb:Query", "dynamodb:Scan"]));
    Function {
        id: "SpotCheckFunction",
        description: "Compares the read models of a random sample of streams with the event table."
            .to_owned(),
        role: Role::SpotCheck,
        timeout: 300.into(),
        variables: environment,
        permissions,
        settings: without_retries(300),
    }
}

fn alarms(admin: &str) -> Vec<Alarm> {
    let log = "Run \"aws logs tail ${SpotCheckFunctionLog} --since 1h\"";
    const DAY: i64 = 86_400;
    let ours = |metric| Metric::of_ours(metric, "SpotCheckFunction");
    let mut alarms = vec![
        Alarm::new("SpotCheckMissing", Metric::of_function("Invocations", "SpotCheckFunction"), Page::Functions,
            "Spot check: none has run for a day. Check that the rule SpotCheckRule is enabled and may invoke the \
             function. A new stack is in alarm until its first spot check.")
            .over(1, DAY).if_nothing(),
        Alarm::new("SpotCheckWrong", ours("Wrong"), Page::WrongReadModels,
            format!("Spot check: read models differ from the event table. {log} to see the streams, and \"ledgerfold \
                     audit\" to compare all streams. Run \"ledgerfold repair\" to write missing events, and \
                     \"ledgerfold repair --overwrite\" to replace wrong rows.")),
        Alarm::new("ParkedAge", ours("OldestParked").at_most(), Page::LongWaits,
            "Spot check: a stream has been quarantined for more than a day. Run \"ledgerfold parked\" for the \
             projection and the reason. Deploy a fix; retries are automatic.")
            .over(1, DAY).above(DAY),
        Alarm::new("RebuildUnfinished", ours("GenerationsBuilding").at_least(), Page::LongWaits,
            format!("Spot check: a rebuild has been unfinished for two days, so it was probably interrupted. Run \
                     \"{admin} generations\" to see the projection. Continue with \"ledgerfold rebuild <projection>\", \
                     or give up with \"{admin} abandon <projection>\"."))
            .over(2, DAY),
        Alarm::new("SpotCheckUndeliverable",
            Metric::of_schedule("InvocationsFailedToBeSentToDlq", "SpotCheckRule"), Page::UndeliveredWork,
            "Spot check: the schedule could not start it, and the dead-letter queue did not accept its message. Check \
             the permission of the rule to invoke the function, and the policy of the queue.")
            .over(1, 60),
    ];
    alarms.extend(letters_alarms("SpotCheckDeadLetters",
        "Spot check: the schedule could not start it. A later spot check does the work of a missed one. Check the \
         permission of the rule to invoke the function. After a fix, run \"ledgerfold dead-letters purge spot-check\".",
        "Spot check: failed starts have been in the dead-letter queue for ten days. Check that the spot check runs \
         now, then run \"ledgerfold dead-letters purge spot-check\".", Page::UndeliveredWork));
    alarms.extend(function_alarms("SpotCheckFunction", "Spot check", Page::Functions,
        &format!("Spot check: an invocation failed. {log} for the reason. The next spot check runs on schedule.")));
    alarms
}
