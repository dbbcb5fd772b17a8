//! The rules of commits and transactions. The answers to their commands belong to `answers`.

use std::collections::BTreeSet;

use ledgerfold::{Caller, Decider, StreamId};
use ledgerfold_testkit::bank::AccountEvent;

use crate::{
    checker::evidence::Evidence,
    domain::{
        accounts::anytime,
        history::{Effect, History, encoded},
        welcome::{WelcomeCommand, WelcomedAccounts},
    },
};

/// Every effect is in the log, and nothing else is.
pub(super) fn nothing_was_lost(evidence: &Evidence, history: &History, broken: &mut Vec<String>) {
    let mut happened: Vec<_> = history.commits().cloned().collect();
    happened.sort_by(|one, other| (one.stream(), one.from()).cmp(&(other.stream(), other.from())));
    if happened != evidence.log.commits() {
        broken.push("the log is not what was appended to it".to_owned());
    }
}

/// Each commit, and all commits of a transaction together, are the decision of their command on the states of all its
/// streams just before. So there is a serial order of all commands, and it is the order of their effects.
pub(super) fn each_was_decided_on_its_moment(
    evidence: &Evidence,
    history: &History,
    broken: &mut Vec<String>,
) {
    let asked = evidence.observations.requests();
    let ask = |id| asked.get(id).map(|request| &request.ask);
    for (before, effect) in history.effects().iter().enumerate() {
        let id = &effect.command;
        let state = |stream: &StreamId| history.state_at(stream, before);
        let decided = match (asked.get(id), WelcomeCommand::of(effect)) {
            (Some(request), _) => request.decide(state),
            (None, Some((command, stream, _))) => {
                WelcomedAccounts::decide(&state(stream), &command, &anytime(&Caller::anonymous()))
                    .map(|events| vec![(stream.clone(), events)])
            }
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
        let stored: Vec<_> = effect
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
pub(super) fn effects_are_single(_: &Evidence, history: &History, broken: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for effect in history.effects() {
        if !seen.insert(&effect.command) {
            broken.push(format!("{} took effect twice", effect.command));
        }
    }
}

/// An address belongs to one account of a tenant at a time.
pub(super) fn addresses_are_unique(_: &Evidence, history: &History, broken: &mut Vec<String>) {
    for moment in 0..=history.now() {
        let streams = history.streams().keys();
        let emails = streams
            .filter_map(|stream| Some((stream.tenant(), history.state_at(stream, moment).email?)));
        let mut taken = BTreeSet::new();
        for (tenant, email) in emails {
            if !taken.insert((tenant, email.clone())) {
                broken.push(format!("{email} belonged to two accounts"));
                return;
            }
        }
    }
}

/// The sum of all accounts is the sum of all deposits: transfers neither create nor lose money.
pub(super) fn money_stays_the_same(
    evidence: &Evidence,
    history: &History,
    broken: &mut Vec<String>,
) {
    let asked = evidence.observations.requests();
    let from_outside =
        |effect: &&Effect| asked.get(&effect.command).is_none_or(|request| request.makes_money());
    let commits = history.effects().iter().filter(from_outside).flat_map(|effect| &effect.commits);
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
        history.streams().values().map(|history| history.state(history.head()).balance).sum();
    if put_in != there {
        broken.push(format!("{put_in} was put in, and {there} is there"));
    }
}
