//! Tests of concurrent commands and builds under random schedules. Builds crash and resume, two builds run at once, and
//! streams release keys that a build is about to reserve for them.
//!
//! Guards: claims-cover-older-streams

use futures::{
    FutureExt,
    future::{Either, join_all, select},
};
use ledgerfold::{Decider, StreamId, claims::Finding, command::CommandError, ports::Reservations};
use ledgerfold_proofs::conformance::requests::fresh;
use ledgerfold_testkit::bank::{AccountCommand, Accounts};

use super::bank::{Bank, Defect};

const STREAMS: usize = 6;
/// The number of streams that are older than the claims.
const OLD: usize = 4;
const ADDRESSES: usize = 7;
const COMMANDS: usize = 6;

struct Play {
    bank: Bank,
    streams: Vec<StreamId>,
}

fn address(at: usize) -> String {
    format!("{at}@example.org")
}

impl Play {
    async fn new(seed: u64, defect: Defect) -> Self {
        let play = Self {
            bank: Bank::slow(seed, defect),
            streams: (0..STREAMS).map(|_| fresh()).collect(),
        };
        for (at, stream) in play.streams.iter().enumerate().take(OLD) {
            // In some schedules the first two accounts have the same address.
            let shared = at == 1 && play.draw(4) == 0;
            play.bank.open_without_claims(stream, &address(if shared { 0 } else { at })).await;
        }
        play
    }

    fn draw(&self, below: usize) -> usize {
        let below = u64::try_from(below).expect("it is small");
        usize::try_from(self.bank.store.random.next() % below).expect("it is small")
    }

    /// Sends random commands, and returns the forbidden outcomes.
    async fn command(&self, client: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for at in 0..COMMANDS {
            for _ in 0..self.draw(12) {
                tokio::task::yield_now().await;
            }
            let command = match self.draw(3) {
                0 => AccountCommand::Open(address(self.draw(ADDRESSES))),
                1 => AccountCommand::Move(address(self.draw(ADDRESSES))),
                _ => AccountCommand::Close,
            };
            let (stream, attempt) = (&self.streams[self.draw(STREAMS)], format!("{client}.{at}"));
            match self.bank.ask::<Accounts>(stream, &attempt, command).await {
                Ok(_)
                | Err(
                    CommandError::Rejected(_)
                    | CommandError::Reserved { .. }
                    | CommandError::Contention { .. },
                ) => {}
                Err(error) => wrong.push(format!("{attempt} of {stream} ended in {error}")),
            }
            // Keys may still lack a reservation, but none may have a wrong one, because all code has the claims.
            wrong.extend(self.bank.superfluous().await);
        }
        wrong
    }

    /// Runs builds, which sometimes crash. Returns their errors.
    async fn build(&self) -> Vec<String> {
        for _ in 0..self.draw(20) {
            tokio::task::yield_now().await;
        }
        loop {
            let mortal = self.draw(2) == 0;
            let life = async {
                for _ in 0..if mortal { self.draw(150) } else { 1_000_000 } {
                    tokio::task::yield_now().await;
                }
            };
            let build = self.bank.build().boxed_local();
            if let Either::Left(_) = select(build, life.boxed_local()).await {
                return Vec::new();
            }
        }
    }

    /// Runs the schedule, and returns the faults at its end.
    async fn run(&self) -> Vec<String> {
        let work = [
            self.command("one").boxed_local(),
            self.command("two").boxed_local(),
            self.command("three").boxed_local(),
            self.build().boxed_local(),
            self.build().boxed_local(),
        ];
        let mut wrong = join_all(work).await.concat();
        wrong.extend(self.wrong_if_complete().await);
        wrong.extend(self.settle().await);
        let later = [self.command("four").boxed_local(), self.command("five").boxed_local()];
        wrong.extend(join_all(later).await.concat());
        wrong.extend(self.wrong_if_complete().await);
        wrong
    }

    async fn wrong_if_complete(&self) -> Vec<String> {
        let record = self.bank.store.log.read_record(&<Accounts>::CATEGORY).await;
        match record.expect("the read succeeds").complete() {
            Some(_) => self.bank.wrong().await,
            None => Vec::new(),
        }
    }

    /// Closes accounts with a contested address, until a build is complete.
    async fn settle(&self) -> Vec<String> {
        for round in 0..5 {
            let built = self.bank.build().await;
            if built.complete.is_some() {
                return Vec::new();
            }
            for finding in built.findings {
                let Finding::Contested { owner, .. } = finding else {
                    return vec![format!("nobody is at work, and {finding:?} is left")];
                };
                let (attempt, close) = (format!("settled-{round}"), AccountCommand::Close);
                if let Err(error) = self.bank.ask::<Accounts>(owner.stream(), &attempt, close).await
                {
                    return vec![format!("{} cannot be closed: {error}", owner.stream())];
                }
            }
        }
        vec!["no build was complete".to_owned()]
    }
}

/// The first faulty one of this many schedules, with its faults.
async fn first_wrong(schedules: u64, defect: Defect) -> Option<(u64, Vec<String>)> {
    for seed in 0..schedules {
        let wrong = Play::new(seed, defect).await.run().await;
        if !wrong.is_empty() {
            return Some((seed, wrong));
        }
    }
    None
}

#[tokio::test]
async fn in_every_schedule_a_complete_build_leaves_each_key_with_its_owner() {
    assert_eq!(first_wrong(400, Defect::None).await, None);
}

#[tokio::test]
async fn every_defect_of_reservations_is_found() {
    for defect in [Defect::ForgoesBlindly, Defect::CorrectsBlindly] {
        assert!(first_wrong(400, defect).await.is_some(), "no schedule shows {defect:?}");
    }
}
