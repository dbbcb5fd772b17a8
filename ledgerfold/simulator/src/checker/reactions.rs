//! The rules of the process manager.

use std::collections::BTreeMap;

use ledgerfold::{
    Caller, CausationId, Decider, EventId, StreamId, Timestamp, Version, vocabulary::Form,
};
use ledgerfold_testkit::bank::AccountEvent;

use crate::{
    checker::evidence::Evidence,
    domain::{
        accounts::anytime,
        history::{Effect, History, Moment},
        welcome::{WelcomeCommand, WelcomedAccounts, due},
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
pub(super) fn follow_once(evidence: &Evidence, history: &History, broken: &mut Vec<String>) {
    let mut reactions: BTreeMap<(CausationId, &str), Vec<&Effect>> = BTreeMap::new();
    for effect in history.effects() {
        if let Some((command, _, cause)) = WelcomeCommand::of(effect) {
            reactions.entry((cause.clone(), command.as_str())).or_default().push(effect);
        }
    }
    let published = evidence.bus.published(Form::Private);
    for opening in openings(evidence, history) {
        let Opening { event, stream, version, moment, due } = opening;
        let what = format!("the opening of {stream} at {version}");
        let cause = CausationId::from(event);
        for (command, from) in
            [(WelcomeCommand::Welcome, moment), (WelcomeCommand::CloseUnused, history.at(due))]
        {
            let name = command.as_str();
            let effects: Vec<&Effect> =
                reactions.remove(&(cause.clone(), name)).unwrap_or_default();
            evidence.observations.count(|report| match command {
                WelcomeCommand::Welcome => report.welcomes += effects.len(),
                WelcomeCommand::CloseUnused => report.closings += effects.len(),
            });
            if effects.len() > 1 {
                broken.push(format!("{what} led to {name} {} times", effects.len()));
            }
            if command == WelcomeCommand::CloseUnused
                && effects.iter().any(|effect| effect.at < due)
            {
                broken.push(format!("{what} led to {name} too soon"));
            }
            let is_owed = effects.is_empty() && published.contains(&event);
            if is_owed && !was_refused(command, stream, from, history) {
                broken.push(format!("{what} did not lead to {name}"));
            }
        }
    }
    if let Some((cause, command)) = reactions.into_keys().next() {
        broken.push(format!("{cause} led to {command} without being a reason"));
    }
}

/// Whether an account could refuse a command of the process at some moment from this one on, or had nothing to do.
fn was_refused(
    command: WelcomeCommand,
    stream: &StreamId,
    from: Moment,
    history: &History,
) -> bool {
    (from..=history.now()).any(|moment| {
        let state = history.state_at(stream, moment);
        let decided = WelcomedAccounts::decide(&state, &command, &anytime(&Caller::anonymous()));
        decided.map_or(true, |events| events.is_empty())
    })
}

fn openings<'a>(evidence: &Evidence, history: &'a History) -> Vec<Opening<'a>> {
    let mut openings = Vec::new();
    for (at, effect) in history.effects().iter().enumerate() {
        for commit in &effect.commits {
            for envelope in commit.envelopes() {
                let opened = envelope.open::<AccountEvent>().into_iter().flatten();
                let opened = opened.filter(|it| matches!(it.event, AccountEvent::Opened(_)));
                openings.extend(opened.map(|it| Opening {
                    event: it.id,
                    stream: commit.stream(),
                    version: it.version,
                    moment: at + 1,
                    due: due(it.recorded_at, evidence.schedule.unused_timeout()),
                }));
            }
        }
    }
    openings
}
