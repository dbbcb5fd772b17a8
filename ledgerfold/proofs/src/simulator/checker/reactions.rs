//! What followed from events.

use std::collections::{BTreeMap, HashSet};

use ledgerfold::{CausationId, Decider, EventId, StreamId, Timestamp, Version};

use crate::{
    conformance::account::AccountEvent,
    simulator::{
        checker::Evidence,
        domain::{
            history::{Chronicle, Deed, Moment},
            welcome::{Errand, Stewardship, due},
        },
    },
};

/// An account that was opened.
struct Opening<'a> {
    event: EventId,
    stream: &'a StreamId,
    version: Version,
    /// When it was in the log.
    moment: Moment,
    /// When it is to be closed if it is unused.
    due: Timestamp,
}

/// Every opening that was published led to its welcome and to its closing, once each and no sooner
/// than it was due, unless the account had a reason to refuse; and nothing else led to any.
pub(super) fn follow_once(evidence: &Evidence, chronicle: &Chronicle, broken: &mut Vec<String>) {
    let mut errands: BTreeMap<(CausationId, &str), Vec<&Deed>> = BTreeMap::new();
    for deed in chronicle.deeds() {
        if let Some((errand, _, cause)) = Errand::of(deed) {
            errands.entry((cause.clone(), errand.as_str())).or_default().push(deed);
        }
    }
    let published: HashSet<_> = evidence.bus.published().into_iter().collect();
    for opening in openings(evidence, chronicle) {
        let Opening { event, stream, version, moment, due } = opening;
        let what = format!("the opening of {stream} at {version}");
        let cause = CausationId::from(event);
        for (errand, from) in [(Errand::Welcome, moment), (Errand::CloseUnused, chronicle.at(due))]
        {
            let name = errand.as_str();
            let deeds: Vec<&Deed> = errands.remove(&(cause.clone(), name)).unwrap_or_default();
            evidence.witness.count(|report| match errand {
                Errand::Welcome => report.welcomes += deeds.len(),
                Errand::CloseUnused => report.closings += deeds.len(),
            });
            if deeds.len() > 1 {
                broken.push(format!("{what} led to {name} {} times", deeds.len()));
            }
            if errand == Errand::CloseUnused && deeds.iter().any(|deed| deed.at < due) {
                broken.push(format!("{what} led to {name} too soon"));
            }
            let is_owed = deeds.is_empty() && published.contains(&event);
            if is_owed && !was_refused(errand, stream, from, chronicle) {
                broken.push(format!("{what} did not lead to {name}"));
            }
        }
    }
    if let Some((cause, errand)) = errands.into_keys().next() {
        broken.push(format!("{cause} led to {errand} without being a reason"));
    }
}

/// Whether an account could refuse an errand at some moment from this one on, or had nothing to do.
fn was_refused(errand: Errand, stream: &StreamId, from: Moment, chronicle: &Chronicle) -> bool {
    (from..=chronicle.now()).any(|moment| {
        let decided = Stewardship::decide(&chronicle.state_at(stream, moment), &errand);
        decided.map_or(true, |events| events.is_empty())
    })
}

fn openings<'a>(evidence: &Evidence, chronicle: &'a Chronicle) -> Vec<Opening<'a>> {
    let mut openings = Vec::new();
    for (at, deed) in chronicle.deeds().iter().enumerate() {
        for commit in &deed.commits {
            for envelope in commit.envelopes() {
                let opened = envelope.open::<AccountEvent>().into_iter().flatten();
                let opened = opened.filter(|it| matches!(it.event, AccountEvent::Opened(_)));
                openings.extend(opened.map(|it| Opening {
                    event: it.id,
                    stream: commit.stream(),
                    version: it.version,
                    moment: at + 1,
                    due: due(it.recorded_at, evidence.schedule.patience()),
                }));
            }
        }
    }
    openings
}
