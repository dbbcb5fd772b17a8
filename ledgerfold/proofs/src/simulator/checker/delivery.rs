//! What went over the bus.

use std::collections::HashSet;

use crate::simulator::{checker::Evidence, domain::history::Chronicle, plan::schedule::Ending};

/// Every event was published, or the commit that has it stands where operators find it: aside, or
/// among what the change stream has forgotten. In fair weather nothing stands there.
pub(super) fn everything_was_published(
    evidence: &Evidence,
    chronicle: &Chronicle,
    broken: &mut Vec<String>,
) {
    let published: HashSet<_> = evidence.bus.published().into_iter().collect();
    let missed = evidence.changes.missed();
    if evidence.schedule.is_fair() && !missed.is_empty() {
        broken.push(format!("{} commits were put aside in fair weather", missed.len()));
    }
    for commit in chronicle.commits().filter(|commit| !missed.contains(commit)) {
        for (version, event) in commit.events() {
            if !published.contains(&event.id) {
                broken.push(format!("version {version} of {} was not published", commit.stream()));
            }
        }
    }
    let aside: usize = evidence.queues.iter().map(|queue| queue.aside()).sum();
    if aside > 0 && (evidence.schedule.is_fair() || evidence.schedule.ending == Ending::Redrive) {
        broken.push(format!("{aside} messages can not be applied"));
    }
}
