//! The rules of read models, with a fold of their own. The product's audit does not belong here.

use std::collections::BTreeMap;

use ledgerfold::{StreamId, Version, vocabulary::Generation};
use ledgerfold_testkit::bank::{Statement, all_accounts};

use crate::{
    checker::evidence::Evidence,
    domain::{
        accounts::{TENANTS, tenant},
        history::History,
        sums::Sum,
    },
    infrastructure::{
        bus::FOREIGN, projection::SimulatedProjection, rows::SimulatedRows,
        tallies::SimulatedTallies,
    },
    plan::report::MISSED_BY_AUDIT,
};

/// Every row is the fold of its stream, every counter the count over the log: folded and counted here
/// once more, and not by the audit.
pub(super) fn are_folds(evidence: &Evidence, history: &History, broken: &mut Vec<String>) {
    let before = broken.len();
    let [statements, totals] = &evidence.projections;
    rows_are_folds(&statements.table.rows_of(live(statements)), history, broken);
    counters_are_counts(&totals.table.tallies_of(live(totals)), history, broken);
    let foreign = &evidence.foreign;
    foreign_rows_are_folds(&foreign.table.rows_of(live(foreign)), history, broken);
    if broken.len() > before && evidence.tasks.is_over() && !evidence.observations.audit_found() {
        broken.push(MISSED_BY_AUDIT.to_owned());
    }
}

fn live(projection: &SimulatedProjection) -> Generation {
    projection.record().live().number
}

fn rows_are_folds(rows: &SimulatedRows, history: &History, broken: &mut Vec<String>) {
    let rows = rows.rows().into_iter().map(|row| (row.stream.clone(), row));
    let mut rows: BTreeMap<_, _> = rows.collect();
    for (stream, history) in history.streams() {
        let row = rows.remove(stream);
        let version = row.as_ref().map(|row| row.version);
        let shown = row.and_then(|row| row.body?.decode::<Statement>().ok());
        let head = history.head();
        if version != Some(head) || shown != history.statement(head) {
            broken.push(format!("the row of {stream} is not the fold of its {head}"));
        }
    }
    if !rows.is_empty() {
        broken.push("there are rows of streams that do not exist".to_owned());
    }
}

/// The rows of another context have every public event. They may lack hidden events at the end, because no message
/// announces these.
fn foreign_rows_are_folds(rows: &SimulatedRows, history: &History, broken: &mut Vec<String>) {
    let rows = rows.rows();
    for (stream, history) in history.streams() {
        let row = rows.iter().find(|row| row.stream == *stream);
        let version = row.map_or(Version::NONE, |row| row.version);
        let shown = row.and_then(|row| row.body.as_ref()?.decode::<u64>().ok());
        let is_complete = history.announced() <= version && version <= history.head();
        if !is_complete || shown != history.points(version) {
            let announced = history.announced();
            broken.push(format!(
                "the foreign row of {stream} at {version} is not the fold of its {announced}"
            ));
        }
    }
    if rows.iter().any(|row| history.stream(&row.stream).is_none()) {
        broken.push("there are foreign rows of streams that do not exist".to_owned());
    }
}

fn counters_are_counts(tallies: &SimulatedTallies, history: &History, broken: &mut Vec<String>) {
    for (stream, history) in history.streams() {
        if tallies.counted(stream) != history.head() {
            broken.push(format!("{stream} was not counted to its end"));
        }
    }
    for tenant in TENANTS.map(tenant) {
        let ours = history.streams().iter().filter(|(stream, _)| *stream.tenant() == tenant);
        let counted: Sum = ours.flat_map(|(_, history)| history.events()).sum();
        let shown = Sum::shown(&tallies.counter(&tenant, &all_accounts()));
        if shown != counted {
            broken.push(format!(
                "the counters of {tenant} show {shown:?}, and the log has {counted:?}"
            ));
        }
    }
}

/// For every finished message the read model has its version, if no stream is parked: no debt was forgotten.
pub(crate) fn debts_are_paid(evidence: &Evidence) {
    let [statements, totals] = &evidence.projections;
    let rows = statements.table.rows_of(live(statements)).rows();
    let row = |stream: &StreamId| rows.iter().find(|row| row.stream == *stream);
    for (stream, acknowledged) in evidence.queues[0].acknowledged() {
        let reached = row(&stream).map_or(Version::NONE, |row| row.version);
        if reached < acknowledged && !evidence.schedule.damage {
            let rule =
                format!("the row of {stream} is at {reached}, and {acknowledged} was acknowledged");
            evidence.observations.violated(rule);
        }
    }
    let foreign = &evidence.foreign;
    let rows = foreign.table.rows_of(live(foreign)).rows();
    for (stream, acknowledged) in evidence.queues[FOREIGN].acknowledged() {
        let row = rows.iter().find(|row| row.stream == stream);
        let reached = row.map_or(Version::NONE, |row| row.version);
        if reached < acknowledged {
            let rule = format!(
                "the foreign row of {stream} is at {reached}, and {acknowledged} was acknowledged"
            );
            evidence.observations.violated(rule);
        }
    }
    let tallies = totals.table.tallies_of(live(totals));
    for (stream, acknowledged) in evidence.queues[1].acknowledged() {
        let counted = tallies.counted(&stream);
        if counted < acknowledged {
            let rule =
                format!("{stream} was counted to {counted}, and {acknowledged} was acknowledged");
            evidence.observations.violated(rule);
        }
    }
}

/// Nothing is left of removed generations, and the previous one is right as far as it goes, because a roll-back may
/// need it.
pub(super) fn others_are_in_order(
    evidence: &Evidence,
    history: &History,
    broken: &mut Vec<String>,
) {
    for SimulatedProjection { projection, table, generations, .. } in &evidence.projections {
        let record = generations.record(projection);
        if let Some(building) = record.building() {
            let generation = building.generation.number;
            broken.push(format!("generation {generation} of {projection} is still being built"));
        }
        let retired = record.retired();
        for left in table.generations().into_iter().filter(|it| retired.contains(*it)) {
            broken.push(format!("generation {left} of {projection} still has items"));
        }
        if let Some(previous) = record.previous().filter(|_| !evidence.schedule.damage) {
            rows_were_folds(&table.rows_of(previous.number), history, broken);
            counters_were_counts(&table.tallies_of(previous.number), history, broken);
        }
    }
}

fn rows_were_folds(rows: &SimulatedRows, history: &History, broken: &mut Vec<String>) {
    for row in rows.rows() {
        let stream = &row.stream;
        let version = row.version;
        let shown = row.body.and_then(|body| body.decode::<Statement>().ok());
        if history.stream(stream).is_none_or(|history| history.statement(version) != shown) {
            broken.push(format!("the previous row of {stream} is not the fold of its {version}"));
        }
    }
}

fn counters_were_counts(tallies: &SimulatedTallies, history: &History, broken: &mut Vec<String>) {
    for tenant in TENANTS.map(tenant) {
        let ours = history.streams().iter().filter(|(stream, _)| *stream.tenant() == tenant);
        let counted = ours.flat_map(|(stream, history)| {
            let version = usize::try_from(tallies.counted(stream).get()).unwrap_or(usize::MAX);
            history.events().iter().take(version)
        });
        let counted: Sum = counted.sum();
        let shown = Sum::shown(&tallies.counter(&tenant, &all_accounts()));
        if shown != counted {
            broken.push(format!(
                "the previous counters of {tenant} show {shown:?}, and counted was {counted:?}"
            ));
        }
    }
}
