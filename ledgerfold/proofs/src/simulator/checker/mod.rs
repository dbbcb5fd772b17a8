//! What must be true: of each answer when it is given, and of everything when all has come to rest.

mod answers;
mod decisions;
mod delivery;
mod reactions;
mod read_models;

pub(super) use answers::{nothing_was_to_do, refused};
pub(super) use read_models::{AUDIT_IS_BLIND, debts_are_paid};

use super::{chronicle::Chronicle, world::World};

/// All rules that are broken in the end.
pub(super) fn check(world: &World) -> Vec<String> {
    let chronicle = world.log.chronicle();
    let mut broken = chronicle.broken().to_vec();
    let rules: [fn(&World, &Chronicle, &mut Vec<String>); 10] = [
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
        rule(world, &chronicle, &mut broken);
    }
    broken
}
