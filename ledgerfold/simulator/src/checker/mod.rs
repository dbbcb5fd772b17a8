//! The rules of a schedule: for each answer at its time, and for everything at the end. The rules read the evidence of
//! a schedule, and start or change no part of it.

mod answers;
mod decisions;
mod delivery;
mod evidence;
mod reactions;
mod read_models;

pub(super) use answers::{nothing_was_to_do, refused};
pub(super) use evidence::Evidence;
pub(super) use read_models::debts_are_paid;

use crate::domain::history::History;

/// All rules that are broken in the end.
pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let history = evidence.log.history();
    let mut broken = history.broken().to_vec();
    let rules: [fn(&Evidence, &History, &mut Vec<String>); 10] = [
        decisions::nothing_was_lost,
        decisions::each_was_decided_on_its_moment,
        decisions::effects_are_single,
        decisions::addresses_are_unique,
        decisions::money_stays_the_same,
        answers::are_true,
        delivery::everything_was_published,
        reactions::follow_once,
        read_models::are_folds,
        read_models::others_are_in_order,
    ];
    for rule in rules {
        rule(evidence, &history, &mut broken);
    }
    broken
}
