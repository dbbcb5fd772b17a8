//! Checks the guarantees for commands that race or are repeated.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::Barrier;

use crate::{
    Entrant, Scale,
    contestant::{Contestant, Failure},
    order,
    rates::order_id,
};

pub const RACERS: usize = 50;
pub const COMMANDS: u64 = 30;

/// The results of one contestant.
pub struct Probe {
    pub rounds: usize,
    /// Rounds in which exactly one command was accepted and one event stored.
    pub right: usize,
    /// The outcomes of the other commands, over all rounds.
    pub losers: BTreeMap<String, usize>,
    /// The outcome of a repeated command, with the number of requests.
    pub second: String,
    pub second_requests: u64,
    /// Stored events after a command and its repetition.
    pub stored: u64,
    /// Events in the state after 30 commands with one event each.
    pub counted: u64,
}

pub async fn measure(entrants: &[Entrant], scale: &Scale) -> Vec<Option<Probe>> {
    let mut probes = Vec::new();
    for entrant in entrants {
        probes.push(match entrant.contestant.is_blind() {
            true => None,
            false => Some(probe(entrant, scale.race_rounds).await),
        });
    }
    probes
}

async fn probe(Entrant { contestant, meter }: &Entrant, rounds: usize) -> Probe {
    let mut right = 0;
    let mut losers = BTreeMap::new();
    for round in 0..rounds {
        right += usize::from(race(contestant, &order_id("race", round), &mut losers).await);
    }
    let twice = order_id("twice", 0);
    let many = order_id("many", 0);
    contestant.execute(&twice, order::note(20), "twice").await.expect("it is accepted");
    meter.take_requests();
    let second = contestant.execute(&twice, order::note(20), "twice").await;
    let second_requests = meter.take_requests();
    for number in 0..COMMANDS {
        let attempt = format!("many-{number}");
        contestant.execute(&many, order::note(20), &attempt).await.expect("it is accepted");
    }
    Probe {
        rounds,
        right,
        losers,
        second: label(&second),
        second_requests,
        stored: contestant.load(&twice).await.expect("it can be loaded").events,
        counted: contestant.load(&many).await.expect("it can be loaded").events,
    }
}

/// Many tasks pay the same order at the same moment, each with its own payment.
async fn race(
    contestant: &Arc<dyn Contestant>,
    id: &str,
    losers: &mut BTreeMap<String, usize>,
) -> bool {
    let placed = contestant.execute(id, order::place(1), &format!("{id}-p")).await;
    placed.expect("it is placed");
    let gate = Arc::new(Barrier::new(RACERS));
    let racers: Vec<_> = (0..RACERS)
        .map(|racer| {
            let contestant = contestant.clone();
            let id = id.to_owned();
            let gate = gate.clone();
            let attempt = format!("{id}-{racer}");
            let command = order::pay(racer as u64);
            tokio::spawn(async move { contestant.race(&id, command, &attempt, gate).await })
        })
        .collect();
    let mut accepted = 0;
    for racer in racers {
        match racer.await.expect("no racer fails") {
            Ok(()) => accepted += 1,
            lost => *losers.entry(label(&lost)).or_default() += 1,
        }
    }
    let stored = contestant.load(id).await.expect("it can be loaded").events;
    accepted == 1 && stored == 2
}

fn label(outcome: &Result<(), Failure>) -> String {
    outcome.as_ref().map_or_else(Failure::label, |()| "accepted".to_owned())
}
