//! The rules of the bus: every event is published, and nothing stays in a dead-letter queue.

use std::collections::HashSet;

use crate::{checker::evidence::Evidence, domain::history::History, plan::schedule::Recovery};

/// Every event was published, or operators find its commit: among the failed records, or among those that the change
/// stream has forgotten. Without faults there are none.
pub(super) fn everything_was_published(
    evidence: &Evidence,
    history: &History,
    broken: &mut Vec<String>,
) {
    let published: HashSet<_> = evidence.bus.published().into_iter().collect();
    let missed = evidence.changes.missed();
    if evidence.schedule.is_fault_free() && !missed.is_empty() {
        broken.push(format!("{} commits were not published without faults", missed.len()));
    }
    for commit in history.commits().filter(|commit| !missed.contains(commit)) {
        for (version, event) in commit.events() {
            if !published.contains(&event.id) {
                broken.push(format!("version {version} of {} was not published", commit.stream()));
            }
        }
    }
    let dead_letters: usize = evidence.queues.iter().map(|queue| queue.dead_letters()).sum();
    if dead_letters > 0
        && (evidence.schedule.is_fault_free() || evidence.schedule.recovery == Recovery::Redrive)
    {
        broken.push(format!("{dead_letters} messages cannot be applied"));
    }
}
