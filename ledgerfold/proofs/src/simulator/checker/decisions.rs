//! What was committed.

use std::collections::BTreeSet;

use ledgerfold::{Decider, StreamId};

use crate::{
    conformance::account::AccountEvent,
    simulator::{
        checker::Evidence,
        domain::{
            history::{Chronicle, Deed, encoded},
            welcome::{Errand, Stewardship},
        },
    },
};

/// What took effect is in the log, and nothing else is.
pub(super) fn nothing_was_lost(
    evidence: &Evidence,
    chronicle: &Chronicle,
    broken: &mut Vec<String>,
) {
    let mut happened: Vec<_> = chronicle.commits().cloned().collect();
    happened.sort_by(|one, other| (one.stream(), one.from()).cmp(&(other.stream(), other.from())));
    if happened != evidence.log.kept.commits() {
        broken.push("the log is not what was appended to it".to_owned());
    }
}

/// Each commit, and all commits of a transaction together, are what their command decides on the
/// states of all its streams just before: there is an order in which everything happened at once,
/// and it is the one in which it took effect.
pub(super) fn each_was_decided_on_its_moment(
    evidence: &Evidence,
    chronicle: &Chronicle,
    broken: &mut Vec<String>,
) {
    let asked = evidence.witness.asked();
    let ask = |id| asked.get(id).map(|request| &request.ask);
    for (before, deed) in chronicle.deeds().iter().enumerate() {
        let id = &deed.command;
        let state = |stream: &StreamId| chronicle.state_at(stream, before);
        let decided = match (asked.get(id), Errand::of(deed)) {
            (Some(request), _) => request.decide(state),
            (None, Some((errand, stream, _))) => Stewardship::decide(&state(stream), &errand)
                .map(|events| vec![(stream.clone(), events)]),
            (None, None) => {
                broken.push(format!("nobody asked for {id}"));
                continue;
            }
        };
        let expected: Vec<_> = decided
            .into_iter()
            .flatten()
            .map(|(stream, events)| (stream, encoded(&events)))
            .collect();
        let stored: Vec<_> = deed
            .commits
            .iter()
            .map(|commit| {
                let events = commit.events().map(|(_, event)| event.data.as_str().to_owned());
                (commit.stream().clone(), events.collect::<Vec<_>>())
            })
            .collect();
        if stored != expected {
            broken.push(format!("{id} was not decided on what was then: {:?}", ask(id)));
        }
    }
}

/// However often a command is sent, it takes effect once.
pub(super) fn effects_are_single(_: &Evidence, chronicle: &Chronicle, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for deed in chronicle.deeds() {
        if !seen.insert(&deed.command) {
            broken.push(format!("{} took effect twice", deed.command));
        }
    }
}

/// An address belongs to one account at a time.
pub(super) fn addresses_are_unique(_: &Evidence, chronicle: &Chronicle, broken: &mut Vec<String>) {
    for moment in 0..=chronicle.now() {
        let streams = chronicle.streams().keys();
        let emails = streams.filter_map(|stream| chronicle.state_at(stream, moment).email);
        let mut taken = BTreeSet::new();
        for email in emails {
            if !taken.insert(email.clone()) {
                broken.push(format!("{email} belonged to two accounts"));
                return;
            }
        }
    }
}

/// What is in all accounts is what was put into them from outside: transfers neither make nor lose
/// money.
pub(super) fn money_stays_the_same(
    evidence: &Evidence,
    chronicle: &Chronicle,
    broken: &mut Vec<String>,
) {
    let asked = evidence.witness.asked();
    let from_outside =
        |deed: &&Deed| asked.get(&deed.command).is_none_or(|request| request.makes_money());
    let commits = chronicle.deeds().iter().filter(from_outside).flat_map(|deed| &deed.commits);
    let put_in: u64 = commits
        .flat_map(|commit| commit.envelopes())
        .filter_map(|envelope| envelope.open::<AccountEvent>().ok())
        .flatten()
        .map(|recorded| match recorded.event {
            AccountEvent::Deposited(deposited) => deposited.amount,
            _ => 0,
        })
        .sum();
    let there: u64 =
        chronicle.streams().values().map(|history| history.state(history.head()).balance).sum();
    if put_in != there {
        broken.push(format!("{put_in} was put in, and {there} is there"));
    }
}
