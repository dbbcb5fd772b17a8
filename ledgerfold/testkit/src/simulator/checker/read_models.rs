//! What readers see.

use std::collections::BTreeMap;

use crate::simulator::{
    chronicle::Chronicle,
    domain::{Statement, all, count},
    world::World,
};

/// What is said of an audit that has not found what the checker has.
pub(in crate::simulator) const AUDIT_IS_BLIND: &str = "the audit has seen nothing of it";

/// Every row is the fold of its stream, every counter the count over the log: folded and counted here
/// once more, and not by the audit.
pub(super) fn are_folds(world: &World, chronicle: &Chronicle, broken: &mut Vec<String>) {
    let before = broken.len();
    let rows = world.rows.rows().into_iter().map(|row| (row.stream.clone(), row));
    let mut rows: BTreeMap<_, _> = rows.collect();
    for (stream, history) in chronicle.streams() {
        let row = rows.remove(stream);
        let version = row.as_ref().map(|row| row.version);
        let shown = row.and_then(|row| row.body?.decode::<Statement>().ok());
        let head = history.head();
        if version != Some(head) || shown != history.statement(head) {
            broken.push(format!("the row of {stream} is not the fold of its {head}"));
        }
        if world.tallies.counted(stream) != head {
            broken.push(format!("{stream} was not counted to its end"));
        }
    }
    if !rows.is_empty() {
        broken.push("there are rows of streams that do not exist".to_owned());
    }
    let counted = count(chronicle.streams().values().flat_map(|history| history.events()));
    let shown = world.tallies.counter(&all());
    if shown != counted {
        broken.push(format!("the counters show {shown:?}, and the log has {counted:?}"));
    }
    if broken.len() > before && world.is_over() && !world.witness.audit_found() {
        broken.push(AUDIT_IS_BLIND.to_owned());
    }
}
