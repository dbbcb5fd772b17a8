//! The rules of the bus: every event and its public form are published, and nothing stays in a dead-letter queue.

use ledgerfold::vocabulary::Form;

use crate::{checker::evidence::Evidence, domain::history::History, plan::schedule::Recovery};

/// Every event was published, or operators find its commit: among the failed records, or among those that the change
/// stream has forgotten. Without faults there are none.
pub(super) fn everything_was_published(
    evidence: &Evidence,
    history: &History,
    broken: &mut Vec<String>,
) {
    let published = evidence.bus.published(Form::Private);
    let public = evidence.bus.published(Form::Public);
    let missed = evidence.changes.missed();
    if evidence.schedule.is_fault_free() && !missed.is_empty() {
        broken.push(format!("{} commits were not published without faults", missed.len()));
    }
    for commit in history.commits().filter(|commit| !missed.contains(commit)) {
        for (version, event) in commit.events() {
            if !published.contains(&event.id) {
                broken.push(format!("version {version} of {} was not published", commit.stream()));
            }
            if !public.contains(&event.id) && history.is_public(commit.stream(), version) {
                let stream = commit.stream();
                broken.push(format!("the public form of version {version} of {stream} is missing"));
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
